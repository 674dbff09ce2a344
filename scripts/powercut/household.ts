/**
 * Runs inside the virtual machine, on the disk that will lose its power: a household that opts in, is recorded and
 * opts out, again and again, with the agent's own programme. After every act that it was told is done it says so
 * behind the file system of the same disk, past every cache, so that the disk's log has both in their order.
 *
 *   household.js DATA-DIR DEVICE CYCLES
 */
import { createHash } from 'node:crypto';
import { constants, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { takeMarkers } from '../../agent/io/files/marker-search.ts';
import { allocateSecure } from '../../agent/io/process/secure-memory.ts';
import { createProgrammeDevice, hourMs } from '../../agent/test/fakes/programme-device.ts';
import { type Acknowledgement, disk, encodeAcknowledgement } from './acknowledgement.ts';

const [dataDir = '', deviceFile = '', cycles = ''] = process.argv.slice(2);
const device = createProgrammeDevice({ dataDir, world: { hasCloud: false } });
const fd = openSync(deviceFile, constants.O_WRONLY | constants.O_DIRECT);
// O_DIRECT wants memory at the begin of a page, which this kind has.
const { bytes } = allocateSecure(disk.acknowledgementBytes);

await device.start();
acknowledge({ what: 'started' });
for (let cycle = 0; cycle < Number(cycles); cycle++) {
  acknowledge({ what: 'opting in' });
  const { kind } = await device.on();
  if (kind !== 'granted') throw new Error(`the household is ${kind}`);
  const { epoch } = device.programme.consent.programme();
  acknowledge({ what: 'granted', epoch });
  for (let hour = 0; hour < 3; hour++) {
    device.visit(3);
    await device.pass(hourMs, hourMs / 4);
    acknowledge({ what: 'stored', epoch, rows: storedRows() });
  }
  acknowledge({ what: 'opting out', epoch, markers: markers() });
  const { kind: outcome, receiptFile } = await device.off();
  if (outcome !== 'erased' || receiptFile === null) throw new Error(`the opt-out is ${outcome}`);
  acknowledge({ what: 'withdrawn', epoch, receipt: basename(receiptFile) });
}

/** As much as is certain to be written: without the time, which it adds. */
type Told<A> = A extends Acknowledgement ? Omit<A, 'atMs'> : never;

function acknowledge(told: Told<Acknowledgement>): void {
  encodeAcknowledgement({ atMs: device.time.clock.monotonicMs(), ...told }, bytes);
  const length = writeSync(fd, bytes, 0, bytes.length, disk.acknowledgedAt);
  if (length !== bytes.length)
    throw new Error(`${length} bytes of an acknowledgement were written`);
}

function storedRows() {
  const { records } = device.programme;
  return records
    .store()
    .oldest(100_000)
    .map(({ id, line }) => ({
      id,
      digest: createHash('sha256').update(line).digest('hex').slice(0, 32),
    }));
}

/** The key in pieces of 8 bytes, the id of the consent, pieces of every file, and each record as it would be sent. */
function markers(): readonly string[] {
  const { ueip, epochKey } = device.layout;
  const { consent, records } = device.programme;
  const { consent: state } = consent.programme();
  const texts = state.state === 'granted' ? { 'consent id': state.consentId } : {};
  // Also of the noise that keeps room for the erasure: rows are overwritten twice, so it shows best whether zeros were synced.
  const { all } = takeMarkers({ folder: ueip, secrets: [epochKey], texts });
  const kept = all.flatMap(({ name, bytes: marker }) =>
    name === epochKey ? [0, 8, 16, 24].map((at) => marker.subarray(at, at + 8)) : [marker],
  );
  const lines = records.store().oldest(100_000);
  return [...kept, ...lines.map(({ line }) => line.subarray(0, 64))].map((each) =>
    Buffer.from(each).toString('hex'),
  );
}
