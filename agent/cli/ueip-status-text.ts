import type { NotCovered } from '../consent/consent.ts';
import { textTable } from '../io/measuring/text-table.ts';
import type { ProgrammeStatus } from '../programme-commands.ts';
import { bytesText, minute } from './ueip-values-text.ts';

/** For a person: two columns, and why nothing is recorded where nothing is. */
export function statusText(status: ProgrammeStatus, isAgent: boolean): string {
  const { records, upload, sent, orders } = status;
  const rows = [
    ['state', stateText(status)],
    ...(status.policyVersion === null ? [] : [['policy', status.policyVersion]]),
    ...(status.region === null ? [] : [['region', status.region]]),
    ['recording', recordingText(status, isAgent)],
    ['waiting', waitingText(records)],
    ...(records.evicted === 0 ? [] : [['gave way', `${records.evicted}: the store was full`]]),
    ...(records.dropped === 0 ? [] : [['dropped', `${records.dropped} since the agent started`]]),
    ['last upload', lastText(upload)],
    ['next upload', nextText(status)],
    ...(sent.batches === 0 ? [] : [['sent', sentText(sent)]]),
    ...orders.map((order) => ['erasure', orderText(order, upload.nextMs)]),
  ];
  return textTable(rows, 2);
}

function stateText({ state, sinceMs, by }: ProgrammeStatus): string {
  const word = { 'never-asked': 'off: nobody was asked yet', granted: 'on', withdrawn: 'off' }[
    state
  ];
  const since = sinceMs === null ? '' : ` since ${minute(sinceMs)}`;
  return `${word}${since}${by === null ? '' : `, by ${by.name} (${by.channel})`}`;
}

function recordingText({ notCovered }: ProgrammeStatus, isAgent: boolean): string {
  if (notCovered !== null) return `no: ${reasons[notCovered]}`;
  return isAgent ? 'yes' : 'no: the agent is not running';
}

/** Each as the rest of a sentence that begins with "nothing is recorded". */
const reasons: Readonly<Record<NotCovered, string>> = {
  'never-asked': 'nobody has agreed',
  withdrawn: 'it was stopped',
  'wipe-due': 'an erasure has not ended yet',
  'policy-outdated': 'a newer policy wants to be agreed to (`doorkeep ueip policy show`)',
  'region-changed': 'cloud.region is not the region that was agreed to',
  'do-not-track': 'DO_NOT_TRACK is set',
};

function waitingText({ waiting, sizeBytes, oldestMs, fault }: ProgrammeStatus['records']): string {
  if (fault !== null) return `unknown: the records cannot be read (${fault})`;
  if (waiting === 0) return 'no records';
  const since = oldestMs === null ? '' : `, the oldest of ${minute(oldestMs)}`;
  return `${waiting} records, ${bytesText(sizeBytes)}${since}`;
}

function lastText({ lastMs, lastOutcome }: ProgrammeStatus['upload']): string {
  if (lastMs !== null) return `${minute(lastMs)}${lastOutcome === null ? '' : `: ${lastOutcome}`}`;
  // A night that came to its end without anything to send is none, or it was one of a grant that is over.
  const isReason = lastOutcome !== null && !ends.includes(lastOutcome);
  return isReason ? `none: ${lastOutcome}` : 'none';
}

const ends = ['complete', 'nothing-to-send', 'already-done', 'not-covered', 'aborted'];

/** Where nothing is granted, only orders of erasure are left to send. */
function nextText({ state, upload: { nextMs, distrusted } }: ProgrammeStatus): string {
  if (state !== 'granted') return 'none';
  if (distrusted !== null) {
    return `none: the store did not keep its word (${distrusted}); \`doorkeep cloud check\` tries it again`;
  }
  return nextMs === null ? 'none' : minute(nextMs);
}

/** Known until they expire there, also those that the cloud says it has erased sooner. */
function sentText({ batches, goneByMs }: ProgrammeStatus['sent']): string {
  const gone =
    goneByMs === null ? '' : `, gone from the cloud by ${minute(goneByMs)} at the latest`;
  return `${batches} ${batches === 1 ? 'batch' : 'batches'}${gone}`;
}

function orderText(
  { requestedMs, tries, lastTriedOn }: ProgrammeStatus['orders'][number],
  nextMs: number | null,
): string {
  const tried = lastTriedOn === null ? 'not tried yet' : `${tries} tries, last on ${lastTriedOn}`;
  const next = nextMs === null ? '' : `; next ${minute(nextMs)}`;
  return `ordered ${minute(requestedMs)}, not confirmed: ${tried}${next}`;
}
