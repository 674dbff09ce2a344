import { layoutOf } from '../io/process/environment.ts';
import { expireReceipts } from '../io/programme/receipt-file.ts';
import type { Clock, Collected } from '../ports.ts';
import { isExpired, retention, sweepEveryMs } from '../rights/retention.ts';
import type { Ledger } from '../ueip/ledger.ts';
import { dayMs } from '../ueip/month.ts';
import { ttlDaysNow } from '../upload/delivery.ts';
import type { Outbox } from '../upload/pass.ts';
import type { ConsentState } from './consent-state.ts';
import type { ProgrammeRecords } from './programme-records.ts';
import type { ProgrammeTime } from './programme-time.ts';

export type SweptParts = {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly consent: ConsentState;
  readonly time: ProgrammeTime;
  readonly records: ProgrammeRecords;
  readonly outbox: Outbox;
  readonly ledger: Ledger;
};

/**
 * Takes away everything whose time is over, by the table of rights/retention.ts: at the first call, every hour, and
 * at once when the clock is believed for the first time.
 */
export function createSweeping(parts: SweptParts): { work(): void } {
  const { clock, time } = parts;
  let sweptMs = Number.NEGATIVE_INFINITY;
  let wasTrusted = false;

  function isDue(): boolean {
    if (clock.monotonicMs() - sweptMs >= sweepEveryMs) return true;
    return !wasTrusted && time.moment().clockTrusted;
  }
  return {
    work() {
      if (!isDue()) return;
      sweptMs = clock.monotonicMs();
      wasTrusted ||= time.moment().clockTrusted;
      for (const each of sweeps) attempt(() => each(parts));
    },
  };
}

/** Read-only, locked or full: the next sweep tries anew, and holds up none of the others. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // What is too old is not sent either way.
  }
}

const sweeps = [sweepRecords, sweepOutbox, sweepSent, sweepLedger, sweepReceipts];

function sweepRecords({ records, time }: SweptParts): void {
  if (records.counts() === null) return;
  const now = time.now();
  const store = records.store();
  store.purge((collected) => isExpired(collected, now));
  store.runDays.write(now.runDay);
}

/**
 * What no bucket may keep for even a day any more. If it may lie there already, its records go with it: some of them
 * could still go into another batch, and nothing is sent twice.
 */
function sweepOutbox({ consent, outbox, records, time }: SweptParts): void {
  if (records.counts() === null) return;
  const atMs = latestOf(time.now());
  for (const batch of outbox.waiting()) {
    if (ttlDaysNow(batch, atMs) > 0) continue;
    const { sent } = consent.programme();
    if (sent.some(({ batchId }) => batchId === batch.id)) records.store().forget(batch.ids);
    outbox.remove(batch.id);
  }
}

/** The count of days is a date that is never later than the truth. */
function latestOf({ wallMs, clockTrusted, runDay }: Collected): number {
  const countedMs = runDay * dayMs;
  return clockTrusted ? Math.max(wallMs, countedMs) : countedMs;
}

function sweepSent({ consent, time }: SweptParts): void {
  const { wallMs, clockTrusted } = time.moment();
  if (clockTrusted) consent.decide({ kind: 'expire', wallMs });
}

function sweepLedger({ ledger, time }: SweptParts): void {
  if (time.moment().clockTrusted) ledger.expire(true);
}

function sweepReceipts({ dataDir, time }: SweptParts): void {
  const { wallMs, clockTrusted } = time.moment();
  if (!clockTrusted) return;
  expireReceipts(layoutOf(dataDir).receipts, wallMs - retention.receipts.limit.days * dayMs);
}
