import { AgentError } from '../errors.ts';
import type { StoreCounts } from '../ports.ts';
import type { ProgrammeStatus } from '../programme-commands.ts';
import { cloudSettingsHash } from './night-ports.ts';
import type { ProgrammeParts } from './programme.ts';
import type { ProgrammeRecords } from './programme-records.ts';

const none: StoreCounts = {
  records: 0,
  sizeBytes: 0,
  oldestWallMs: null,
  evicted: 0,
  unreadable: 0,
};

export function statusOf(parts: ProgrammeParts): ProgrammeStatus {
  const { consent, records, recorder, memory, night } = parts;
  const { consent: state, sent, orders } = consent.programme();
  const covered = consent.coverage();
  const { counts, fault } = countsOf(records);
  const { lastStored, stopped, distrusted } = memory.upload.read();
  const isHeld = distrusted?.settings === cloudSettingsHash(parts.place);
  const grant = state.state === 'granted' ? state : null;
  return {
    state: state.state,
    sinceMs:
      state.state === 'granted'
        ? state.since.wallMs
        : state.state === 'withdrawn'
          ? state.at.wallMs
          : null,
    by: state.state === 'never-asked' ? null : state.by,
    policyVersion: grant?.policyVersion ?? null,
    region: grant?.region ?? null,
    notCovered: covered.kind === 'covered' ? null : covered.why,
    records: {
      waiting: counts.records,
      sizeBytes: counts.sizeBytes,
      oldestMs: counts.oldestWallMs,
      evicted: counts.evicted,
      dropped: recorder.dropped + counts.unreadable,
      fault,
    },
    upload: {
      lastMs: lastStored?.wallMs ?? null,
      nextMs: night.nextMs(),
      lastOutcome: outcomeOf(night.last) ?? stopped?.why ?? null,
      distrusted: isHeld ? (distrusted?.why ?? null) : null,
    },
    sent: {
      batches: sent.length,
      goneByMs: sent.length === 0 ? null : Math.max(...sent.map(({ expiresAtMs }) => expiresAtMs)),
    },
    orders: orders.map(({ requestedAtMs, tries, lastTriedOn }) => ({
      requestedMs: requestedAtMs,
      tries,
      lastTriedOn,
    })),
  };
}

/** Who asks what was agreed to is told that, whatever has become of the store. */
function countsOf(records: ProgrammeRecords): { counts: StoreCounts; fault: string | null } {
  try {
    return { counts: records.counts() ?? none, fault: null };
  } catch (fault) {
    if (!(fault instanceof AgentError)) throw fault;
    return { counts: none, fault: fault.code };
  }
}

function outcomeOf(last: ProgrammeParts['night']['last']): string | null {
  if (last === null) return null;
  if (last.kind === 'failed') return last.code;
  return last.kind === 'stopped' ? last.why : last.kind;
}
