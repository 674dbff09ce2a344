import type { Actor, Instant } from '../consent/consent.ts';
import { AgentError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Ledger, Sha256 } from '../ueip/ledger.ts';
import type { LedgerEvent } from '../ueip/ledger-events.ts';
import {
  type DoneStep,
  type ErasureStep,
  erasureSteps,
  type FileSystemGuarantee,
  type Receipt,
  receiptText,
  type Signer,
  type StepReport,
  signReceipt,
} from './receipt.ts';

/** What was decided and is on the medium: that all of it goes. */
export type ErasureDecision = {
  readonly epoch: number;
  readonly decidedAt: Instant;
  /** Null: not a withdrawal. A new grant takes the place of an old one, or the consent could not be read. */
  readonly withdrawal: { readonly by: Actor; readonly eraseCloud: boolean } | null;
};

/**
 * Each says what it did, and may be asked again. One that throws has failed, and holds up none of the others.
 * recording: the ring and what the anonymiser holds, at once. request: no byte after it returns. key: overwritten
 * in place. rows: deleted by SQLite, overwriting. files: every file of the programme overwritten in place before
 * any is removed, needs no SQLite. ids: what else names the device. volume: the device maker's command.
 */
export type ErasureParts = Readonly<Record<ErasureStep, () => StepReport | Promise<StepReport>>>;

/** What proves it. A fault in here is told and undoes nothing. */
export type ErasureProof = {
  readonly clock: Clock;
  readonly sha256: Sha256;
  fileSystem(): FileSystemGuarantee;
  readonly ledger: Pick<Ledger, 'append' | 'entries' | 'head'>;
  /** Undefined: there is no key. Throws: it is damaged. */
  signer(): Signer | undefined;
  storeReceipt(receipt: Receipt): void | Promise<void>;
  /** Durable: no erasure is due any more. */
  clearWipe(): void | Promise<void>;
};

export const proofSteps = ['file-system', 'history', 'signature', 'receipt', 'clearing'] as const;
export type ProofStep = (typeof proofSteps)[number];

export type Erasure =
  | {
      readonly kind: 'erased';
      readonly receipt: Receipt;
      /** All of it is gone; but this could not be written down. 'clearing': it will be erased again at the next start. */
      readonly unproven: readonly ProofStep[];
    }
  | {
      /** It stays due: at the next start, or when it is asked for again, before anything else. */
      readonly kind: 'incomplete';
      readonly receipt: Receipt;
      readonly failed: readonly ErasureStep[];
      readonly unproven: readonly ProofStep[];
    };

export type Withdrawal =
  | Erasure
  /** The medium does not take the decision. Nothing is recorded any more, and nothing is erased. */
  | { readonly kind: 'not-decided'; readonly error: AgentError };

/**
 * An opt-out, in the order that no crash can turn into data without consent: the decision is on the medium before
 * anything goes, so that a start after a crash finishes it (finishWithdrawal); the key goes first of all, so that
 * what a crash leaves is sealed under a key that is gone. `decide` returns when the decision is durable.
 */
export async function withdraw(
  decide: () => ErasureDecision | Promise<ErasureDecision>,
  parts: ErasureParts,
  proof: ErasureProof,
): Promise<Withdrawal> {
  let decision: ErasureDecision;
  try {
    decision = await decide();
  } catch (cause) {
    // In memory, then, and until the end of this process: nobody is recorded against their will.
    await run('recording', parts, proof.clock);
    await run('request', parts, proof.clock);
    return { kind: 'not-decided', error: asAgentError(cause) };
  }
  return finishWithdrawal(decision, parts, proof);
}

/** The same for a decision that is on the medium already: at the start, before anything else. */
export async function finishWithdrawal(
  decision: ErasureDecision,
  parts: ErasureParts,
  proof: ErasureProof,
): Promise<Erasure> {
  const first: Ran[] = [];
  for (const step of erasureSteps) first.push(await run(step, parts, proof.clock));
  const steps: Ran[] = [];
  // Those after it may have made room, or let go of what held it.
  for (const ran of first) {
    const isWorthIt = isUndone(ran, first) && ran.step !== 'rows';
    const again = isWorthIt ? await run(ran.step, parts, proof.clock) : undefined;
    steps.push(again ? { ...again, tries: 2, elapsedMs: ran.elapsedMs + again.elapsedMs } : ran);
  }
  const failed = steps.filter((ran) => isUndone(ran, steps)).map(({ step }) => step);
  const { receipt, unproven } = await prove(decision, steps, failed, proof);
  return failed.length === 0
    ? { kind: 'erased', receipt, unproven }
    : { kind: 'incomplete', receipt, failed, unproven };
}

type Ran = DoneStep & { readonly rows: number };

async function run(step: ErasureStep, parts: ErasureParts, clock: Clock): Promise<Ran> {
  const startMs = clock.monotonicMs();
  let report: StepReport;
  try {
    report = await parts[step]();
  } catch (cause) {
    report = { result: 'failed', code: asAgentError(cause).code };
  }
  const { rows = 0, ...said } = report;
  const elapsedMs = Math.round(clock.monotonicMs() - startMs);
  return { ...said, step, rows, elapsedMs, tries: 1 };
}

/** Rows need not be deleted one by one where the files that held them are overwritten. */
function isUndone({ step, result }: DoneStep, all: readonly DoneStep[]): boolean {
  if (result === 'done' || result === 'nothing-there') return false;
  const files = all.find((other) => other.step === 'files');
  return step !== 'rows' || files === undefined || isUndone(files, []);
}

async function prove(
  decision: ErasureDecision,
  steps: readonly Ran[],
  failed: readonly ErasureStep[],
  proof: ErasureProof,
): Promise<{ receipt: Receipt; unproven: readonly ProofStep[] }> {
  const unproven = new Set<ProofStep>();
  const attempt = async <T>(step: ProofStep, work: () => T | Promise<T>) => {
    try {
      return await work();
    } catch {
      unproven.add(step);
      return undefined;
    }
  };
  const { ledger, clock, sha256 } = proof;
  const { epoch, decidedAt } = decision;
  await attempt('history', () => ledger.append(withdrawnEvents(decision, ledger)));
  const fileSystem = await attempt('file-system', () => proof.fileSystem());
  const head = await attempt('history', () => ledger.head());
  const content = {
    kind: 'ueip-erasure',
    version: 1,
    epoch,
    decidedAt,
    finishedAt: { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() },
    rows: steps.reduce((sum, { rows }) => sum + rows, 0),
    bytes: steps.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    steps: steps.map(({ rows: _, ...done }) => done),
    fileSystem: fileSystem ?? { type: 'unknown', erasure: 'none' },
    ledgerHead: head?.hash ?? null,
  } as const;
  const signed = await attempt('signature', () => signReceipt(content, proof.signer()));
  const receipt = signed ?? signReceipt(content, undefined);
  if (receipt.signature === null) unproven.add('signature');
  await attempt('receipt', () => proof.storeReceipt(receipt));
  await attempt('history', () => {
    const receiptSha256 = sha256(receiptText(receipt));
    const { rows, bytes } = receipt;
    const whole = { what: 'erased', epoch, receiptSha256, rows, bytes } as const;
    const partial = { what: 'erasure-incomplete', epoch, receiptSha256, failed } as const;
    ledger.append([failed.length === 0 ? whole : partial]);
  });
  if (failed.length === 0) await attempt('clearing', () => proof.clearWipe());
  return { receipt, unproven: proofSteps.filter((step) => unproven.has(step)) };
}

/** Once for each withdrawal, also where a crash came between. */
function withdrawnEvents(
  { epoch, decidedAt, withdrawal }: ErasureDecision,
  ledger: ErasureProof['ledger'],
): readonly LedgerEvent[] {
  if (!withdrawal) return [];
  const { by, eraseCloud } = withdrawal;
  const isTold = ledger
    .entries()
    .some(
      (entry) =>
        entry.what === 'withdrawn' &&
        entry.epoch === epoch &&
        entry.decidedAtMs === decidedAt.wallMs,
    );
  if (isTold) return [];
  const { name: actor, channel } = by;
  return [{ what: 'withdrawn', epoch, decidedAtMs: decidedAt.wallMs, actor, channel, eraseCloud }];
}

function asAgentError(cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  return new AgentError('INTERNAL', 'a step of the erasure failed', { cause });
}
