import {
  type Circumstances,
  type Coverage,
  coverage,
  type Decided,
  maySend,
  type Programme,
  type ProgrammeEvent,
} from '../consent/consent.ts';
import type { Collected, RecordStore } from '../ports.ts';
import type { ToLocalTime } from '../ueip/attempt.ts';
import type { SealedBatch, Sealing } from '../ueip/batch.ts';
import type { LedgerEvent } from '../ueip/ledger-events.ts';
import type { RandomBytes } from '../ueip/random.ts';
import { backoffMs, mostTries } from './backoff.ts';
import { maySendBy } from './clock-trust.ts';
import type { Call, CloudPort, NoReply, RequestFacts } from './cloud-port.ts';
import type { GrantRules } from './grant.ts';
import { limitedCall } from './limited-call.ts';
import type { NightWatch } from './night-watch.ts';
import type { Outcome, StopReason } from './outcome.ts';
import { pause, type Timers } from './timers.ts';
import { counted, type UploadMemory } from './upload-memory.ts';
import type { WatchedClock } from './watched-clock.ts';
import type { NightWindow } from './window.ts';

/**
 * What a night's pass works with. What must not happen (the disk is full) comes as an AgentError out of these
 * and ends the pass; the next one goes on with what is durable.
 */
export type UploadPorts = {
  readonly cloud: CloudPort;
  readonly consent: {
    /** Asked anew before every step. */
    programme(): Programme;
    circumstances(): Circumstances;
    /** What it decides is durable when it returns. */
    decide(event: ProgrammeEvent): Decided;
  };
  readonly records: Pick<RecordStore, 'oldest' | 'forget' | 'counts'>;
  readonly outbox: Outbox;
  readonly memory: {
    read(): UploadMemory;
    /** Durable when it returns. */
    write(memory: UploadMemory): void;
  };
  readonly ledger: {
    append(event: LedgerEvent): void;
    /** Whether the cloud took an order of erasure on that local date. */
    erasureConfirmedOn(localDate: string): boolean;
    /** Of an object key, in hex; salted, because keys can be guessed. */
    hashOfKey(objectKey: string): string;
  };
  readonly clock: WatchedClock;
  readonly toLocalTime: ToLocalTime;
  /** Days counted by the device itself, brought up to this moment. */
  readonly runDay: () => number;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly sealing: Pick<Sealing, 'compress' | 'sha256' | 'md5'>;
  readonly rules: GrantRules;
  /** What the settings say of where records go, as a hash: a store that was distrusted under others is another. */
  readonly settings: () => string;
  /** No new batch is begun in a night in which this much has travelled; the rest waits for the next. */
  readonly maxNightBytes: number;
};

/** The exact bytes that travel, from before their first journey until the receipt. */
export type Outbox = {
  /** Oldest first. One that cannot be read back whole is not among them: it was erased, its records are there. */
  waiting(): readonly WaitingBatch[];
  /** Durable when it returns. The same batch again changes nothing. */
  add(batch: WaitingBatch): void;
  /** Overwritten on disk. One that is not there is no fault. */
  remove(batchId: string): void;
};

export type WaitingBatch = Omit<SealedBatch, 'plain' | 'purpose'>;

/** One pass under way. */
export type Pass = {
  readonly ports: UploadPorts;
  readonly window: NightWindow;
  readonly watch: NightWatch;
  /** Of whoever withdraws the consent or stops the agent. */
  readonly outer: AbortSignal;
  readonly tally: { batches: number; rows: number; sizeBytes: number; tries: number };
  /** What the ledger could not take; nothing more is sent without it. */
  readonly ledgerFaults: unknown[];
  /** Most bytes of one object; less after a store refused so many. */
  maxBytes: number;
};

/** Why nothing may leave at this moment; undefined: it may. `batch`: this one in particular. */
export function hindrance(
  pass: Pass,
  batch?: { readonly epoch: number; readonly policyVersion: string },
): StopReason | undefined {
  const { consent, clock } = pass.ports;
  if (pass.outer.aborted) return 'aborted';
  const [ledgerFault] = pass.ledgerFaults;
  if (ledgerFault !== undefined) throw ledgerFault;
  const [programme, circumstances] = [consent.programme(), consent.circumstances()];
  const covered = batch
    ? maySend(programme, circumstances, batch)
    : coverage(programme, circumstances);
  if (covered.kind === 'not-covered') return 'not-covered';
  if (!maySendBy(clock.judge().standing)) return 'clock-untrusted';
  return pass.watch.isOpen() ? undefined : 'window-closed';
}

export function covering({ ports: { consent } }: Pass): Coverage {
  return coverage(consent.programme(), consent.circumstances());
}

/**
 * Changes what is remembered, durably. Not once the consent is gone: what it lies in is being erased then, and
 * must not come back.
 */
export function remember(pass: Pass, change: (memory: UploadMemory) => UploadMemory): void {
  if (pass.outer.aborted || covering(pass).kind === 'not-covered') return;
  const { memory } = pass.ports;
  memory.write(change(memory.read()));
}

/** When it is, and whether that is to be believed. */
export function collectedNow({ ports: { clock, runDay } }: Pass): Collected {
  const { wallMs, standing } = clock.judge();
  return { wallMs, clockTrusted: maySendBy(standing), runDay: runDay() };
}

export function wallNow(pass: Pass): number {
  return pass.ports.clock.judge().wallMs;
}

/** One call, within its time, told to the ledger. */
export function callCloud<T>(
  pass: Pass,
  make: (cloud: CloudPort, call: Call) => Promise<T>,
): Promise<T | NoReply> {
  const { cloud, timers, ledger } = pass.ports;
  const onRequest = (request: RequestFacts) => {
    try {
      ledger.append(ledgerEventOf(request, ledger.hashOfKey));
    } catch (fault) {
      // Not thrown into the adapter, which has bytes in flight.
      pass.ledgerFaults.push(fault);
    }
  };
  const { signal } = pass.watch;
  return limitedCall((call) => make(cloud, call), { signal, timers, onRequest });
}

/** Waits as long as a passing trouble asks for. Says why not, if tonight there is no sense in it. */
export async function waitToRetry(
  pass: Pass,
  trouble: Trouble,
  triesSoFar: number,
): Promise<StopReason | undefined> {
  const { timers, random } = pass.ports;
  const { localDate, endMs } = pass.window;
  const isAbsent = trouble.kind === 'link-absent';
  const delayMs = backoffMs(triesSoFar, isAbsent ? 0 : trouble.afterMs, random);
  const wallMs = wallNow(pass) + delayMs;
  remember(pass, (memory) => ({
    ...counted(memory, isAbsent ? trouble.kind : trouble.why),
    notBefore: { localDate, wallMs },
  }));
  if (triesSoFar >= mostTries) return isAbsent ? 'link-absent' : 'tried-enough';
  if (wallMs >= endMs) return 'window-closed';
  await pause(timers, delayMs, pass.watch.signal);
  return undefined;
}

export type Trouble = Extract<Outcome, { kind: 'retry' | 'link-absent' }>;

export function isTrouble(outcome: Outcome): outcome is Trouble {
  return outcome.kind === 'retry' || outcome.kind === 'link-absent';
}

function ledgerEventOf(
  { method, host, objectKey, bodySha256, sizeBytes, status }: RequestFacts,
  hashOfKey: (objectKey: string) => string,
): LedgerEvent {
  const objectKeyHash = objectKey === null ? null : hashOfKey(objectKey);
  return { what: 'request', method, host, objectKeyHash, bodySha256, bytes: sizeBytes, status };
}
