import type { DoneReport } from './cloud-port.ts';
import type { NightMark } from './once-a-night.ts';
import type { RetryReason, StopReason } from './outcome.ts';
import type { StoreLie } from './stored-check.ts';

/** What the uploader must not forget over a restart. Lies with the records, and goes with them. */
export type UploadMemory = {
  /** The last night in which everything was sent, or there was nothing to send. */
  readonly lastPass: NightMark | null;
  /** The last night that ended before its time. */
  readonly stopped: { readonly localDate: string; readonly why: StopReason } | null;
  /** The other side wants to be left alone until then, in that night. */
  readonly notBefore: { readonly localDate: string; readonly wallMs: number } | null;
  /** Ids of batches that a store has answered for, but not as promised: only another witness settles them. */
  readonly unverified: readonly string[];
  /** The store that these settings lead to took an object and did not answer for it: it gets nothing more. */
  readonly distrusted: { readonly why: StoreLie; readonly settings: string } | null;
  /** Of the objects that are there; the cloud has not taken the reports yet. */
  readonly dones: readonly DoneReport[];
  /** How often which of the closed lists has happened. */
  readonly counts: Readonly<Partial<Record<Counted, number>>>;
  /** For the status. */
  readonly lastStored: {
    readonly wallMs: number;
    readonly rows: number;
    readonly sizeBytes: number;
  } | null;
};

export const emptyUploadMemory: UploadMemory = {
  lastPass: null,
  stopped: null,
  notBefore: null,
  unverified: [],
  distrusted: null,
  dones: [],
  counts: {},
  lastStored: null,
};

/** A report is worth a month of nights. */
export const mostDones = 31;

/** 'abandoned': a batch of which nobody knows whether it arrived, and whose month ended before it was known. */
export type Counted = StopReason | RetryReason | 'abandoned';

export function counted(memory: UploadMemory, why: Counted): UploadMemory {
  return { ...memory, counts: { ...memory.counts, [why]: (memory.counts[why] ?? 0) + 1 } };
}
