import { batchLimits } from '../ueip/batch.ts';
import { mayAskCloud } from './clock-trust.ts';
import type { LinkState } from './cloud-port.ts';
import { deliver } from './delivery.ts';
import { sendOrders } from './erasure-calls.ts';
import { nextWaiting, sealNext } from './next-batch.ts';
import { watchNight } from './night-watch.ts';
import { nightAfter } from './once-a-night.ts';
import { isTaken, judgeLink, type StopReason } from './outcome.ts';
import {
  callCloud,
  covering,
  hindrance,
  isTrouble,
  type Pass,
  remember,
  type UploadPorts,
  waitToRetry,
  wallNow,
} from './pass.ts';
import { forgetSettled } from './receipt.ts';
import { pause } from './timers.ts';
import { counted } from './upload-memory.ts';
import type { NightWindow } from './window.ts';

export type NightReport = {
  readonly end: NightEnd;
  readonly batches: number;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Beyond the first of each step. */
  readonly tries: number;
};

export type NightEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'nothing-to-send' }
  /** Everything was sent in this night before. */
  | { readonly kind: 'already-done' }
  /** This night ended before its time, as it was found or just now. */
  | { readonly kind: 'stopped'; readonly why: StopReason };

/**
 * One night's pass: everything that may leave, once, between the ends of the window. Orders of erasure come
 * first, and also where nothing is granted any more. Then, if the consent covers it, the clock is believed and
 * the cloud takes records: the batch that waits since an earlier night, with the same id and the same bytes,
 * then new ones, each only when the one before has its receipt.
 *
 * @param outer aborted by a withdrawal and when the agent stops: nothing is sent from then on, and nothing
 * but a receipt is noted.
 */
export async function uploadNight(
  ports: UploadPorts,
  window: NightWindow,
  outer: AbortSignal,
): Promise<NightReport> {
  const { clock, toLocalTime, timers } = ports;
  const watch = watchNight({ window, clock, toLocalTime, timers, outer });
  const tally = { batches: 0, rows: 0, sizeBytes: 0, tries: 0 };
  const { maxBytes } = batchLimits;
  const pass: Pass = { ports, window, watch, outer, tally, ledgerFaults: [], maxBytes };
  try {
    await sendOrders(pass);
    const end = whoseEnd(pass, await sendRecords(pass));
    if (end.kind === 'stopped') noteStop(pass, end.why);
    const [ledgerFault] = pass.ledgerFaults;
    if (ledgerFault !== undefined) throw ledgerFault;
    return { end, ...tally };
  } finally {
    watch.end();
  }
}

/** A call that was cut off says 'aborted', whether by a withdrawal or by the end of the window. */
function whoseEnd(pass: Pass, end: NightEnd): NightEnd {
  const isWindow = end.kind === 'stopped' && end.why === 'aborted' && !pass.outer.aborted;
  return isWindow ? { kind: 'stopped', why: 'window-closed' } : end;
}

async function sendRecords(pass: Pass): Promise<NightEnd> {
  const before = whyNotTonight(pass);
  if (before !== undefined) return before;
  forgetWhatHasArrived(pass);
  const { records, outbox, memory } = pass.ports;
  const { dones } = memory.read();
  if (outbox.waiting().length + records.counts().records + dones.length === 0) {
    noteDone(pass);
    return { kind: 'nothing-to-send' };
  }
  const refused = (await waitAsAsked(pass)) ?? (await askLink(pass));
  if (refused !== undefined) return { kind: 'stopped', why: refused };
  const why = await sendBatches(pass);
  await sendDones(pass);
  if (why !== undefined) return { kind: 'stopped', why };
  noteDone(pass);
  return { kind: 'complete' };
}

/** What is known without asking anybody. */
function whyNotTonight(pass: Pass): NightEnd | undefined {
  const { clock, memory } = pass.ports;
  if (pass.outer.aborted) return { kind: 'stopped', why: 'aborted' };
  if (covering(pass).kind === 'not-covered') return { kind: 'stopped', why: 'not-covered' };
  if (!mayAskCloud(clock.judge().standing)) return { kind: 'stopped', why: 'clock-untrusted' };
  if (!pass.watch.isOpen()) return { kind: 'stopped', why: 'window-closed' };
  const { lastPass, stopped, distrusted } = memory.read();
  if (distrusted !== null && distrusted.settings === pass.ports.settings()) {
    return { kind: 'stopped', why: distrusted.why };
  }
  const night = nightAfter(lastPass, markOf(pass));
  if (night === 'unknown') noteDone(pass);
  if (night !== 'another') return { kind: 'already-done' };
  return stopped?.localDate === pass.window.localDate
    ? { kind: 'stopped', why: stopped.why }
    : undefined;
}

/** A crash between a receipt and what follows from it is mended here, without the network. */
function forgetWhatHasArrived(pass: Pass): void {
  const { outbox, consent } = pass.ports;
  const { sent } = consent.programme();
  for (const batch of outbox.waiting()) {
    const isStored = sent.some(({ batchId, state }) => batchId === batch.id && state === 'stored');
    if (isStored) forgetSettled(pass, batch);
  }
}

/** Before a restart the other side may have asked to be left alone for a while. */
async function waitAsAsked(pass: Pass): Promise<StopReason | undefined> {
  const { memory, timers } = pass.ports;
  const { notBefore } = memory.read();
  if (notBefore?.localDate !== pass.window.localDate) return undefined;
  if (notBefore.wallMs >= pass.window.endMs) return 'window-closed';
  await pause(timers, Math.max(0, notBefore.wallMs - wallNow(pass)), pass.watch.signal);
  return undefined;
}

/** Undefined: it is linked, in the right region, and takes records; and its date confirms the clock. */
async function askLink(pass: Pass): Promise<StopReason | undefined> {
  for (let tries = 1; ; tries++) {
    if (pass.outer.aborted) return 'aborted';
    if (!pass.watch.isOpen()) return 'window-closed';
    const answer = await callCloud(pass, (cloud, call) => cloud.link(call));
    if (answer.kind !== 'reply' && answer.kind !== 'no-reply') return useLink(pass, answer);
    const outcome = judgeLink(answer, wallNow(pass));
    if (!isTrouble(outcome)) {
      return outcome.kind === 'stop-tonight' ? outcome.why : 'unexpected-status';
    }
    const why = await waitToRetry(pass, outcome, tries);
    if (why !== undefined) return why;
    pass.tally.tries += 1;
  }
}

function useLink(pass: Pass, link: LinkState): StopReason | undefined {
  if (link.kind === 'not-linked') return 'not-linked';
  if (link.kind === 'unfit') return link.why;
  if (link.serverMs !== null) pass.ports.clock.serverSaid(link.serverMs);
  const covered = covering(pass);
  if (covered.kind === 'not-covered') return 'not-covered';
  if (link.region !== covered.grant.region) return 'other-region';
  if (!link.accepting) return 'not-accepting';
  pass.maxBytes = Math.min(pass.maxBytes, link.maxBytes);
  return hindrance(pass);
}

/** Undefined: there is nothing left that could be sent. */
async function sendBatches(pass: Pass): Promise<StopReason | undefined> {
  for (;;) {
    const why = hindrance(pass);
    if (why !== undefined) return why;
    if (pass.tally.sizeBytes >= pass.ports.maxNightBytes) return undefined;
    const batch = nextWaiting(pass) ?? sealNext(pass);
    if (batch === undefined) return undefined;
    const delivered = await deliver(pass, batch);
    if (delivered.kind === 'stopped') return delivered.why;
  }
}

/** Best effort: what is not taken is told again tomorrow. */
async function sendDones(pass: Pass): Promise<void> {
  for (const report of pass.ports.memory.read().dones) {
    if (hindrance(pass) !== undefined) return;
    const answer = await callCloud(pass, (cloud, call) => cloud.done(report, call));
    const isHopeless = answer.kind === 'reply' && [400, 404, 409, 422].includes(answer.status);
    if (!isTaken(answer) && !isHopeless) return;
    remember(pass, (memory) => ({
      ...memory,
      dones: memory.dones.filter(({ uploadId }) => uploadId !== report.uploadId),
    }));
  }
}

function markOf(pass: Pass) {
  return { localDate: pass.window.localDate, runDay: pass.ports.runDay() };
}

function noteDone(pass: Pass): void {
  const lastPass = markOf(pass);
  remember(pass, (memory) => ({ ...memory, lastPass }));
}

/** So that a restart does not begin anew what was given up for tonight. */
function noteStop(pass: Pass, why: StopReason): void {
  const { localDate } = pass.window;
  const isNews = pass.ports.memory.read().stopped?.localDate !== localDate;
  if (why === 'aborted' || why === 'window-closed' || why === 'not-covered' || !isNews) return;
  remember(pass, (memory) => ({ ...counted(memory, why), stopped: { localDate, why } }));
}
