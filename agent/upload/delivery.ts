import { bucketSlackDays } from '../ueip/age-class.ts';
import { dayMs } from '../ueip/month.ts';
import type { BatchFacts, GrantAnswer, Reply, UploadGrant } from './cloud-port.ts';
import { crc64 } from './crc64.ts';
import { checkGrant, isInForce } from './grant.ts';
import { callLimitMs } from './limited-call.ts';
import {
  judgeGrantReply,
  judgePut,
  mayHaveArrived,
  type Outcome,
  type StopReason,
} from './outcome.ts';
import {
  callCloud,
  covering,
  hindrance,
  isTrouble,
  type Pass,
  remember,
  type Trouble,
  type WaitingBatch,
  waitToRetry,
  wallNow,
} from './pass.ts';
import { markSending, settle, settleWhereItLies } from './receipt.ts';
import { checkStored } from './stored-check.ts';
import { counted } from './upload-memory.ts';

export type Delivered =
  /** There is a receipt, and nothing of it left on the device. */
  | { readonly kind: 'settled' }
  /** It can travel no more under this id: too large, or its month would end too soon. Its records are there. */
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'stopped'; readonly why: StopReason };

/**
 * Brings one batch to the store, however often it takes tonight. Before each step it is asked again whether it
 * may be. Every attempt is marked before its first byte; what is answered counts only when it was checked.
 */
export async function deliver(pass: Pass, batch: WaitingBatch): Promise<Delivered> {
  const journey: Journey = { pass, batch, grant: undefined, grantsRefused: 0, isUncertain: false };
  for (let tries = 1; ; tries++) {
    const outcome = await tryOnce(journey);
    if (outcome.kind === 'settled' || outcome.kind === 'withdrawn') return outcome;
    const why = isTrouble(outcome) ? await waitToRetry(pass, outcome, tries) : outcome.why;
    if (why !== undefined) return { kind: 'stopped', why };
    pass.tally.tries += 1;
  }
}

type Journey = {
  readonly pass: Pass;
  readonly batch: WaitingBatch;
  grant: Granted | undefined;
  grantsRefused: number;
  /** An attempt under this grant may have arrived, though no receipt came. */
  isUncertain: boolean;
};

type Granted = {
  readonly content: UploadGrant;
  readonly ttlDays: number;
  /** How far the server's clock is ahead of ours. */
  readonly aheadMs: number;
};

type Tried =
  | Exclude<Delivered, { kind: 'stopped' }>
  | Trouble
  | Extract<Outcome, { kind: 'stop-tonight' }>;

/** A grant, if there is none that holds, and one PUT; with a grant that turns out not to hold, both once more. */
async function tryOnce(journey: Journey): Promise<Tried> {
  const { pass, batch } = journey;
  const ttlDays = ttlDaysNow(batch, wallNow(pass) + callLimitMs);
  if (ttlDays === 0) return abandon(journey);
  const { grant } = journey;
  const serverMs = wallNow(pass) + (grant?.aheadMs ?? 0);
  if (grant?.ttlDays !== ttlDays || !isInForce(grant.content, serverMs)) {
    const refused = await takeGrant(journey, ttlDays);
    if (refused !== undefined) return refused;
  }
  return journey.grant === undefined ? stop('bad-grant') : putOnce(journey, journey.grant);
}

/**
 * The age class as of a moment: a batch that waited a day may be kept a day less, and goes to another key then.
 * Its id stays, by which the other side knows it.
 */
export function ttlDaysNow({ ttlDays, sendByMs }: WaitingBatch, atMs: number): number {
  const lateDays = Math.max(0, Math.ceil((atMs - sendByMs) / dayMs));
  return Math.max(0, ttlDays - lateDays);
}

/** Undefined: there is a grant now. */
async function takeGrant(journey: Journey, ttlDays: number): Promise<Tried | undefined> {
  const { pass, batch } = journey;
  journey.grant = undefined;
  const why = hindrance(pass, batch);
  const covered = covering(pass);
  if (why !== undefined || covered.kind === 'not-covered') return stop(why ?? 'not-covered');
  const { consentId, region } = covered.grant;
  const sentBefore = wasMarked(journey);
  const facts: BatchFacts = {
    batchId: batch.id,
    sizeBytes: batch.bytes.length,
    md5: batch.md5,
    sha256: batch.sha256,
    rows: batch.ids.length,
    from: batch.from,
    to: batch.to,
    ttlDays,
    consentId,
    policyVersion: batch.policyVersion,
    region,
    sentBefore,
  };
  const answer = await callCloud(pass, (cloud, call) => cloud.requestGrant(facts, call));
  if (pass.outer.aborted) return stop('aborted');
  return answer.kind === 'already' || answer.kind === 'granted'
    ? useGrant(journey, answer, { region, sentBefore, ttlDays })
    : act(journey, judgeGrantReply(answer, wallNow(pass)));
}

function useGrant(
  journey: Journey,
  answer: GrantAnswer,
  { region, sentBefore, ttlDays }: { region: string; sentBefore: boolean; ttlDays: number },
): Tried | undefined {
  const { pass, batch } = journey;
  if (answer.kind === 'already') {
    // Whoever says so of a batch that never left would make it disappear.
    if (!sentBefore) return stop('already-stored-unseen');
    settleWhereItLies(pass, batch);
    return { kind: 'settled' };
  }
  const wallMs = wallNow(pass);
  const serverMs = answer.serverMs ?? wallMs;
  const body = { sizeBytes: batch.bytes.length, md5: batch.md5, sha256: batch.sha256 };
  const check = checkGrant(answer.grant, pass.ports.rules, { region, ttlDays, serverMs, body });
  if (check.kind === 'bad')
    return stop(check.why === 'other-region' ? 'other-region' : 'bad-grant');
  journey.grant = { content: answer.grant, ttlDays, aheadMs: serverMs - wallMs };
  journey.isUncertain = false;
  return undefined;
}

async function putOnce(journey: Journey, { content: grant, ttlDays }: Granted): Promise<Tried> {
  const { pass, batch } = journey;
  const wasSentBefore = wasMarked(journey);
  const why =
    hindrance(pass, batch) ??
    markSending(
      pass,
      batch,
      grant.objectKey,
      wallNow(pass) + (ttlDays + bucketSlackDays) * dayMs,
    ) ??
    // The mark took time, on a flash that is slow to write.
    hindrance(pass, batch);
  if (why !== undefined) return stop(why);
  const answer = await callCloud(pass, (cloud, call) => cloud.put(grant, batch.bytes, call));
  const outcome = judgePut(answer, grant.expect.status, wallNow(pass));
  if (outcome.kind === 'accepted' && answer.kind === 'reply')
    return receive(journey, grant, answer);
  if (outcome.kind === 'already-stored') {
    if (pass.ports.memory.read().unverified.includes(batch.id)) return stop('stored-unverified');
    if (!wasSentBefore && !journey.isUncertain) return stop('already-stored-unseen');
    settle(pass, batch, { grant, reply: undefined });
    return { kind: 'settled' };
  }
  if (mayHaveArrived(answer)) journey.isUncertain = true;
  return act(journey, outcome) ?? stop('refused');
}

/** The store says that it has it: does it say all that was promised? */
function receive(journey: Journey, grant: UploadGrant, reply: Reply): Tried {
  const { pass, batch } = journey;
  const { md5, sha256 } = batch;
  const digests = { crc64: crc64(batch.bytes), md5, sha256 };
  const check = checkStored(reply, grant.expect, digests);
  if (check.kind === 'stored') {
    settle(pass, batch, { grant, reply });
    return { kind: 'settled' };
  }
  const distrusted = { why: check.why, settings: pass.ports.settings() };
  remember(pass, (memory) => ({
    ...memory,
    distrusted,
    unverified: [...memory.unverified.filter((id) => id !== batch.id), batch.id],
  }));
  return stop(check.why);
}

/**
 * No bucket may keep it for even a day. If it may lie there already, its records go, because some of them
 * could still go into another batch, and nothing is sent twice.
 */
function abandon(journey: Journey): Tried {
  const { pass, batch } = journey;
  const { records, outbox } = pass.ports;
  if (wasMarked(journey)) {
    records.forget(batch.ids);
    remember(pass, (memory) => counted(memory, 'abandoned'));
  }
  outbox.remove(batch.id);
  return { kind: 'withdrawn' };
}

/** What an answer without a grant or receipt leads to. Undefined: go on, and ask for a grant. */
function act(journey: Journey, outcome: Outcome): Tried | undefined {
  const { pass, batch } = journey;
  switch (outcome.kind) {
    case 'retry':
    case 'link-absent':
    case 'stop-tonight':
      return outcome;
    case 'new-grant': {
      // With only a bucket it was the device's own signature.
      const isOwn = journey.grant?.content.uploadId === null;
      const why = isOwn ? 'put-refused' : outcome.why;
      journey.grant = undefined;
      journey.grantsRefused += 1;
      return journey.grantsRefused > 1 ? stop(why) : { kind: 'retry', why, afterMs: 0 };
    }
    case 'split': {
      const half = Math.floor(batch.bytes.length / 2);
      // A batch that may lie there whole must not be sent in parts as well.
      if (journey.isUncertain || batch.ids.length < 2) return stop('too-large');
      pass.maxBytes = half;
      pass.ports.outbox.remove(batch.id);
      return { kind: 'withdrawn' };
    }
    case 'accepted':
    case 'already-stored':
      // Of a request for a grant, whose own answers these are not.
      return stop('unexpected-status');
  }
}

function wasMarked({ pass, batch }: Journey): boolean {
  return pass.ports.consent.programme().sent.some(({ batchId }) => batchId === batch.id);
}

function stop(why: StopReason): Extract<Outcome, { kind: 'stop-tonight' }> {
  return { kind: 'stop-tonight', why };
}
