import { describe, expect, test } from 'vitest';
import { type NoReply, type Reply, type TransportFault, transportFaults } from './cloud-port.ts';
import { isTaken, judgeGrantReply, judgeLink, judgePut, mayHaveArrived } from './outcome.ts';

const nowMs = Date.UTC(2027, 0, 5, 1, 10);

function reply(status: number, code: string | null = null, more: Partial<Reply> = {}): Reply {
  return { kind: 'reply', status, headers: {}, code, message: null, ...more };
}
const none = (fault: TransportFault): NoReply => ({ kind: 'no-reply', fault });
/** 'retry busy', 'stop-tonight refused', 'split' */
const short = (outcome: { kind: string; why?: string }) =>
  outcome.why === undefined ? outcome.kind : `${outcome.kind} ${outcome.why}`;
const put = (answer: Reply | NoReply) => short(judgePut(answer, [200], nowMs));
const grant = (answer: Reply | NoReply) => short(judgeGrantReply(answer, nowMs));
const link = (answer: Reply | NoReply) => short(judgeLink(answer, nowMs));

describe('what a store answers', () => {
  test.each([
    [200, null, 'accepted'],
    [201, null, 'stop-tonight unexpected-status'],
    [203, 'CallbackFailed', 'retry callback-failed'],
    [204, null, 'stop-tonight unexpected-status'],
    [301, null, 'stop-tonight redirected'],
    [307, 'TemporaryRedirect', 'stop-tonight redirected'],
    [400, null, 'stop-tonight bad-request'],
    [400, 'InvalidDigest', 'retry damaged-on-the-way'],
    [400, 'BadDigest', 'retry damaged-on-the-way'],
    [400, 'RequestTimeout', 'retry damaged-on-the-way'],
    [400, 'IncompleteBody', 'retry damaged-on-the-way'],
    [400, 'XAmzContentSHA256Mismatch', 'retry damaged-on-the-way'],
    [400, 'EntityTooLarge', 'split'],
    [401, null, 'new-grant grant-expired'],
    [403, 'AccessDenied', 'new-grant grant-expired'],
    [403, 'SecurityTokenExpired', 'new-grant grant-expired'],
    [403, 'InvalidSecurityToken', 'new-grant grant-expired'],
    [403, 'InvalidAccessKeyId', 'new-grant grant-expired'],
    [403, 'SignatureDoesNotMatch', 'new-grant grant-expired'],
    [403, 'RequestTimeTooSkewed', 'new-grant grant-expired'],
    [403, 'InDebt', 'stop-tonight cloud-fault'],
    [403, 'UserDisable', 'stop-tonight cloud-fault'],
    [403, 'BucketDisable', 'stop-tonight cloud-fault'],
    [404, 'NoSuchBucket', 'stop-tonight cloud-fault'],
    [404, null, 'stop-tonight refused'],
    [405, null, 'stop-tonight refused'],
    [408, null, 'retry busy'],
    [409, 'FileAlreadyExists', 'already-stored'],
    [409, 'KeyDisabled', 'stop-tonight cloud-fault'],
    [409, 'KeyPendingDeletion', 'stop-tonight cloud-fault'],
    [409, 'OperationAborted', 'retry damaged-on-the-way'],
    [409, 'ConditionalRequestConflict', 'retry damaged-on-the-way'],
    [409, null, 'stop-tonight refused'],
    [411, 'MissingContentLength', 'stop-tonight bad-request'],
    [412, 'PreconditionFailed', 'already-stored'],
    [412, null, 'already-stored'],
    [413, null, 'split'],
    [422, null, 'stop-tonight bad-request'],
    [425, null, 'retry busy'],
    [429, null, 'retry busy'],
    [500, 'InternalError', 'retry busy'],
    [501, 'NotImplemented', 'stop-tonight not-supported'],
    [502, null, 'retry busy'],
    [503, 'ServiceUnavailable', 'retry busy'],
    [503, 'TotalQpsLimitExceeded', 'retry busy'],
    [503, 'SlowDown', 'retry busy'],
    [504, null, 'retry busy'],
    [500, 'constructor', 'retry busy'],
  ])('%i %s: %s', (status, code, outcome) => {
    expect(put(reply(status, code))).toBe(outcome);
  });

  test('a key management service that says no, in words only, is no matter of the grant', () => {
    const message = 'This request is forbidden by kms.';
    expect(put(reply(403, 'AccessDenied', { message }))).toBe('stop-tonight cloud-fault');
  });

  test('how long it wants to be left alone goes with the outcome', () => {
    const headers = { 'x-oss-qos-delay-time': '4000', 'retry-after': '2' };
    expect(judgePut(reply(503, null, { headers }), [200], nowMs)).toEqual({
      kind: 'retry',
      why: 'busy',
      afterMs: 4000,
    });
  });
});

describe('what the vendor’s cloud answers', () => {
  test.each([
    [403, 'consent_unknown', 'stop-tonight consent-unknown'],
    [403, 'consent_withdrawn', 'stop-tonight consent-unknown'],
    [403, 'policy_outdated', 'stop-tonight policy-outdated'],
    [403, 'not_accepting', 'stop-tonight not-accepting'],
    [409, 'batch_differs', 'stop-tonight refused'],
    [404, 'not_linked', 'stop-tonight not-linked'],
    [404, null, 'stop-tonight not-linked'],
    [401, null, 'stop-tonight unauthorised'],
    [403, null, 'stop-tonight unauthorised'],
    [413, null, 'split'],
    [422, null, 'stop-tonight bad-request'],
    [429, null, 'retry busy'],
    [500, null, 'retry busy'],
    [503, null, 'retry busy'],
    [302, null, 'stop-tonight redirected'],
    [200, null, 'stop-tonight unexpected-status'],
  ])('%i %s: %s', (status, code, outcome) => {
    expect(grant(reply(status, code))).toBe(outcome);
    if (status !== 413) expect(link(reply(status, code))).toBe(outcome);
  });
});

describe('when nothing answers', () => {
  test.each<[TransportFault, string, string, boolean]>([
    ['dns', 'link-absent', 'retry no-network', false],
    ['unreachable', 'link-absent', 'retry no-network', false],
    ['refused', 'link-absent', 'retry no-network', false],
    ['connect-timeout', 'link-absent', 'retry no-network', false],
    ['timeout', 'link-absent', 'retry timed-out', true],
    ['reset', 'link-absent', 'retry cut-off', true],
    ['certificate', 'link-absent', 'stop-tonight bad-certificate', false],
    ['certificate-time', 'stop-tonight certificate-time', 'stop-tonight certificate-time', false],
    ['oversized-reply', 'link-absent', 'retry unreadable-reply', true],
    ['unreadable-reply', 'link-absent', 'retry unreadable-reply', true],
    ['aborted', 'stop-tonight aborted', 'stop-tonight aborted', true],
  ])('%s', (fault, ofLink, ofPut, mayBeThere) => {
    expect(link(none(fault))).toBe(ofLink);
    expect(put(none(fault))).toBe(ofPut);
    expect(grant(none(fault))).toBe(ofPut);
    expect(mayHaveArrived(none(fault))).toBe(mayBeThere);
  });

  test('every fault is in this table', () => {
    expect(transportFaults).toHaveLength(11);
  });
});

test('which answers leave it open whether the body arrived', () => {
  const open = [200, 203, 408, 500, 503].map((status) => mayHaveArrived(reply(status)));
  expect(open).toEqual([true, true, true, true, true]);
  const settled = [302, 400, 403, 404, 409, 413, 429].map((status) =>
    mayHaveArrived(reply(status)),
  );
  expect(settled).toEqual([false, false, false, false, false, false, false]);
});

test('which reports and orders were taken', () => {
  expect([200, 202, 204].every((status) => isTaken(reply(status)))).toBe(true);
  expect([201, 302, 400, 404, 503].some((status) => isTaken(reply(status)))).toBe(false);
  expect(isTaken(none('timeout'))).toBe(false);
});
