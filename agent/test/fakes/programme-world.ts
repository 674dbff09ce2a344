import { agreementOf, copyToWriteFirst } from '../../consent/agreement.ts';
import {
  type Circumstances,
  coverage,
  maySend,
  neverAsked,
  type Programme,
} from '../../consent/consent.ts';
import { decide } from '../../consent/decide.ts';

/**
 * A device, its cloud and the people around it, as small as they can be without losing what can go wrong. What is
 * explored is the engine's own reducer and reading rule; the world around them says what is done in which
 * order, as data, so that a mutant can do it otherwise.
 */
export type World = {
  // On the medium.
  readonly disk: readonly [Programme | undefined, Programme | undefined];
  /** Epoch of the key that is there; 0: none. */
  readonly key: number;
  /** Epochs of the records that are there. Each epoch has one record at most: it stands for all. */
  readonly rows: readonly Row[];
  readonly outbox: Batch | undefined;

  // In memory; all of it goes with a crash.
  /** Undefined: the process is down. */
  readonly memory: Programme | undefined;
  readonly isListening: boolean;
  /** Waits in memory to become a record. */
  readonly held: Row | undefined;
  readonly flight: Flight | undefined;
  readonly saving: Saving | undefined;
  readonly chore: Chore | undefined;

  // Outside.
  /** Left the device, not yet at rest in the cloud. */
  readonly wire: Batch | undefined;
  readonly cloud: readonly Batch[];
  /** Consent ids that the cloud was asked to erase: what arrives under them later is dropped. */
  readonly erased: readonly string[];
  readonly policy: 0 | 1 | 2;
  readonly region: 'a' | 'b';
  readonly day: number;

  // What is true whatever the device believes: kept by the world, read by the invariants.
  readonly truth: Truth;
  readonly used: {
    readonly grants: number;
    readonly offs: number;
    readonly orders: number;
    readonly crashes: number;
  };
};

export type Row = { readonly epoch: number; readonly policy: string };

export type Batch = Row & {
  readonly id: string;
  readonly consentId: string;
  readonly region: string;
  readonly expiresOn: number;
};

export type Flight = {
  readonly batch: Batch;
  readonly phase: 'ready' | 'under way';
  readonly begunUnder: Programme;
};

export type Saving = {
  readonly programme: Programme;
  readonly first: 0 | 1;
  readonly done: 0 | 1;
  readonly then: 'granted' | 'next step' | 'fly' | 'forget' | 'ask' | 'promised' | 'nothing';
  readonly about: string;
};

export type Chore = { readonly steps: readonly Step[]; readonly at: number };

export type Step =
  | 'decide'
  | 'decide, and order erasure'
  | 'recorder off'
  | 'abort'
  | 'destroy key'
  | 'delete rows'
  | 'erase outbox'
  | 'finish'
  | 'tell';

export type Truth = {
  /** By the writings that were completed, or begun where they take something away. */
  readonly consent:
    | { readonly state: 'none' }
    | {
        readonly state: 'granted';
        readonly id: string;
        readonly epoch: number;
        readonly policyVersion: string;
        readonly region: string;
      };
  readonly told: 'nothing' | 'granted' | 'left';
  /** Consent ids whose erasure a person was told to be ordered, or that will be once the decision is whole. */
  readonly promised: readonly string[];
  /** Ids of the orders that were passed on today. */
  readonly askedToday: readonly string[];
  /** Epochs whose record was made: at most one each. */
  readonly recorded: readonly number[];
  /** Epochs whose record came to rest in the cloud at some time. */
  readonly delivered: readonly number[];
  /** What went wrong in a step, rather than in a state. */
  readonly fault: string | undefined;
};

/** How often things may happen, so that there is an end. */
export type Limits = {
  readonly grants: number;
  readonly offs: number;
  /** Of erasures in the cloud, after an opt-out. */
  readonly orders: number;
  readonly crashes: number;
  readonly days: number;
  readonly policy: 0 | 1 | 2;
  readonly regions: 1 | 2;
};

/** What the device does, and in which order: a mutant is one with a part exchanged. */
export type Device = {
  readonly decide: typeof decide;
  readonly coverage: typeof coverage;
  readonly maySend: typeof maySend;
  readonly agreementOf: typeof agreementOf;
  readonly copyToWriteFirst: typeof copyToWriteFirst;
  /** After the decision, which is 'decide' or 'decide, and order erasure'. */
  readonly optOut: readonly ('decision' | Step)[];
  readonly recovery: readonly Step[];
  readonly recoversAtBoot: boolean;
  readonly marksBeforeFirstByte: boolean;
  readonly asksBeforeStoring: boolean;
  readonly asksBeforeFirstByte: boolean;
  readonly keepsUntilReceipt: boolean;
  readonly keepsBytesForRetry: boolean;
  readonly decidesOn: 'what was written last' | 'what it remembers';
  readonly consentIdOf: (grant: number) => string;
  readonly batchIdOf: (epoch: number, day: number) => string;
};

const erasing: readonly Step[] = [
  'recorder off',
  'abort',
  'destroy key',
  'delete rows',
  'erase outbox',
  'finish',
];

export const trueDevice: Device = {
  decide,
  coverage,
  maySend,
  agreementOf,
  copyToWriteFirst,
  optOut: ['decision', ...erasing, 'tell'],
  recovery: erasing,
  recoversAtBoot: true,
  marksBeforeFirstByte: true,
  asksBeforeStoring: true,
  asksBeforeFirstByte: true,
  keepsUntilReceipt: true,
  keepsBytesForRetry: true,
  decidesOn: 'what was written last',
  consentIdOf: (grant) => `id${grant}`,
  batchIdOf: (epoch) => `batch of ${epoch}`,
};

export const firstWorld: World = {
  disk: [undefined, undefined],
  key: 0,
  rows: [],
  outbox: undefined,
  memory: neverAsked,
  isListening: false,
  held: undefined,
  flight: undefined,
  saving: undefined,
  chore: undefined,
  wire: undefined,
  cloud: [],
  erased: [],
  policy: 0,
  region: 'a',
  day: 0,
  truth: {
    consent: { state: 'none' },
    told: 'nothing',
    promised: [],
    askedToday: [],
    recorded: [],
    delivered: [],
    fault: undefined,
  },
  used: { grants: 0, offs: 0, orders: 0, crashes: 0 },
};

/** The second changes nothing that matters, the third does. */
const policies = [true, false, true].map((material, index) => ({
  version: `v${index + 1}`,
  textSha256: `text ${index + 1}`,
  material,
  effectiveAt: index,
}));

export const policyAt = (index: 0 | 1 | 2) => policies[index];

export function circumstancesIn({ policy, region }: World): Circumstances {
  return { policies, region, doNotTrack: false, wallMs: policy };
}

/** What the device would find, were it to start now. */
export function foundIn(device: Device, world: World): Programme {
  const [first, second] = world.disk;
  const isFresh = first === undefined && second === undefined && !holdsAnything(world);
  return isFresh ? neverAsked : device.agreementOf(first, second).programme;
}

export function holdsAnything({ key, rows, outbox }: World): boolean {
  return key !== 0 || rows.length > 0 || outbox !== undefined;
}
