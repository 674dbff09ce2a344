import { expect, test } from 'vitest';
import { presets } from './config.ts';
import { checkHealth, erasureCheck, memoryCheck } from './health.ts';
import { temporaryFolder } from './test/fakes/temporary-folder.ts';

const missing = 'doorkeep.node is not there';

test.each([
  [{ keysLocked: true, coreDumpsOff: true }, 'ok', 'keys locked, core dumps off', undefined],
  [
    { keysLocked: false, coreDumpsOff: true },
    'warn',
    'keys not locked, core dumps off',
    'LimitMEMLOCK=1M',
  ],
  [
    { keysLocked: true, coreDumpsOff: false },
    'warn',
    'keys locked, core dumps possible',
    'the kernel does not let doorkeep forbid them',
  ],
  [
    { keysLocked: false, coreDumpsOff: false, reason: missing },
    'warn',
    'keys not locked, core dumps possible',
    missing,
  ],
])('doctor says how keys are protected in memory: %j', (found, state, detail, hint) => {
  const check = memoryCheck(found);
  expect(check).toMatchObject({ name: 'memory protection', state, detail });
  if (hint === undefined) expect(check.hint).toBeUndefined();
  else expect(check.hint).toContain(hint);
});

test.each([
  ['in-place', 'ext4', false, 'ok', undefined],
  ['cryptographic-only', 'ubifs', false, 'warn', 'volume.erase'],
  ['cryptographic-only', 'ubifs', true, 'ok', undefined],
  ['none', 'squashfs', false, 'warn', 'writable'],
] as const)('doctor says what an opt-out makes sure of: %s on %s, command %s', (...given) => {
  const [erasure, type, hasCommand, state, hint] = given;
  const volume = { folder: '/data', freeBytes: 1, device: 'x', volatile: false, readOnly: false };
  const check = erasureCheck({ ...volume, type, erasure }, hasCommand);
  expect(check).toMatchObject({ name: 'erasure', state });
  expect(check.detail).toContain(type);
  if (hint === undefined) expect(check.hint).toBeUndefined();
  else expect(check.hint).toContain(hint);
});

test('doctor says that the built-in recogniser is for trying, and how to get a better one', async () => {
  const checks = await checkHealth({ dataDir: temporaryFolder(), config: presets }, 0);
  const recogniser = checks.find(({ name }) => name === 'model doorkeep-recogniser');
  expect(recogniser).toMatchObject({ state: 'warn' });
  expect(recogniser?.hint).toContain('models pull recommended');
  expect(checks.find(({ name }) => name === 'model doorkeep-detector')).toMatchObject({
    state: 'ok',
  });
});
