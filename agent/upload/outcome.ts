import type { NoReply, Reply, TransportFault } from './cloud-port.ts';
import { retryAfterMs } from './retry-after.ts';
import { storeLies } from './stored-check.ts';

/** What to do about an answer, or about none. */
export type Outcome =
  | { readonly kind: 'accepted' }
  /** It lies there since an earlier attempt. */
  | { readonly kind: 'already-stored' }
  | {
      readonly kind: 'retry';
      readonly why: RetryReason /** At least; 0: as one likes. */;
      readonly afterMs: number;
    }
  /** The grant no longer holds: one more may be asked for. */
  | { readonly kind: 'new-grant'; readonly why: 'grant-expired' }
  /** Nobody is there whom one could ask: no network, or somebody else's. The data stay; perhaps later tonight. */
  | { readonly kind: 'link-absent' }
  /** Too large: send it in parts. */
  | { readonly kind: 'split' }
  | { readonly kind: 'stop-tonight'; readonly why: StopReason };

/** Passing troubles, tried again in the same window. All lists here are closed and are counted by name. */
export const retryReasons = [
  'no-network',
  'timed-out',
  'cut-off',
  'unreadable-reply',
  'busy',
  'damaged-on-the-way',
  'callback-failed',
  'grant-expired',
  'put-refused',
] as const;
export type RetryReason = (typeof retryReasons)[number];

/** What no further try tonight would mend. The data stay. */
export const stopReasons = [
  ...storeLies,
  'aborted',
  'already-stored-unseen',
  'bad-certificate',
  'bad-grant',
  'bad-request',
  'certificate-time',
  'clock-untrusted',
  'cloud-fault',
  'consent-unknown',
  'encryption-unknown',
  'grant-expired',
  'link-absent',
  'not-accepting',
  'not-covered',
  'not-linked',
  'not-supported',
  'no-retention-rule',
  'other-region',
  'policy-outdated',
  'put-refused',
  'redirected',
  'refused',
  'stored-unverified',
  'too-large',
  'tried-enough',
  'unauthorised',
  'window-closed',
] as const;
export type StopReason = (typeof stopReasons)[number];

/** Of asking whether the cloud takes records tonight. */
export function judgeLink(answer: Reply | NoReply, nowMs: number): Outcome {
  if (answer.kind === 'reply') return ofVendor(answer, nowMs);
  const { fault } = answer;
  // A portal that wants a log-in shows as a certificate of somebody else.
  return fault === 'aborted' || fault === 'certificate-time'
    ? ofFault(fault)
    : { kind: 'link-absent' };
}

/** Of asking for a grant; a grant itself is judged in grant.ts. */
export function judgeGrantReply(answer: Reply | NoReply, nowMs: number): Outcome {
  if (answer.kind === 'no-reply') return ofFault(answer.fault);
  return ofVendor(answer, nowMs);
}

/** Of the PUT. A status that the grant expects is only 'accepted' after checkStored. */
export function judgePut(
  answer: Reply | NoReply,
  expected: readonly number[],
  nowMs: number,
): Outcome {
  if (answer.kind === 'no-reply') return ofFault(answer.fault);
  const { status } = answer;
  if (expected.includes(status)) return { kind: 'accepted' };
  const named = codes.get(answer.code ?? '');
  if (named !== undefined)
    return named === 'retry' ? again('damaged-on-the-way', answer, nowMs) : named;
  switch (status) {
    case 203:
      // Stored, but the cloud was not told by the store: the same once more is answered 'already there'.
      return again('callback-failed', answer, nowMs);
    case 401:
      return newGrant;
    case 403:
      return /forbidden by kms/i.test(answer.message ?? '') ? stop('cloud-fault') : newGrant;
    case 412:
      return { kind: 'already-stored' };
    case 413:
      return { kind: 'split' };
    default:
      return ofStatus(answer, nowMs);
  }
}

/** Of a report or an order, which are made once a night and no more: was it taken? */
export function isTaken(answer: Reply | NoReply): boolean {
  return answer.kind === 'reply' && [200, 202, 204].includes(answer.status);
}

/** Whether the body may have arrived, and lie there, although this answer does not say so. */
export function mayHaveArrived(answer: Reply | NoReply): boolean {
  if (answer.kind === 'no-reply') return !neverConnected.includes(answer.fault);
  return answer.status < 300 || answer.status === 408 || answer.status >= 500;
}

const neverConnected: readonly TransportFault[] = [
  'dns',
  'unreachable',
  'refused',
  'connect-timeout',
  'certificate',
  'certificate-time',
];

const newGrant: Outcome = { kind: 'new-grant', why: 'grant-expired' };

/**
 * What a store's own word settles, whatever the status; the rest is told by the status. The names are those of
 * OSS and of S3. Expired and mismatched credentials are not here: with 403 they ask for a new grant.
 */
const codes = new Map<string, Outcome | 'retry'>([
  ['FileAlreadyExists', { kind: 'already-stored' }],
  ['ObjectAlreadyExists', { kind: 'already-stored' }],
  ['PreconditionFailed', { kind: 'already-stored' }],
  ['EntityTooLarge', { kind: 'split' }],
  ['InvalidDigest', 'retry'],
  ['BadDigest', 'retry'],
  ['IncompleteBody', 'retry'],
  ['RequestTimeout', 'retry'],
  ['XAmzContentSHA256Mismatch', 'retry'],
  // Two uploads of one key at once: an earlier one of ours that has not ended there.
  ['ConditionalRequestConflict', 'retry'],
  ['OperationAborted', 'retry'],
  // Nothing is ever sent without the promised encryption because the key for it is missing.
  ['KeyDisabled', stop('cloud-fault')],
  ['KeyPendingDeletion', stop('cloud-fault')],
  ['KMS.DisabledException', stop('cloud-fault')],
  ['KMS.NotFoundException', stop('cloud-fault')],
  ['InDebt', stop('cloud-fault')],
  ['BucketDisable', stop('cloud-fault')],
  ['UserDisable', stop('cloud-fault')],
  ['NoSuchBucket', stop('cloud-fault')],
]);

/** `consent_unknown` and its kin are the last part of a problem's `type`. */
function ofVendor(answer: Reply, nowMs: number): Outcome {
  switch (answer.code) {
    case 'not_linked':
      return stop('not-linked');
    case 'not_accepting':
      return stop('not-accepting');
    case 'too_large':
      return { kind: 'split' };
    case 'consent_unknown':
    case 'consent_withdrawn':
      return stop('consent-unknown');
    case 'policy_outdated':
      return stop('policy-outdated');
  }
  if (answer.status === 404) return stop('not-linked');
  if (answer.status === 413) return { kind: 'split' };
  return ofStatus(answer, nowMs);
}

/** Statuses that mean the same wherever they come from. */
function ofStatus(answer: Reply, nowMs: number): Outcome {
  const { status } = answer;
  if (status === 408 || status === 425 || status === 429) return again('busy', answer, nowMs);
  if (status === 501) return stop('not-supported');
  if (status >= 500) return again('busy', answer, nowMs);
  if (status >= 300 && status < 400) return stop('redirected');
  if (status < 300) return stop('unexpected-status');
  if (status === 401 || status === 403) return stop('unauthorised');
  if (status === 400 || status === 411 || status === 422) return stop('bad-request');
  return stop('refused');
}

function ofFault(fault: TransportFault): Outcome {
  switch (fault) {
    case 'dns':
    case 'unreachable':
    case 'refused':
    case 'connect-timeout':
      return { kind: 'retry', why: 'no-network', afterMs: 0 };
    case 'timeout':
      return { kind: 'retry', why: 'timed-out', afterMs: 0 };
    case 'reset':
      return { kind: 'retry', why: 'cut-off', afterMs: 0 };
    case 'oversized-reply':
    case 'unreadable-reply':
      return { kind: 'retry', why: 'unreadable-reply', afterMs: 0 };
    case 'certificate':
      // A wrong host, a wrong pin, a portal that wants a log-in: nothing is sent to it, and it is not asked again.
      return stop('bad-certificate');
    case 'certificate-time':
      return stop('certificate-time');
    case 'aborted':
      return stop('aborted');
  }
}

function again(why: RetryReason, answer: Reply, nowMs: number): Outcome {
  return { kind: 'retry', why, afterMs: retryAfterMs(answer, nowMs) };
}

function stop(why: StopReason): Outcome {
  return { kind: 'stop-tonight', why };
}
