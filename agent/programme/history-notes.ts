import type { Clock } from '../ports.ts';
import type { Ledger } from '../ueip/ledger.ts';
import type { ConsentState } from './consent-state.ts';

/** What the history is told besides what those tell it who act: each once. */
export type HistoryNotes = {
  /** The present grant, if it is not in there yet: a crash may have come between. @throws STORE_… */
  granted(): void;
  /** For a timer: that a new notice has stopped the recording, once for each grant. @throws STORE_… */
  paused(): void;
  /** Somebody who must not has tried to speak to the agent; a line, where there is a history, and not more than one an hour. */
  refused(uid: number | null): void;
};

export function createHistoryNotes(
  ledger: Ledger,
  consent: ConsentState,
  clock: Clock,
): HistoryNotes {
  /** Of the grant whose pause is in there. */
  let pausedEpoch: number | undefined;
  let refusedMs = Number.NEGATIVE_INFINITY;

  return {
    granted() {
      const { consent: state, epoch } = consent.programme();
      if (state.state !== 'granted') return;
      const isTold = ledger
        .entries()
        .some((entry) => entry.what === 'granted' && entry.epoch === epoch);
      if (isTold) return;
      const { by, policyVersion, textSha256, region } = state;
      const who = { actor: by.name, channel: by.channel };
      ledger.append([{ what: 'granted', ...who, epoch, policyVersion, textSha256, region }]);
    },
    paused() {
      const { consent: state, epoch } = consent.programme();
      if (state.state !== 'granted' || pausedEpoch === epoch) return;
      const covered = consent.coverage();
      if (covered.kind === 'covered' || covered.why !== 'policy-outdated') return;
      // None can be read now: that is no new notice.
      if (consent.circumstances().policies.length === 0) return;
      const entries = ledger.entries();
      const grantedAt = entries.findLastIndex(({ what }) => what === 'granted');
      const isTold = entries.slice(grantedAt + 1).some(({ what }) => what === 'policy-paused');
      const { policyVersion } = state;
      if (!isTold) ledger.append([{ what: 'policy-paused', policyVersion }]);
      pausedEpoch = epoch;
    },
    refused(uid) {
      const nowMs = clock.monotonicMs();
      if (nowMs - refusedMs < refusedEveryMs || ledger.head() === undefined) return;
      refusedMs = nowMs;
      const who = { actor: 'unknown', channel: 'host' } as const;
      ledger.append([{ what: 'refused', ...who, command: 'connect', uid }]);
    },
  };
}

/** Whoever knocks all day must not fill the flash. */
const refusedEveryMs = 3_600_000;
