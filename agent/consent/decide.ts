import {
  type Circumstances,
  coverage,
  type Decided,
  type Grant,
  type Programme,
  type ProgrammeEvent,
  policyInForce,
  type Refusal,
  type SentBatch,
} from './consent.ts';
import { confirmErasure, orderErasures, tryErasure, withObjectKey } from './erasure-orders.ts';

/** The longest month: nothing is sent to where it would lie for longer. */
const mostKeptMs = 31 * 86_400_000;

/**
 * What an event makes of the programme. Pure: who calls writes what came out (io/programme/consent-file.ts) before
 * acting on it, and asks `coverage` of what was written.
 */
export function decide(
  programme: Programme,
  circumstances: Circumstances,
  event: ProgrammeEvent,
): Decided {
  switch (event.kind) {
    case 'grant':
      return grant(programme, circumstances, event.grant);
    case 'withdraw':
      return withdraw(programme, event);
    case 'wiped':
      return programme.wipe === 'none' ? unchanged : changed(programme, { wipe: 'none' });
    case 'sending':
      return sending(programme, circumstances, event.batch);
    case 'stored':
      return stored(programme, event.batchId, event.objectKey);
    case 'order-erasure':
      return settled(programme, {
        orders: orderErasures(programme, event.atMs, event.newId),
      });
    case 'erasure-tried': {
      const orders = tryErasure(programme.orders, event.erasureId, event.localDate);
      return typeof orders === 'string' ? refused(orders) : changed(programme, { orders });
    }
    case 'erasure-confirmed':
      return settled(programme, { orders: confirmErasure(programme.orders, event.erasureId) });
    case 'expire':
      return expire(programme, event.wallMs);
  }
}

/** A grant in the place of another begins a new epoch all the same, and what lies there of the old one goes first. */
function grant(programme: Programme, circumstances: Circumstances, wanted: Grant): Decided {
  const why = grantRefusal(programme, circumstances, wanted);
  if (why !== undefined) return refused(why);
  return changed(programme, {
    epoch: programme.epoch + 1,
    consent: { state: 'granted', ...wanted },
    wipe: programme.consent.state === 'granted' ? 'due' : 'none',
  });
}

function grantRefusal(
  programme: Programme,
  circumstances: Circumstances,
  wanted: Grant,
): Refusal | undefined {
  if (circumstances.doNotTrack) return 'do-not-track';
  if (programme.wipe === 'due') return 'wipe-due';
  if (circumstances.region === null) return 'region-missing';
  if (wanted.region !== circumstances.region) return 'other-region';
  const isWanted = (policy: { readonly version: string; readonly textSha256: string }) =>
    policy.version === wanted.policyVersion && policy.textSha256 === wanted.textSha256;
  if (!circumstances.policies.some(isWanted)) return 'policy-unknown';
  const inForce = policyInForce(circumstances);
  if (inForce === undefined || !isWanted(inForce)) return 'policy-not-in-force';
  const now = coverage(programme, circumstances);
  if (now.kind === 'covered' && now.grant.policyVersion === wanted.policyVersion) {
    return 'already-granted';
  }
  return undefined;
}

/**
 * Never refused and never without effect, whatever came before: also where nothing was granted, it erases what
 * may lie there.
 */
function withdraw(
  programme: Programme,
  { by, at, eraseCloud }: Extract<ProgrammeEvent, { kind: 'withdraw' }>,
): Decided {
  const { consent } = programme;
  return changed(programme, {
    consent: consent.state === 'withdrawn' ? consent : { state: 'withdrawn', by, at },
    wipe: 'due',
    orders:
      eraseCloud === null ? programme.orders : orderErasures(programme, at.wallMs, eraseCloud),
  });
}

/**
 * Sent once more, a batch has one entry, unless it goes to another object: then the first may be there too.
 * That the epoch is the present one implies the policy: each has one grant.
 */
function sending(
  programme: Programme,
  circumstances: Circumstances,
  batch: Omit<SentBatch, 'state'>,
): Decided {
  const now = coverage(programme, circumstances);
  if (now.kind === 'not-covered') return refused(now.why);
  if (batch.epoch !== now.epoch || batch.consentId !== now.grant.consentId) {
    return refused('other-epoch');
  }
  if (batch.region !== now.grant.region) return refused('other-region');
  if (batch.expiresAtMs - batch.markedAtMs > mostKeptMs) return refused('kept-too-long');
  const before = programme.sent.find(
    ({ batchId, objectKey }) =>
      batchId === batch.batchId &&
      (objectKey === batch.objectKey || objectKey === null || batch.objectKey === null),
  );
  if (before === undefined) {
    return changed(programme, { sent: [...programme.sent, { ...batch, state: 'maybe' }] });
  }
  const entry: SentBatch = {
    ...before,
    objectKey: before.objectKey ?? batch.objectKey,
    expiresAtMs: Math.max(before.expiresAtMs, batch.expiresAtMs),
  };
  return settled(programme, { sent: replaced(programme.sent, before, entry) });
}

/** Counts after a withdrawal too, and revives nothing: it says where the object lies that is to be erased. */
function stored(programme: Programme, batchId: string, objectKey: string): Decided {
  const ofBatch = programme.sent.filter((entry) => entry.batchId === batchId);
  const before =
    ofBatch.find((entry) => entry.objectKey === objectKey) ??
    ofBatch.find((entry) => entry.objectKey === null);
  if (before === undefined) return refused('batch-unknown');
  return settled(programme, {
    sent: replaced(programme.sent, before, { ...before, objectKey, state: 'stored' }),
    orders: withObjectKey(programme.orders, before.consentId, objectKey),
  });
}

/** An order ends when all that it could erase has expired; its own date may come from a clock that was wrong. */
function expire(programme: Programme, wallMs: number): Decided {
  const sent = programme.sent.filter(({ expiresAtMs }) => expiresAtMs > wallMs);
  const isLeft = (id: string) => sent.some(({ consentId }) => consentId === id);
  const orders = programme.orders.filter(({ consentId }) => isLeft(consentId));
  return settled(programme, { sent, orders });
}

type Changes = Partial<Omit<Programme, 'sequence'>>;

const unchanged: Decided = { kind: 'unchanged' };

function refused(why: Refusal): Decided {
  return { kind: 'refused', why };
}

function changed(programme: Programme, changes: Changes): Decided {
  return {
    kind: 'changed',
    programme: { ...programme, ...changes, sequence: programme.sequence + 1 },
  };
}

/** Lists that hold the same as before need no writing. */
function settled(programme: Programme, lists: Pick<Changes, 'sent' | 'orders'>): Decided {
  const { sent = programme.sent, orders = programme.orders } = lists;
  const isSame = sameItems(sent, programme.sent) && sameItems(orders, programme.orders);
  return isSame ? unchanged : changed(programme, { sent, orders });
}

function sameItems<T extends object>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** The very same list of the very same entries where the entry says nothing new. */
function replaced(
  sent: readonly SentBatch[],
  before: SentBatch,
  entry: SentBatch,
): readonly SentBatch[] {
  const isNews =
    entry.objectKey !== before.objectKey ||
    entry.state !== before.state ||
    entry.expiresAtMs !== before.expiresAtMs;
  return isNews ? sent.map((each) => (each === before ? entry : each)) : sent;
}
