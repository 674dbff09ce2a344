import { writeSync } from 'node:fs';
import { createProgrammeDevice, hourMs } from './programme-device.ts';

/**
 * A process to be killed: a household that opts in and out all day, with people at the door and nights in which
 * records travel. Begins with what every start begins with, and tells, a line each, what is true from then on.
 * Without a data directory it ends at once: so that what Node has compiled is kept for the next ones.
 */
const [dataDir, ranMs = '1000'] = process.argv.slice(2);
if (dataDir === undefined) process.exit();
const tell = (line: string) => writeSync(1, `${line}\n`);
const device = createProgrammeDevice({ dataDir, ranMs: Number(ranMs) });

/** Every commit of it is one more moment to be killed in. */
async function hours(count: number): Promise<void> {
  for (let hour = 0; hour < count; hour++) {
    device.visit(2);
    await device.pass(hourMs, hourMs / 4);
    tell(`stored ${(await device.commands.status()).records.waiting}`);
  }
}

await device.start();
tell('started');
for (let cycle = 0; ; cycle++) {
  tell('opting in');
  await device.on();
  tell('granted');
  await hours(3);
  if (cycle % 2 === 1) {
    tell('sending');
    await device.passUntil(2);
    tell('sent');
    await hours(1);
  }
  tell('opting out');
  const { kind } = await device.off({ eraseCloud: cycle % 4 === 3 });
  if (kind !== 'erased') throw new Error(`an opt-out is ${kind}`);
  tell('withdrawn');
}
