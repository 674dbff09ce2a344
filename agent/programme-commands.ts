/**
 * What people may ask of the improvement programme, whoever asks and wherever it runs: in the agent at work, behind
 * its control socket (programme-handlers.ts, programme-remote.ts), or, where no agent runs, in the process of the
 * command itself. Types only.
 */
import type { Actor, NotCovered } from './consent/consent.ts';

export type ProgrammeCommands = {
  /**
   * The same grant again changes nothing and says so.
   * @throws CONSENT_REFUSED DO_NOT_TRACK REGION_MISSING CLOCK_UNTRUSTED VOLUME_VOLATILE STORE_…
   */
  on(order: OnOrder): Promise<OnResult>;
  /** Resolves when everything is gone, or when it is known what is not. @throws STORE_…: nothing was decided */
  off(order: OffOrder): Promise<OffResult>;
  status(): Promise<ProgrammeStatus>;
  /** Exactly the bytes that the next batch would send; none: nothing would be sent. */
  preview(order: PreviewOrder, write: Write): Promise<Streamed>;
  /** The ledger, a line of JSON an entry, oldest first. */
  history(write: Write): Promise<Streamed>;
  /** Every record there is, a line of JSON each. */
  export(order: ExportOrder, write: Write): Promise<Streamed>;
  /** A store that was caught lying may be tried once more: somebody has checked it. */
  trustStore(): Promise<TrustResult>;
  /** @throws LEDGER_BROKEN RECEIPT_INVALID */
  verify(order: VerifyOrder): Promise<Verified>;
};

/** Takes the next piece; resolves when there is room for another. The bytes are the taker's until then. */
export type Write = (bytes: Uint8Array) => Promise<void>;

export type OnOrder = {
  readonly acceptPolicy: string;
  readonly by: Actor;
  readonly allowVolatile: boolean;
};

export type OnResult = {
  readonly kind: 'granted' | 'already-granted';
  readonly policyVersion: string;
  readonly region: string;
  readonly sinceMs: number;
};

export type OffOrder = {
  readonly by: Actor;
  /** Also order the cloud to erase what was sent. */
  readonly eraseCloud: boolean;
  /** Search the raw files afterwards for pieces of what was in them. */
  readonly verify: boolean;
};

export type OffResult = {
  readonly kind: 'erased' | 'incomplete';
  /** The signed receipt, as it was stored. */
  readonly receipt: string;
  /** Null: it could not be stored. */
  readonly receiptFile: string | null;
  readonly records: number;
  readonly sizeBytes: number;
  /** In their order. */
  readonly steps: readonly ErasureStep[];
  /** One sentence: what an erasure means on this file system. */
  readonly guarantee: string;
  /** To the cloud, not confirmed yet. */
  readonly ordersPending: number;
  /** When the last of what was sent is gone from the bucket; null: nothing was sent, or all of it is gone. */
  readonly sentGoneByMs: number | null;
  /** Null: not asked for. */
  readonly search: MarkerSearchResult | null;
};

export type ErasureStep = {
  readonly step: string;
  readonly result: 'done' | 'nothing-there' | 'busy' | 'failed';
  /** Why it failed: a code of errors.ts. */
  readonly code: string | null;
};

export type MarkerSearchResult = {
  readonly files: number;
  readonly found: readonly { readonly file: string; readonly count: number }[];
};

export type ProgrammeStatus = {
  readonly state: 'never-asked' | 'granted' | 'withdrawn';
  /** Of the grant or the withdrawal; null: there was none. */
  readonly sinceMs: number | null;
  readonly by: Actor | null;
  /** Of the grant. */
  readonly policyVersion: string | null;
  readonly region: string | null;
  /** Null: a record may exist. */
  readonly notCovered: NotCovered | null;
  readonly records: {
    readonly waiting: number;
    readonly sizeBytes: number;
    readonly oldestMs: number | null;
    /** Gave way to newer ones under the caps. */
    readonly evicted: number;
    /** Since the agent started: the recorder could not keep up, or the store did not take them. */
    readonly dropped: number;
    /** A code: the store cannot be read just now, and the counts are 0. Null: it can. */
    readonly fault: string | null;
  };
  readonly upload: {
    readonly lastMs: number | null;
    readonly nextMs: number | null;
    /** How the last one ended, a word of a closed list. */
    readonly lastOutcome: string | null;
    /** What the store did not do: it gets nothing more until `trustStore`, or other settings. Null: nothing. */
    readonly distrusted: string | null;
  };
  /** Objects that may still be in the bucket. */
  readonly sent: { readonly batches: number; readonly goneByMs: number | null };
  readonly orders: readonly {
    readonly requestedMs: number;
    readonly tries: number;
    readonly lastTriedOn: string | null;
  }[];
};

export type TrustResult = { readonly kind: 'trusted-again' | 'nothing-held' };

export type PreviewOrder = { readonly by: Actor; readonly gzip: boolean };
export type ExportOrder = { readonly by: Actor };

/** Records or entries, and the bytes that were handed to `write`. */
export type Streamed = { readonly lines: number; readonly sizeBytes: number };

/** `receipt`: the text of a file; null: the ledger alone. */
export type VerifyOrder = { readonly receipt: string | null };

export type Verified = {
  readonly ledgerEntries: number;
  readonly ledgerHead: string;
  readonly receipt: { readonly epoch: number; readonly finishedMs: number } | null;
};
