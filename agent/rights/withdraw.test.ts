import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../errors.ts';
import { createManualTime } from '../test/fakes/manual-time.ts';
import type { LedgerEntry } from '../ueip/ledger.ts';
import type { LedgerEvent } from '../ueip/ledger-events.ts';
import { type ErasureStep, erasureSteps, receiptText, type StepReport } from './receipt.ts';
import {
  type ErasureDecision,
  type ErasureProof,
  finishWithdrawal,
  type ProofStep,
  withdraw,
} from './withdraw.ts';

const decision: ErasureDecision = {
  epoch: 3,
  decidedAt: { wallMs: 1_800_000_000_000, monotonicMs: 5 },
  withdrawal: { by: { name: 'resident', channel: 'page' }, eraseCloud: false },
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A device that writes down in which order what was asked of it. `say` is what a step answers. */
function device(
  say: (step: ErasureStep, nth: number) => StepReport | Error = () => ({ result: 'done' }),
  broken: readonly ProofStep[] = [],
) {
  const asked: string[] = [];
  const history: LedgerEvent[] = [];
  const receipts: string[] = [];
  const time = createManualTime();
  const part = (step: ErasureStep) => (): StepReport => {
    asked.push(step);
    time.advance(7);
    const answer = say(step, asked.filter((each) => each === step).length);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const proving = (step: ProofStep, what: string) => {
    if (broken.includes(step)) throw new AgentError('STORE_FULL', `no room for ${what}`);
    asked.push(what);
  };
  const entries = (): readonly LedgerEntry[] =>
    history.map((event, index) => ({
      ...event,
      n: index + 1,
      at: 0,
      prev: '',
      hash: sha256(`${index}`),
    }));
  const proof: ErasureProof = {
    clock: time.clock,
    sha256,
    fileSystem: () => {
      proving('file-system', 'file system');
      return { type: 'ext4', erasure: 'in-place' };
    },
    ledger: {
      append: (events) => {
        proving('history', `history: ${events.map(({ what }) => what).join()}`);
        history.push(...events);
      },
      entries,
      head: () => entries().at(-1),
    },
    signer: () => {
      proving('signature', 'signature');
      return { publicKey: 'aa', sign: (text) => sha256(text) };
    },
    storeReceipt: (receipt) => {
      proving('receipt', 'receipt');
      receipts.push(receiptText(receipt));
    },
    clearWipe: () => proving('clearing', 'nothing due any more'),
  };
  const parts = {
    recording: part('recording'),
    request: part('request'),
    key: part('key'),
    rows: part('rows'),
    files: part('files'),
    ids: part('ids'),
    volume: part('volume'),
  };
  const decide = () => {
    asked.push('decision');
    return decision;
  };
  return { asked, history, receipts, parts, proof, decide };
}

describe('an opt-out', () => {
  test('S0-29 goes in the one order that no crash can turn into data without consent', async () => {
    const { asked, parts, proof, decide } = device();
    const outcome = await withdraw(decide, parts, proof);
    expect(outcome).toMatchObject({ kind: 'erased', unproven: [] });
    expect(asked).toEqual([
      'decision',
      'recording',
      'request',
      'key',
      'rows',
      'files',
      'ids',
      'volume',
      'history: withdrawn',
      'file system',
      'signature',
      'receipt',
      'history: erased',
      'nothing due any more',
    ]);
  });

  test('is handed a receipt that lists each step, what it did and how long it took', async () => {
    const bytes: Partial<Record<ErasureStep, number>> = { key: 32, files: 4096 };
    const { history, receipts, parts, proof, decide } = device((step) => {
      if (step === 'volume') return { result: 'nothing-there' };
      if (step === 'rows') return { result: 'done', rows: 12 };
      const count = bytes[step];
      return { result: 'done', ...(count === undefined ? {} : { bytes: count }) };
    });
    const outcome = await withdraw(decide, parts, proof);
    if (outcome.kind !== 'erased') throw new Error(outcome.kind);
    const { receipt } = outcome;
    expect(receipt).toMatchObject({
      kind: 'ueip-erasure',
      version: 1,
      epoch: 3,
      decidedAt: decision.decidedAt,
      rows: 12,
      bytes: 4128,
      fileSystem: { type: 'ext4', erasure: 'in-place' },
      ledgerHead: sha256('0'),
      publicKey: 'aa',
    });
    expect(receipt.steps.map(({ step }) => step)).toEqual(erasureSteps);
    expect(receipt.steps[2]).toEqual({
      step: 'key',
      result: 'done',
      bytes: 32,
      elapsedMs: 7,
      tries: 1,
    });
    expect(receipts).toEqual([receiptText(receipt)]);
    expect(history).toEqual([
      {
        what: 'withdrawn',
        epoch: 3,
        decidedAtMs: decision.decidedAt.wallMs,
        actor: 'resident',
        channel: 'page',
        eraseCloud: false,
      },
      {
        what: 'erased',
        epoch: 3,
        receiptSha256: sha256(receiptText(receipt)),
        rows: 12,
        bytes: 4128,
      },
    ]);
  });

  test('that the medium does not take erases nothing, stops recording all the same, and is never called done', async () => {
    const { asked, parts, proof } = device();
    const fault = new AgentError('STORE_READ_ONLY', 'consent: cannot be written (EROFS)');
    const outcome = await withdraw(
      () => {
        throw fault;
      },
      parts,
      proof,
    );
    expect(outcome).toEqual({ kind: 'not-decided', error: fault });
    expect(asked).toEqual(['recording', 'request']);
  });

  test.each(erasureSteps.filter((step) => step !== 'rows'))(
    'of which the step %s fails does all the others, says so, and stays due',
    async (broken) => {
      const fault = new AgentError('STORE_FAILED', 'EIO');
      const { asked, history, parts, proof, decide } = device((step) =>
        step === broken ? fault : { result: 'done' },
      );
      const outcome = await withdraw(decide, parts, proof);
      expect(outcome).toMatchObject({ kind: 'incomplete', failed: [broken], unproven: [] });
      expect(asked).toEqual(expect.arrayContaining([...erasureSteps]));
      expect(asked.filter((step) => step === broken)).toHaveLength(2);
      expect(asked).not.toContain('nothing due any more');
      expect(history.at(-1)).toMatchObject({ what: 'erasure-incomplete', failed: [broken] });
      if (outcome.kind !== 'incomplete') return;
      const step = outcome.receipt.steps.find((each) => each.step === broken);
      expect(step).toMatchObject({
        result: 'failed',
        code: 'STORE_FAILED',
        tries: 2,
        elapsedMs: 14,
      });
    },
  );

  test('tries again what failed, when the steps after it have made room', async () => {
    const { asked, parts, proof, decide } = device((step, nth) =>
      step === 'key' && nth === 1 ? new AgentError('STORE_FULL', 'no room') : { result: 'done' },
    );
    const outcome = await withdraw(decide, parts, proof);
    expect(outcome.kind).toBe('erased');
    if (outcome.kind !== 'erased') return;
    expect(outcome.receipt.steps[2]).toMatchObject({ step: 'key', result: 'done', tries: 2 });
    expect(asked.indexOf('volume')).toBeLessThan(asked.lastIndexOf('key'));
  });

  test.each(['busy', 'failed'] as const)(
    'whose rows SQLite cannot delete (%s) is complete, because their files are overwritten, and says both',
    async (result) => {
      const { parts, proof, decide } = device((step) =>
        step === 'rows' ? { result, code: 'STORE_FAILED' } : { result: 'done' },
      );
      const outcome = await withdraw(decide, parts, proof);
      expect(outcome).toMatchObject({ kind: 'erased' });
      if (outcome.kind !== 'erased') return;
      expect(outcome.receipt.steps).toContainEqual(
        expect.objectContaining({ step: 'rows', result, code: 'STORE_FAILED' }),
      );
      expect(outcome.receipt.steps).toContainEqual(
        expect.objectContaining({ step: 'files', result: 'done' }),
      );
    },
  );

  test('whose rows and files both stay is not complete', async () => {
    const { parts, proof, decide } = device((step) =>
      step === 'rows' || step === 'files' ? { result: 'failed' } : { result: 'done' },
    );
    const outcome = await withdraw(decide, parts, proof);
    expect(outcome).toMatchObject({ kind: 'incomplete', failed: ['rows', 'files'] });
  });

  test('in which a step has a fault of its own goes on', async () => {
    const { parts, proof, decide } = device((step) =>
      step === 'request' ? new TypeError('undefined is not a function') : { result: 'done' },
    );
    const outcome = await withdraw(decide, parts, proof);
    expect(outcome).toMatchObject({ kind: 'incomplete', failed: ['request'] });
    if (outcome.kind !== 'incomplete') return;
    expect(outcome.receipt.steps[1]).toMatchObject({ step: 'request', code: 'INTERNAL' });
    expect(JSON.stringify(outcome)).not.toContain('undefined is not');
  });

  test.each(['file-system', 'history', 'signature', 'receipt', 'clearing'] as const)(
    'is one even where its proof cannot be made (%s), and says what is missing',
    async (broken) => {
      const { parts, proof, decide } = device(undefined, [broken]);
      const outcome = await withdraw(decide, parts, proof);
      expect(outcome).toMatchObject({ kind: 'erased', unproven: [broken] });
      if (outcome.kind !== 'erased') return;
      if (broken === 'signature') {
        expect(outcome.receipt).toMatchObject({ publicKey: null, signature: null });
      }
      if (broken === 'file-system') {
        expect(outcome.receipt.fileSystem).toEqual({ type: 'unknown', erasure: 'none' });
      }
    },
  );

  test('on a device without a key and without a history is one, and its receipt says that nobody signed it', async () => {
    const { parts, proof } = device();
    const bare = { ...proof, signer: () => undefined };
    const outcome = await finishWithdrawal({ ...decision, withdrawal: null }, parts, bare);
    expect(outcome).toMatchObject({ kind: 'erased', unproven: ['signature'] });
    expect(outcome.receipt).toMatchObject({ publicKey: null, signature: null, ledgerHead: null });
  });

  test('whose history cannot be read at its end says that the history is what is missing', async () => {
    const { parts, proof, decide } = device();
    const ledger = {
      ...proof.ledger,
      head: () => {
        throw new AgentError('STORE_CORRUPT', 'the history is damaged');
      },
    };
    const outcome = await withdraw(decide, parts, { ...proof, ledger });
    expect(outcome).toMatchObject({ kind: 'erased', unproven: ['history'] });
  });

  test('of a later grant, or decided at another moment, is told in the history of its own', async () => {
    const { history, parts, proof } = device();
    await finishWithdrawal(decision, parts, proof);
    await finishWithdrawal({ ...decision, epoch: 4 }, parts, proof);
    const later = { ...decision.decidedAt, wallMs: decision.decidedAt.wallMs + 1 };
    await finishWithdrawal({ ...decision, decidedAt: later }, parts, proof);
    expect(history.filter(({ what }) => what === 'withdrawn')).toHaveLength(3);
  });

  test('asks SQLite only once to delete the rows, and says to the nearest millisecond how long each step took', async () => {
    const { asked, parts, proof, decide } = device(() => ({ result: 'failed' }));
    let nowMs = 0;
    const monotonicMs = () => {
      nowMs += 0.6;
      return nowMs;
    };
    const clock = { ...proof.clock, monotonicMs };
    const outcome = await withdraw(decide, parts, { ...proof, clock });
    expect(asked.filter((step) => step === 'rows')).toHaveLength(1);
    if (outcome.kind !== 'incomplete') throw new Error(outcome.kind);
    const rows = outcome.receipt.steps.find(({ step }) => step === 'rows');
    expect(rows).toMatchObject({ elapsedMs: 1, tries: 1 });
  });

  test('finished at the start is told once in the history as a decision, and each time as an erasure', async () => {
    const { history, parts, proof, decide } = device(undefined, ['clearing']);
    await withdraw(decide, parts, proof);
    await finishWithdrawal(decision, parts, proof);
    await finishWithdrawal({ ...decision, withdrawal: null }, parts, proof);
    expect(history.map(({ what }) => what)).toEqual(['withdrawn', 'erased', 'erased', 'erased']);
  });

  test('is called done only if every step was, whatever each of them says', async () => {
    const report = fc.constantFrom<StepReport | Error>(
      { result: 'done' },
      { result: 'nothing-there' },
      { result: 'busy' },
      { result: 'failed' },
      new AgentError('STORE_FAILED', 'EIO'),
    );
    const answers = fc.record(
      Object.fromEntries(erasureSteps.map((step) => [step, fc.tuple(report, report)])),
    );
    await fc.assert(
      fc.asyncProperty(answers, async (said) => {
        const { asked, parts, proof, decide } = device(
          (step, nth) => said[step]?.[nth === 1 ? 0 : 1] ?? { result: 'failed' },
        );
        const outcome = await withdraw(decide, parts, proof);
        const isGood = (answer: StepReport | Error | undefined) =>
          answer !== undefined &&
          'result' in answer &&
          (answer.result === 'done' || answer.result === 'nothing-there');
        const isDone = (step: ErasureStep) => said[step]?.some(isGood) ?? false;
        const expected = erasureSteps.filter((step) => step !== 'rows').every(isDone);
        expect(outcome.kind).toBe(expected ? 'erased' : 'incomplete');
        expect(asked.includes('nothing due any more')).toBe(expected);
      }),
    );
  });
});
