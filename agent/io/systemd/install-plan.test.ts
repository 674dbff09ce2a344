import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { type Act, installPlan } from './install-plan.ts';
import { installRefusals } from './install-refusals.ts';
import { type InstallOrder, installSpec } from './install-spec.ts';

const order: InstallOrder = {
  program: '/opt/doorkeep/scripts/doorkeep',
  user: 'doorkeep',
  dataDir: '/var/lib/doorkeep',
  memoryMaxMiB: 200,
  devices: [],
  gpioChip: '/dev/gpiochip0',
  config: undefined,
  set: [],
  runWords: ['--v4l2', '/dev/video0'],
  source: { v4l2: '/dev/video0' },
};
const planOf = (other: Partial<InstallOrder> = {}, prefix?: string) =>
  installPlan(installSpec({ ...order, ...other }), prefix);
const paths = (acts: readonly Act[]) =>
  acts.flatMap((act) => (act.kind === 'program' ? [] : [act.path]));
const lines = (acts: readonly Act[]) =>
  acts.flatMap((act) => (act.kind === 'file' ? act.content.split('\n') : []));

test('a door is made in this order: user, data directory, relay, service', () => {
  const acts = planOf();
  expect(acts.map((act) => (act.kind === 'program' ? act.argv.join(' ') : act.path))).toEqual([
    '/etc/sysusers.d/doorkeep.conf',
    '/etc/tmpfiles.d/doorkeep.conf',
    '/etc/udev/rules.d/70-doorkeep.rules',
    '/etc/systemd/system/doorkeep.service',
    'systemd-sysusers /etc/sysusers.d/doorkeep.conf',
    'systemd-tmpfiles --create /etc/tmpfiles.d/doorkeep.conf',
    'udevadm control --reload',
    'udevadm trigger --settle /dev/gpiochip0',
    'systemctl daemon-reload',
    'systemctl enable doorkeep.service',
    'systemctl restart doorkeep.service',
  ]);
  expect(lines(acts)).toEqual(
    expect.arrayContaining([
      'g video - -',
      'u doorkeep - "doorkeep agent" /var/lib/doorkeep',
      'd /var/lib/doorkeep 0700 doorkeep doorkeep -',
      'SUBSYSTEM=="gpio", KERNEL=="gpiochip0", GROUP="doorkeep", MODE="0660"',
      'ExecStart=/opt/doorkeep/scripts/doorkeep run --v4l2 /dev/video0',
      'DeviceAllow=/dev/video0 rw',
      'DeviceAllow=/dev/gpiochip0 rw',
    ]),
  );
});

test('without a relay no device of it is given to anybody', () => {
  const acts = planOf({ gpioChip: null });
  expect(lines(acts).filter((line) => /gpio/.test(line))).toEqual([]);
  expect(acts.some((act) => act.kind === 'program' && act.argv[0] === 'udevadm')).toBe(false);
});

test('of an image that is being built only files change, all of them below its folder', () => {
  const acts = planOf({}, '/image');
  expect(acts.some(({ kind }) => kind === 'program')).toBe(false);
  expect(paths(acts).every((path) => path.startsWith('/image/etc/'))).toBe(true);
  expect(acts.at(-1)).toEqual({
    kind: 'link',
    path: '/image/etc/systemd/system/multi-user.target.wants/doorkeep.service',
    target: '../doorkeep.service',
  });
  expect(lines(acts)).toEqual(lines(planOf()));
});

test('the service runs with the settings that the installer gave', () => {
  const acts = planOf({ config: '/etc/doorkeep.json', set: ['match.margin=0.1'] });
  expect(lines(acts)).toContain(
    'ExecStart=/opt/doorkeep/scripts/doorkeep run --config /etc/doorkeep.json --set match.margin=0.1 --v4l2 /dev/video0',
  );
});

test('with a camera program no group of cameras is needed, but the devices that it was promised', () => {
  const source = { exec: 'camera' };
  const found = lines(planOf({ source, devices: ['/dev/video7'], gpioChip: null }));
  expect(found.filter((line) => /^(DeviceAllow|Supplementary)/.test(line))).toEqual([
    'DeviceAllow=/dev/video7 rw',
  ]);
});

test.each<[string, Partial<InstallOrder>, RegExp]>([
  ['a name that is no user', { user: 'Door Keep' }, /user: expected the name of a user/],
  ['a device that is none', { devices: ['/etc/shadow'] }, /devices\[2\]: expected a path below/],
  ['too little memory', { memoryMaxMiB: 64 }, /memoryMaxMiB: expected a whole number from 96/],
  ['memory that is no number', { memoryMaxMiB: Number.NaN }, /memoryMaxMiB/],
  ['a path with a line feed', { dataDir: '/var/lib/a\nUser=root' }, /dataDir: expected/],
  ['no source of frames', { source: { stdin: true } }, /needs --v4l2, --exec or --files/],
])('%s is refused before anything is done', (_, other, message) => {
  const plan = () => planOf(other);
  expect(plan).toThrow(AgentError);
  expect(plan).toThrow(message);
});

test.each([
  [{ isRoot: true, hasSystemd: true }, []],
  [{ isRoot: false, hasSystemd: true }, ['only root can install a service']],
  [{ isRoot: true, hasSystemd: false }, [/systemd does not run here/]],
])('on a system with %j', (facts, expected) => {
  const place = { program: '/opt/doorkeep/scripts/doorkeep', prefix: undefined };
  const found = installRefusals(place, facts);
  expect(found).toEqual(expected.map((each) => expect.stringMatching(each)));
});

test('an image is built by anybody, on a machine without systemd', () => {
  const place = { program: '/opt/doorkeep/scripts/doorkeep', prefix: '/image' };
  expect(installRefusals(place, { isRoot: false, hasSystemd: false })).toEqual([]);
});

test.each(['/home/a/doorkeep', '/root/doorkeep', '/tmp/doorkeep'])(
  'a program at %s, which the service would not see, is not installed',
  (program) => {
    const found = installRefusals(
      { program, prefix: '/image' },
      { isRoot: true, hasSystemd: true },
    );
    expect(found).toEqual([expect.stringContaining('put doorkeep under /opt')]);
  },
);
