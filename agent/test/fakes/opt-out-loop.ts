import { writeSync } from 'node:fs';
import { consentingDevice } from './consenting-device.ts';

/**
 * A process to be killed: a household that opts in and out all day. Says when each step begins. Without a data
 * directory it ends at once: so that what Node has compiled is kept for the next ones (NODE_COMPILE_CACHE).
 */
const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) process.exit();
const step = () => writeSync(1, '.');
const device = consentingDevice(dataDir, { onStep: step });
await device.recover();
for (;;) {
  if (device.programme().consent.state !== 'granted') {
    step();
    device.optIn();
  }
  step();
  device.record(12);
  step();
  const outcome = await device.optOut();
  if (outcome.kind !== 'erased') throw new Error(JSON.stringify(outcome));
}
