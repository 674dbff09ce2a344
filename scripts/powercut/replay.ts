/**
 * Cuts the power of a disk that is long off: applies its log up to a moment, loses what was in the disk's cache, lets
 * e2fsck repair what it can, and opens what is left with the agent's own code.
 *
 *   node replay.ts NAME IMAGE LOG CUTS [--must-fail KIND]
 *
 * IMAGE: the disk before the first entry. --must-fail: passes only if some cut shows this fault (a household that
 * forgets to sync). Needs e2fsck and debugfs; neither root nor mounting.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededChance } from '../../agent/io/process/seeded-chance.ts';
import { type Acknowledgement, decodeAcknowledgement, disk } from './acknowledgement.ts';
import { checkState, type Fault, faultKinds } from './check-state.ts';
import { type Cut, chooseCuts, diceOf } from './cuts.ts';
import { createMedium } from './medium.ts';
import { type Promised, promisedBy } from './promise.ts';
import { foundIn } from './raw-search.ts';
import { type LogEntry, readWriteLog } from './write-log.ts';

const [name = '', image = '', log = '', count = '', flag, mustFail] = process.argv.slice(2);
const wanted = faultKinds.find((kind) => kind === mustFail);
if (flag !== undefined && !wanted) throw new Error(`${flag} ${mustFail}: no such fault`);
process.exitCode = (await replay()) ? 0 : 1;

async function replay(): Promise<boolean> {
  const entries = readWriteLog(log);
  const told = acknowledgementsIn(entries);
  const dice = diceOf(seededChance(name));
  const cuts = chooseCuts(
    entries.length,
    told.map(({ at }) => at),
    Number(count),
    dice,
  );
  const medium = createMedium(readFileSync(image));
  const found: { readonly cut: Cut; readonly faults: readonly Fault[] }[] = [];
  const held = { grant: 0, rows: 0, 'erased pieces': 0, receipts: 0 };
  let taken = 0;
  for (const cut of cuts) {
    for (const entry of entries.slice(taken, cut.at)) medium.take(entry);
    taken = cut.at;
    const promised = promisedBy(told.filter(({ at }) => at < cut.at).map(({ given }) => given));
    const { consent, rows, gone, receipts } = promised;
    if (consent.includes('granted') && consent.length === 1) held.grant++;
    if (rows.length > 0) held.rows++;
    if (gone.length > 0) held['erased pieces']++;
    if (receipts.length > 0) held.receipts++;
    const left = medium.cut(cut.mode, dice).subarray(0, disk.fileSystemBytes);
    const faults = [...leftOver(left, promised), ...(await faultsAfter(left, promised))];
    if (faults.length > 0) found.push({ cut, faults });
    if (wanted && faults.some(({ kind }) => kind === wanted)) break;
  }
  const flushes = entries.filter(({ kind }) => kind === 'flush').length;
  console.log(
    `powercut: ${name}: ${entries.length} requests, ${flushes} flushes, ${told.length} acknowledgements; ` +
      `${cuts.length} cuts, ${found.length} with a fault`,
  );
  if (!wanted) {
    const promises = Object.entries(held).map(([what, times]) => `${what} ${times}`);
    console.log(`powercut: ${name}: in so many cuts this was promised: ${promises.join(', ')}`);
  }
  return wanted ? isCaught(found, wanted) : isWell(found);
}

type Found = readonly { readonly cut: Cut; readonly faults: readonly Fault[] }[];

function isWell(found: Found): boolean {
  for (const { cut, faults } of found.slice(0, 10)) {
    for (const { kind, detail } of faults) {
      console.log(`powercut: ${name}: after ${cut.at} requests (${cut.mode}): ${kind}: ${detail}`);
    }
  }
  return found.length === 0;
}

function isCaught(found: Found, kind: Fault['kind']): boolean {
  const shown = found.flatMap(({ faults }) => faults).find((each) => each.kind === kind);
  console.log(
    shown
      ? `powercut: ${name}: found out, as it must be: ${kind}: ${shown.detail}`
      : `powercut: ${name}: NOT found out: no cut shows "${kind}"`,
  );
  return shown !== undefined;
}

function acknowledgementsIn(
  entries: readonly LogEntry[],
): readonly { readonly at: number; readonly given: Acknowledgement }[] {
  return entries.flatMap((entry, at) =>
    entry.kind === 'write' && entry.offset === disk.acknowledgedAt
      ? [{ at, given: decodeAcknowledgement(entry.data) }]
      : [],
  );
}

/** On the medium as it is, whatever file system is on it. */
function leftOver(left: Buffer, { gone }: Promised): readonly Fault[] {
  const found = foundIn(
    left,
    gone.map((each) => Buffer.from(each, 'hex')),
  );
  if (found.length === 0) return [];
  const [first] = found;
  const detail = `${found.length} of ${gone.length} pieces of what was erased, the first at ${first}`;
  return [{ kind: 'left over', detail }];
}

async function faultsAfter(left: Buffer, promised: Promised): Promise<readonly Fault[]> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'powercut-'));
  try {
    const file = join(folder, 'image');
    writeFileSync(file, left);
    const repaired = statusOf('e2fsck', '-fy', file);
    // 1: it was repaired, as after every power cut.
    if (repaired !== 0 && repaired !== 1) {
      return [{ kind: 'file system', detail: `e2fsck ended with ${repaired}` }];
    }
    const dataDir = join(folder, 'content', 'doorkeep');
    mkdirSync(join(folder, 'content'));
    const dumped = statusOf('debugfs', '-R', `rdump / ${join(folder, 'content')}`, file);
    if (dumped !== 0) return [{ kind: 'file system', detail: `debugfs ended with ${dumped}` }];
    return await checkState(dataDir, promised);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function statusOf(program: string, ...words: readonly string[]): number | null {
  const { status, error } = spawnSync(program, words, { stdio: 'ignore' });
  if (error) throw error;
  return status;
}
