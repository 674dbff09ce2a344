import { expect, test } from 'vitest';
import { memoryCheck } from './health.ts';

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
