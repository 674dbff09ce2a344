/** The commands of the improvement programme, carried out by the agent at work. */
import type { Actor } from './consent/consent.ts';
import { AgentError } from './errors.ts';
import { callAgent } from './io/control/control-client.ts';
import type {
  ErasureStep,
  OffResult,
  OnResult,
  ProgrammeCommands,
  ProgrammeStatus,
  Streamed,
  TrustResult,
  Verified,
  Write,
} from './programme-commands.ts';
import { listOf, nullOr, object, oneOf, readShape, type Shape, text, whole } from './shape.ts';

/** A full store, every file of it overwritten, and a command that wipes a volume after that. */
const offTimeoutMs = 600_000;

/** Every method also throws what the agent answers with, AGENT_SILENT, CONTROL_REFUSED and CONTROL_BUSY. */
export function remoteProgramme(dataDir: string): ProgrammeCommands {
  const ask = async <T>(
    command: string,
    order: object,
    shape: Shape<T>,
    options: { readonly onChunk?: Write; readonly timeoutMs?: number } = {},
  ): Promise<T> => {
    const called = await callAgent(dataDir, command, order, options);
    if (called.kind === 'no-agent') {
      throw new AgentError('AGENT_SILENT', 'the agent has ended meanwhile');
    }
    const read = readShape(shape, called.value);
    if ('value' in read) return read.value;
    throw new AgentError('CONTROL_INVALID', `the agent is of another version: ${read.faults[0]}`);
  };
  return {
    on: (order) => ask('ueip.on', order, onResult),
    off: (order) => ask('ueip.off', order, offResult, { timeoutMs: offTimeoutMs }),
    status: () => ask('ueip.status', {}, status),
    preview: (order, write) => ask('ueip.preview', order, streamed, { onChunk: write }),
    history: (write) => ask('ueip.history', {}, streamed, { onChunk: write }),
    export: (order, write) => ask('ueip.export', order, streamed, { onChunk: write }),
    trustStore: () => ask('ueip.trust-store', {}, trusted),
    verify: (order) => ask('ueip.verify', order, verified),
  };
}

/** Whether an agent listens there. @throws CONTROL_REFUSED CONTROL_BUSY AGENT_SILENT */
export async function agentListens(dataDir: string): Promise<boolean> {
  const { kind } = await callAgent(dataDir, 'agent.ping', {}, { timeoutMs: 5_000 });
  return kind === 'done';
}

const count = whole(0, Number.MAX_SAFE_INTEGER);
const wallMs = whole(-8.64e15, 8.64e15);
/** As long as a reply may be, and empty where the agent has nothing to say. */
const words = text({ max: 1_000_000, pattern: /^/ });

const onResult: Shape<OnResult> = object({
  kind: oneOf(['granted', 'already-granted']),
  policyVersion: words,
  region: words,
  sinceMs: wallMs,
});

const step: Shape<ErasureStep> = object({
  step: words,
  result: oneOf(['done', 'nothing-there', 'busy', 'failed']),
  code: nullOr(words),
});

const offResult: Shape<OffResult> = object({
  kind: oneOf(['erased', 'incomplete']),
  receipt: words,
  receiptFile: nullOr(words),
  records: count,
  sizeBytes: count,
  steps: listOf(step),
  guarantee: words,
  ordersPending: count,
  sentGoneByMs: nullOr(wallMs),
  search: nullOr(
    object({ files: count, found: listOf(object({ file: words, count }), { max: 100_000 }) }),
  ),
});

const actor: Shape<Actor> = object({ name: words, channel: oneOf(['cli', 'page', 'host']) });

const status: Shape<ProgrammeStatus> = object({
  state: oneOf(['never-asked', 'granted', 'withdrawn']),
  sinceMs: nullOr(wallMs),
  by: nullOr(actor),
  policyVersion: nullOr(words),
  region: nullOr(words),
  notCovered: nullOr(
    oneOf([
      'never-asked',
      'withdrawn',
      'wipe-due',
      'policy-outdated',
      'region-changed',
      'do-not-track',
    ]),
  ),
  records: object({
    waiting: count,
    sizeBytes: count,
    oldestMs: nullOr(wallMs),
    evicted: count,
    dropped: count,
    fault: nullOr(words),
  }),
  upload: object({
    lastMs: nullOr(wallMs),
    nextMs: nullOr(wallMs),
    lastOutcome: nullOr(words),
    distrusted: nullOr(words),
  }),
  sent: object({ batches: count, goneByMs: nullOr(wallMs) }),
  orders: listOf(object({ requestedMs: wallMs, tries: count, lastTriedOn: nullOr(words) }), {
    max: 10_000,
  }),
});

const trusted: Shape<TrustResult> = object({ kind: oneOf(['trusted-again', 'nothing-held']) });

const streamed: Shape<Streamed> = object({ lines: count, sizeBytes: count });

const verified: Shape<Verified> = object({
  ledgerEntries: count,
  ledgerHead: words,
  receipt: nullOr(object({ epoch: count, finishedMs: wallMs })),
});
