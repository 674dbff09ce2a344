import type { Policy } from './policy.ts';

/**
 * May we? Everything that the improvement programme must not forget, as one value: the consent, an
 * erasure that is due, what may have been sent, what the cloud was asked to erase. One value, because a
 * decision and what follows from it are written in one go (io/programme/consent-file.ts) or not at all.
 */
export type Programme = {
  /** Of what is written: every change has the next. */
  readonly sequence: number;
  /** How many grants there have been: the number of the present one, or of the last. */
  readonly epoch: number;
  readonly consent: Consent;
  /**
   * Due: everything that lies on the device for the improvement programme has to go before anything else
   * happens. A withdrawal says so, and a grant that takes the place of another, because what was recorded
   * under the old one may be neither kept nor sent under the new one. Until `wiped` nothing is covered, so
   * that it cannot be forgotten; the key of a new epoch is made after it, not before.
   */
  readonly wipe: 'none' | 'due';
  /** Of which a first byte may have left, of every epoch, until it has expired in the bucket. */
  readonly sent: readonly SentBatch[];
  readonly orders: readonly ErasureOrder[];
};

export type Consent =
  | { readonly state: 'never-asked' }
  | ({ readonly state: 'granted' } & Grant)
  /** `by` and `at` are those of the first withdrawal, should there be another. */
  | { readonly state: 'withdrawn'; readonly by: Actor; readonly at: Instant };

export type Grant = {
  readonly policyVersion: string;
  readonly textSha256: string;
  /** Where the data may lie: 'cn-hangzhou', 'eu-central-1'. */
  readonly region: string;
  readonly by: Actor;
  readonly since: Instant;
  /** UUID version 4, new with every grant: all that the cloud ever knows the device by. */
  readonly consentId: string;
};

export type Actor = {
  /** Who decided: 'resident', 'installer', or what the caller says: see `isActorName`. */
  readonly name: string;
  readonly channel: 'cli' | 'page' | 'host';
};

/** 1 to 64 of a-z 0-9 . _ -: no room for a person's name as people write it. */
export function isActorName(name: string): boolean {
  return /^[a-z0-9._-]{1,64}$/.test(name);
}

/** By both clocks, because the wall clock may be wrong and the other one begins anew with every boot. */
export type Instant = { readonly wallMs: number; readonly monotonicMs: number };

export type SentBatch = {
  readonly batchId: string;
  readonly epoch: number;
  readonly consentId: string;
  readonly region: string;
  /** Null: the cloud has not named it yet. */
  readonly objectKey: string | null;
  /** 'maybe': a first byte may have left and no receipt came. */
  readonly state: 'maybe' | 'stored';
  readonly markedAtMs: number;
  /** When the bucket deletes it at the latest; milliseconds since 1970. */
  readonly expiresAtMs: number;
};

export type ErasureOrder = {
  readonly erasureId: string;
  readonly consentId: string;
  /** Of those of its objects that are known; the cloud erases everything of the consent id. */
  readonly objectKeys: readonly string[];
  readonly requestedAtMs: number;
  /** Local date of the last attempt, at most one a day; null: none yet. */
  readonly lastTriedOn: string | null;
  readonly tries: number;
};

export const neverAsked: Programme = {
  sequence: 0,
  epoch: 0,
  consent: { state: 'never-asked' },
  wipe: 'none',
  sent: [],
  orders: [],
};

/** What else decides, besides the consent itself. */
export type Circumstances = {
  /** Every known version, oldest first. */
  readonly policies: readonly Policy[];
  /** Of the settings; null: not set. */
  readonly region: string | null;
  /** DO_NOT_TRACK=1 */
  readonly doNotTrack: boolean;
  /**
   * The wall clock, or the latest moment that a trusted clock has ever shown if that is later: after a boot
   * in 1970 an outdated policy must not be in force again.
   */
  readonly wallMs: number;
};

export type Coverage =
  | { readonly kind: 'covered'; readonly epoch: number; readonly grant: Grant }
  | { readonly kind: 'not-covered'; readonly why: NotCovered };

export type NotCovered =
  | 'never-asked'
  | 'withdrawn'
  | 'wipe-due'
  | 'policy-outdated'
  | 'region-changed'
  | 'do-not-track';

/** Whether a record may exist now, and under which grant. Nothing but this decides it. */
export function coverage(programme: Programme, circumstances: Circumstances): Coverage {
  const { consent } = programme;
  const no = (why: NotCovered): Coverage => ({ kind: 'not-covered', why });
  if (circumstances.doNotTrack) return no('do-not-track');
  if (programme.wipe === 'due') return no('wipe-due');
  if (consent.state !== 'granted') return no(consent.state);
  if (!isInForce(consent, circumstances)) return no('policy-outdated');
  if (consent.region !== circumstances.region) return no('region-changed');
  return { kind: 'covered', epoch: programme.epoch, grant: consent };
}

/** Data of one grant is never sent under another, nor to another region than it was granted for. */
export function maySend(
  programme: Programme,
  circumstances: Circumstances,
  batch: { readonly epoch: number; readonly policyVersion: string },
): Coverage | { readonly kind: 'not-covered'; readonly why: 'other-epoch' | 'other-policy' } {
  const now = coverage(programme, circumstances);
  if (now.kind === 'not-covered') return now;
  if (batch.epoch !== now.epoch) return { kind: 'not-covered', why: 'other-epoch' };
  if (batch.policyVersion !== now.grant.policyVersion) {
    return { kind: 'not-covered', why: 'other-policy' };
  }
  return now;
}

/** The newest version in force; undefined: there is none yet. */
export function policyInForce({
  policies,
  wallMs,
}: Pick<Circumstances, 'policies' | 'wallMs'>): Policy | undefined {
  return policies.findLast(({ effectiveAt }) => effectiveAt <= wallMs);
}

function isInForce(grant: Grant, circumstances: Circumstances): boolean {
  const { policies, wallMs } = circumstances;
  const granted = policies.findIndex(
    ({ version, textSha256 }) => version === grant.policyVersion && textSha256 === grant.textSha256,
  );
  if (granted < 0) return false;
  const since = policies.slice(granted + 1).filter(({ effectiveAt }) => effectiveAt <= wallMs);
  return !since.some(({ material }) => material);
}

/** What happens to a programme; consent/decide.ts says what becomes of it. */
export type ProgrammeEvent =
  | { readonly kind: 'grant'; readonly grant: Grant }
  | {
      readonly kind: 'withdraw';
      readonly by: Actor;
      readonly at: Instant;
      /** Also order the cloud to erase what was sent; null: leave that to its expiry there. */
      readonly eraseCloud: NewId | null;
    }
  | { readonly kind: 'wiped' }
  /** Before the first byte of every attempt. */
  | { readonly kind: 'sending'; readonly batch: Omit<SentBatch, 'state'> }
  | { readonly kind: 'stored'; readonly batchId: string; readonly objectKey: string }
  | { readonly kind: 'order-erasure'; readonly newId: NewId; readonly atMs: number }
  /** Before the attempt. */
  | { readonly kind: 'erasure-tried'; readonly erasureId: string; readonly localDate: string }
  | { readonly kind: 'erasure-confirmed'; readonly erasureId: string }
  /** By a clock that is trusted: a wrong one would forget too early what may still lie in the bucket. */
  | { readonly kind: 'expire'; readonly wallMs: number };

/** Makes the id of one erasure order. */
export type NewId = () => string;

export type Decided =
  /** Nothing of it holds before it is written. */
  | { readonly kind: 'changed'; readonly programme: Programme }
  /** Allowed, and already so. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly why: Refusal };

export type Refusal =
  | NotCovered
  | 'other-epoch'
  | 'other-policy'
  | 'other-region'
  | 'region-missing'
  | 'policy-unknown'
  | 'policy-not-in-force'
  | 'already-granted'
  | 'kept-too-long'
  | 'batch-unknown'
  | 'order-unknown'
  | 'tried-today'
  | 'tried-too-often';
