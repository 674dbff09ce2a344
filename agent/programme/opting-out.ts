import { AgentError } from '../errors.ts';
import { type Markers, searchMarkers, takeMarkers } from '../io/files/marker-search.ts';
import { erasureSentence } from '../io/files/volume.ts';
import { randomId } from '../io/process/chance.ts';
import { layoutOf } from '../io/process/environment.ts';
import type { OffOrder, OffResult } from '../programme-commands.ts';
import { receiptText } from '../rights/receipt.ts';
import type { Erasure, ErasureDecision } from '../rights/withdraw.ts';
import type { ProgrammeParts } from './programme.ts';

/**
 * @throws STORE_…: the medium does not take the decision, and nothing is erased; nothing is recorded or sent any
 * more all the same, until the agent is started again
 */
export async function optOut(parts: ProgrammeParts, order: OffOrder): Promise<OffResult> {
  const { consent, erasing } = parts;
  openIfPossible(parts);
  const markers = order.verify ? findable(() => markersOf(parts)) : undefined;
  try {
    const outcome = await erasing.withdraw(() => decided(parts, order));
    if (outcome.kind === 'not-decided') throw outcome.error;
    noteOrder(parts, order);
    const { sent, orders } = consent.programme();
    return {
      ...toldOf(outcome),
      receiptFile: parts.lastReceiptFile(),
      guarantee: erasureSentence(outcome.receipt.fileSystem),
      ordersPending: orders.length,
      sentGoneByMs:
        sent.length === 0 ? null : Math.max(...sent.map(({ expiresAtMs }) => expiresAtMs)),
      search: markers === undefined ? null : searched(parts, outcome, markers),
    };
  } finally {
    if (!(markers instanceof AgentError)) markers?.wipe();
  }
}

/** What keeps the search from being made must not keep the erasure from it. */
function findable(take: () => Markers): Markers | AgentError {
  try {
    return take();
  } catch (fault) {
    return fault instanceof AgentError
      ? fault
      : new AgentError('INTERNAL', 'the files cannot be searched', { cause: fault });
  }
}

/** @throws what kept the files from being searched, before or after their erasure */
function searched(
  { place }: ProgrammeParts,
  { kind }: Erasure,
  markers: Markers | AgentError,
): OffResult['search'] {
  if (markers instanceof AgentError) {
    // What could not be erased is the more important news.
    if (kind === 'incomplete') return null;
    const { code, message } = markers;
    throw new AgentError(code, `all is erased, but could not be searched for: ${message}`);
  }
  const { files, found } = searchMarkers(place.dataDir, markers);
  return { files, found: found.map(({ file, count }) => ({ file, count })) };
}

/** So that the rows are counted and deleted one by one too; where it cannot be opened, its files go as they lie. */
function openIfPossible({ records }: ProgrammeParts): void {
  try {
    records.counts();
  } catch {
    // Damaged, locked, its key gone.
  }
}

/** Decided once more it is the same withdrawal, and the history has it once; it erases what may lie there. */
function decided(
  { consent, time, outside }: ProgrammeParts,
  { by, eraseCloud }: OffOrder,
): ErasureDecision {
  const at = { wallMs: time.moment().wallMs, monotonicMs: outside.clock.monotonicMs() };
  consent.decide({ kind: 'withdraw', by, at, eraseCloud: eraseCloud ? randomId : null });
  const { epoch, consent: state } = consent.programme();
  if (state.state !== 'withdrawn') throw new AgentError('INTERNAL', 'the withdrawal was not taken');
  return { epoch, decidedAt: state.at, withdrawal: { by: state.by, eraseCloud } };
}

/** Best effort, as every proof: what was decided holds without it. */
function noteOrder({ consent, ledger }: ProgrammeParts, { by, eraseCloud }: OffOrder): void {
  const { orders } = consent.programme();
  if (!eraseCloud || orders.length === 0) return;
  const objects = orders.reduce((sum, { objectKeys }) => sum + objectKeys.length, 0);
  try {
    ledger.append([{ what: 'erasure-ordered', actor: by.name, channel: by.channel, objects }]);
  } catch {
    // The status shows the orders.
  }
}

function markersOf({ place, consent }: ProgrammeParts): Markers {
  const layout = layoutOf(place.dataDir);
  const { consent: state, sent } = consent.programme();
  // The cloud knows what was sent by it: until that has expired, the device must know it too.
  const isSought = state.state === 'granted' && sent.length === 0;
  const texts: Record<string, string> = isSought ? { 'consent id': state.consentId } : {};
  const { ueip, epochKey, recordsRoom } = layout;
  return takeMarkers({ folder: ueip, secrets: [epochKey], noise: [recordsRoom], texts });
}

function toldOf({ kind, receipt }: Erasure) {
  return {
    kind,
    receipt: receiptText(receipt),
    records: receipt.rows,
    sizeBytes: receipt.bytes,
    steps: receipt.steps.map(({ step, result, code = null }) => ({ step, result, code })),
  };
}
