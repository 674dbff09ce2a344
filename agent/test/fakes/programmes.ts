import type {
  Actor,
  Circumstances,
  Decided,
  ErasureOrder,
  Grant,
  Programme,
  ProgrammeEvent,
  SentBatch,
} from '../../consent/consent.ts';
import { neverAsked } from '../../consent/consent.ts';
import { decide } from '../../consent/decide.ts';
import type { Policy } from '../../consent/policy.ts';

export const resident: Actor = { name: 'resident', channel: 'cli' };
export const installer: Actor = { name: 'installer', channel: 'host' };

const dayMs = 86_400_000;
export const start = Date.UTC(2026, 10, 22);
export const daysLater = (days: number): number => start + days * dayMs;

/** The third of them takes effect in ten days, and matters. */
export const policies: readonly Policy[] = [
  { version: '2026-01', textSha256: 'a'.repeat(64), material: true, effectiveAt: daysLater(-300) },
  { version: '2026-11', textSha256: 'b'.repeat(64), material: false, effectiveAt: daysLater(-20) },
  { version: '2027-01', textSha256: 'c'.repeat(64), material: true, effectiveAt: daysLater(10) },
];

export const today: Circumstances = {
  policies,
  region: 'eu-central-1',
  doNotTrack: false,
  wallMs: start,
};

/** A UUID of version 4 that tells its number. */
export function uuid(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

export function grantOf(changes: Partial<Grant> = {}): Grant {
  return {
    policyVersion: '2026-11',
    textSha256: 'b'.repeat(64),
    region: 'eu-central-1',
    by: resident,
    since: { wallMs: start, monotonicMs: 5 },
    consentId: uuid(1),
    ...changes,
  };
}

export function batchOf(changes: Partial<Omit<SentBatch, 'state'>> = {}): Omit<SentBatch, 'state'> {
  return {
    batchId: 'batch-1',
    epoch: 1,
    consentId: uuid(1),
    region: 'eu-central-1',
    objectKey: null,
    markedAtMs: start,
    expiresAtMs: daysLater(28),
    ...changes,
  };
}

export function orderOf(changes: Partial<ErasureOrder> = {}): ErasureOrder {
  return {
    erasureId: 'order-1',
    consentId: uuid(1),
    objectKeys: [],
    requestedAtMs: start,
    lastTriedOn: null,
    tries: 0,
    ...changes,
  };
}

export function withdrawal(
  eraseCloud: (() => string) | null = null,
): Extract<ProgrammeEvent, { kind: 'withdraw' }> {
  const at = { wallMs: daysLater(1), monotonicMs: 9 };
  return { kind: 'withdraw', by: resident, at, eraseCloud };
}

/** 'order-1', 'order-2', … */
export function numbered(): () => string {
  let made = 0;
  return () => `order-${++made}`;
}

/** Event after event; each must be allowed. */
export function programmeAfter(
  events: readonly ProgrammeEvent[],
  from: Programme = neverAsked,
  circumstances: Circumstances = today,
): Programme {
  return events.reduce(
    (programme, event) => programmeOf(decide(programme, circumstances, event), programme),
    from,
  );
}

function programmeOf(decided: Decided, before: Programme): Programme {
  if (decided.kind === 'refused') throw new Error(`refused: ${decided.why}`);
  return decided.kind === 'changed' ? decided.programme : before;
}

export const granted = programmeAfter([{ kind: 'grant', grant: grantOf() }]);
