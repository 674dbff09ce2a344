import { expect, test } from 'vitest';
import { presets, readSettings } from './config.ts';
import { checksOf, relayCheck } from './device-health.ts';
import type { FoundCamera } from './io/camera/camera-look.ts';
import type { RelaySight } from './io/relay/relay-look.ts';

const path = '/dev/video0';
const settings = { 'relay.chip': '/dev/gpiochip0', 'relay.line': 5 };

test.each<[FoundCamera, string, string, string | undefined]>([
  [
    { path, kind: 'seen', name: 'Door', formats: ['nv12', 'mjpeg'] },
    'ok',
    'Door: nv12, mjpeg',
    undefined,
  ],
  [{ path, kind: 'seen', name: 'Door', formats: [] }, 'warn', 'Door: gives none of', '--exec'],
  [
    { path, kind: 'closed', code: 'EACCES', name: 'Door' },
    'warn',
    'Door: this user may not',
    'video',
  ],
  [{ path, kind: 'closed', code: 'EPERM' }, 'warn', 'this user may not open it', 'group'],
  [{ path, kind: 'closed', code: 'EBUSY' }, 'warn', 'in use', 'one program at a time'],
  [{ path, kind: 'closed', code: 'ENODEV' }, 'warn', 'cannot be opened (ENODEV)', 'plug it in'],
  [{ path, kind: 'unfit', reason: 'it cannot stream' }, 'warn', 'it cannot stream', 'kernel'],
])('doctor says what a camera is good for: %j', (camera, state, detail, hint) => {
  const [check, ...more] = checksOf([camera]);
  expect(more).toEqual([]);
  expect(check).toMatchObject({ name: 'camera /dev/video0', state });
  expect(check?.detail).toContain(detail);
  if (hint === undefined) expect(check?.hint).toBeUndefined();
  else expect(check?.hint).toContain(hint);
});

test('doctor says how frames come in where the kernel offers no camera', () => {
  const [check, ...more] = checksOf([]);
  expect(more).toEqual([]);
  expect(check).toMatchObject({ name: 'camera', state: 'warn', detail: 'the kernel offers none' });
  for (const source of ['--exec', '--stdin', '--files']) expect(check?.hint).toContain(source);
});

test('without relay.chip, doctor says that nothing opens, and asks nobody', () => {
  const look = () => expect.unreachable();
  expect(relayCheck(presets, look)).toMatchObject({
    name: 'relay',
    state: 'warn',
    detail: 'nothing opens: relay.chip is not set',
  });
});

test.each<[RelaySight, string, string, string | undefined]>([
  [{ kind: 'free', api: 'v2' }, 'ok', 'line 5 of /dev/gpiochip0 is free (GPIO v2)', undefined],
  [{ kind: 'used', api: 'v2', holder: 'doorkeep-relay' }, 'ok', 'held by an agent', undefined],
  [
    { kind: 'used', api: 'v1', holder: 'heating' },
    'fail',
    'held by heating (GPIO v1)',
    'relay.line',
  ],
  [{ kind: 'used', api: 'v2', holder: '' }, 'fail', 'held by the kernel itself', 'relay.line'],
  [{ kind: 'no-line', api: 'v2', lines: 4 }, 'fail', 'has no line 5', 'from 0 to 3'],
  [{ kind: 'no-chip', code: 'EACCES', reason: 'Permission denied' }, 'fail', 'denied', 'gpio'],
  [{ kind: 'no-chip', code: 'ENOENT', reason: 'No such file' }, 'fail', 'No such', 'relay.chip'],
  [{ kind: 'no-chip', code: undefined, reason: 'no GPIO chip' }, 'fail', 'no GPIO', 'relay.chip'],
  [{ kind: 'no-holder', reason: 'ENOENT' }, 'fail', 'nobody can hold', 'postinstall'],
])('doctor says whether the relay can be driven: %j', (sight, state, detail, hint) => {
  const asked: unknown[] = [];
  const check = relayCheck(readSettings(settings, 'a test'), (line) => {
    asked.push(line);
    return sight;
  });
  expect(asked).toEqual([{ chip: '/dev/gpiochip0', line: 5 }]);
  expect(check).toMatchObject({ name: 'relay', state });
  expect(check.detail).toContain(detail);
  if (hint === undefined) expect(check.hint).toBeUndefined();
  else expect(check.hint).toContain(hint);
});
