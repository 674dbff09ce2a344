import { mostErasureTries } from '../consent/erasure-orders.ts';
import type { Collected } from '../ports.ts';
import { ttlClasses } from '../ueip/age-class.ts';
import type { Field } from '../ueip/fields.ts';
import { ledgerKeepDays } from '../ueip/ledger-events.ts';
import { monthLeftMs, type Now } from '../ueip/month.ts';

/**
 * Whether a record must go now. What would outlive its month before the next sweep goes with this one; how
 * old it is, month.ts says. Asked when the agent starts, before anything else, every `sweepEveryMs`, and
 * at once when the clock is believed for the first time after a start: only then is it known how long
 * the device was off.
 */
export function isExpired(collected: Collected, now: Now): boolean {
  // Not `<=`: of what cannot be compared nobody knows the age.
  return !(monthLeftMs(collected, now) > sweepEveryMs);
}

export const sweepEveryMs = 3_600_000;

export type RetentionRule = {
  readonly what: string;
  readonly limit:
    | { readonly kind: 'month' }
    | { readonly kind: 'days'; readonly days: number }
    /** Ends with something that happens. */
    | { readonly kind: 'until'; readonly event: string };
  readonly countedFrom: string;
  readonly enforcedBy: string;
};

/**
 * THE table of how long what is kept. `month`: 30 days, or to the same day of the next month if that is
 * sooner. docs/privacy.md is made of it.
 */
export const retention = {
  records: {
    what: 'records of the improvement programme on the device',
    limit: { kind: 'month' },
    countedFrom: 'their collection',
    enforcedBy: 'the sweep at every start and every hour',
  },
  heldHour: {
    what: 'attempts of the hour that is not over, in memory only',
    limit: { kind: 'until', event: 'the hour is over, the agent stops, or the opt-out' },
    countedFrom: 'the attempt',
    enforcedBy: 'the anonymiser, asked every minute',
  },
  codeKeys: {
    what: 'keys of the feature codes, in memory only',
    limit: { kind: 'until', event: 'local midnight, 128 codes, a restart, or the opt-out' },
    countedFrom: 'the first attempt under the key',
    enforcedBy: 'the anonymiser, asked every minute',
  },
  recordKey: {
    what: 'key of the records, in a file of its own',
    limit: { kind: 'until', event: 'the opt-out' },
    countedFrom: 'opting in',
    enforcedBy: 'the erasure of an opt-out, finished at the next start if it was interrupted',
  },
  outbox: {
    what: 'bytes of a batch that waits for its receipt',
    limit: { kind: 'month' },
    countedFrom: 'the collection of its oldest record',
    enforcedBy: 'the uploader, and the sweep',
  },
  bucket: {
    what: `objects in the bucket, in age classes of ${ttlClasses.at(-1)} to ${ttlClasses[0]} days`,
    limit: { kind: 'month' },
    countedFrom: 'the collection of the oldest record in it',
    enforcedBy: 'rules of the bucket, asked for before the first upload',
  },
  sentList: {
    what: 'list of what was sent, or may have been',
    limit: { kind: 'until', event: 'the bucket has deleted the object at the latest' },
    countedFrom: 'before its first byte left',
    enforcedBy: 'the state of the consent, every day',
  },
  erasureOrders: {
    what: 'orders to the cloud to erase what was sent',
    limit: { kind: 'days', days: mostErasureTries },
    countedFrom: 'the first attempt, one a day',
    enforcedBy: 'the state of the consent',
  },
  consent: {
    what: 'the present consent or withdrawal, without anything about a face',
    limit: { kind: 'until', event: 'the next decision' },
    countedFrom: 'the decision',
    enforcedBy: 'the state of the consent',
  },
  consentHistory: {
    what: 'consents, withdrawals and erasures in the ledger',
    limit: { kind: 'days', days: ledgerKeepDays.decision },
    countedFrom: 'the entry',
    enforcedBy: 'the expiry of the ledger',
  },
  rightsHistory: {
    what: 'exports, previews and refused requests in the ledger, without their content',
    limit: { kind: 'days', days: ledgerKeepDays.rights },
    countedFrom: 'the entry',
    enforcedBy: 'the expiry of the ledger',
  },
  requestHistory: {
    what: 'requests to the cloud in the ledger, as digests',
    limit: { kind: 'days', days: ledgerKeepDays.request },
    countedFrom: 'the request',
    enforcedBy: 'the expiry of the ledger',
  },
  receipts: {
    what: 'receipts of erasures, without an id',
    limit: { kind: 'days', days: ledgerKeepDays.decision },
    countedFrom: 'the erasure',
    enforcedBy: 'the sweep',
  },
  templates: {
    what: 'residents and their templates',
    limit: { kind: 'until', event: 'the resident is erased, or the template version is revoked' },
    countedFrom: 'enrolment',
    enforcedBy: 'whoever runs the door: they are what it opens by',
  },
  erasedResidents: {
    what: 'keyed digest of an erased id, against old backups',
    limit: { kind: 'until', event: 'the root key of the device is replaced' },
    countedFrom: 'the erasure',
    enforcedBy: 'without that key it means nothing',
  },
  logs: {
    what: 'log lines, which name no person, code or id of the programme',
    limit: { kind: 'days', days: 31 },
    countedFrom: 'the line',
    enforcedBy: 'the journal of the system: set `MaxRetentionSec=31day`',
  },
} as const satisfies Record<Field['retention'], RetentionRule> & Record<string, RetentionRule>;
