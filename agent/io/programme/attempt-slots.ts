import { type Stage, type StageTimes, stages } from '../../recognition/stopwatch.ts';
import { failureReasons } from '../../ueip/attempt.ts';
import type { AttemptOutcome } from '../../ueip/attempt-of-event.ts';

/** An attempt on its way from the recognition thread to the programme's. */
export type RingAttempt = AttemptOutcome & {
  /** When it was recorded, by both clocks; whether the first may be trusted is for the reader to say. */
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** The embedding that was compared; undefined: there is none. */
  readonly values: Float32Array | undefined;
};

/** Attempts as bytes, each in a slot of one size. Zeros are no attempt. */
export type AttemptSlots = {
  /** Allocates nothing. @throws RangeError: more values than `dimensions`; the slot may be half written then */
  write(slot: number, attempt: RingAttempt): void;
  /** The memory of `values` is the same at every call. Undefined: there is no whole attempt in this slot. */
  read(slot: number): RingAttempt | undefined;
  clear(slot: number): void;
  /** Makes the system give all the memory now, which it otherwise does page by page when one is first written to. */
  touch(): void;
  clearAll(): void;
  /** Overwrites the embedding that was read last. */
  forget(): void;
};

/** UFC-1 protects no longer embeddings (template/coder.ts), so the door has none. */
export const mostDimensions = 1024;

/** Of one slot: 4 doubles, 2 whole numbers, a float per stage and the total, the embedding; a multiple of 8. */
export function slotBytes(dimensions: number): number {
  return valuesAt + 8 * Math.ceil(dimensions / 2);
}

export function attemptSlots(
  buffer: SharedArrayBuffer,
  offset: number,
  count: number,
  dimensions: number,
): AttemptSlots {
  const stride = slotBytes(dimensions);
  const bytes = new Uint8Array(buffer, offset, count * stride);
  const doubles = new Float64Array(buffer, offset, bytes.length / 8);
  const wholes = new Int32Array(buffer, offset, bytes.length / 4);
  const floats = new Float32Array(buffer, offset, bytes.length / 4);
  const scratch = new Float32Array(dimensions);

  function stagesOf(at: number): StageTimes {
    const times: { [S in Stage]?: number } = {};
    stages.forEach((stage, i) => {
      const ms = floats[at + i] ?? Number.NaN;
      if (!Number.isNaN(ms)) times[stage] = ms;
    });
    return { ...times, total: floats[at + stages.length] ?? 0 };
  }

  return {
    write(slot, attempt) {
      const at = (slot * stride) / 4;
      const { values, stagesMs } = attempt;
      if (values && values.length > dimensions) throw new RangeError('an embedding is too long');
      doubles[at / 2] = attempt.wallMs;
      doubles[at / 2 + 1] = attempt.monotonicMs;
      doubles[at / 2 + 2] = attempt.overheadMs;
      doubles[at / 2 + 3] = attempt.bestScore ?? Number.NaN;
      for (let i = 0; i < stages.length; i++) {
        const stage = stages[i];
        floats[at + stagesAt / 4 + i] = (stage && stagesMs[stage]) ?? Number.NaN;
      }
      floats[at + stagesAt / 4 + stages.length] = stagesMs.total;
      wholes[at + lengthAt / 4] = values?.length ?? 0;
      if (values) floats.set(values, at + valuesAt / 4);
      // Last: until then it is no attempt.
      const { reason } = attempt;
      wholes[at + codeAt / 4] = reason === null ? success : (codes[reason] ?? 0);
    },
    read(slot) {
      const at = (slot * stride) / 4;
      const code = wholes[at + codeAt / 4] ?? 0;
      const length = wholes[at + lengthAt / 4] ?? 0;
      const reason = code === success ? null : failureReasons[code - firstFailure];
      const isWhole = reason !== undefined && length >= 0 && length <= dimensions;
      if (!isWhole) return undefined;
      const bestScore = doubles[at / 2 + 3] ?? Number.NaN;
      scratch.set(floats.subarray(at + valuesAt / 4, at + valuesAt / 4 + length));
      return {
        wallMs: doubles[at / 2] ?? 0,
        monotonicMs: doubles[at / 2 + 1] ?? 0,
        overheadMs: doubles[at / 2 + 2] ?? 0,
        bestScore: Number.isNaN(bestScore) ? null : bestScore,
        result: reason === null ? 'success' : 'failure',
        reason,
        stagesMs: stagesOf(at + stagesAt / 4),
        values: length === 0 ? undefined : scratch.subarray(0, length),
      };
    },
    clear(slot) {
      bytes.fill(0, slot * stride, (slot + 1) * stride);
    },
    touch() {
      // Atomic: whatever another thread writes there meanwhile stays as it is.
      for (let at = 0; at < bytes.length; at += pageBytes) Atomics.or(bytes, at, 0);
    },
    clearAll: () => bytes.fill(0),
    forget: () => scratch.fill(0),
  };
}

// Where things lie in a slot, in bytes.
const codeAt = 32;
const lengthAt = 36;
const stagesAt = 40;
const valuesAt = 80;

const pageBytes = 4096;

const success = 1;
const firstFailure = 2;

/** Looked up, not searched for: an attempt comes once in a while, and finds no code of it in the cache. */
const codes: Readonly<Record<string, number>> = Object.fromEntries(
  failureReasons.map((reason, i) => [reason, firstFailure + i]),
);
