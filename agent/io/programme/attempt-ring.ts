import {
  type AttemptSlots,
  attemptSlots,
  mostDimensions,
  type RingAttempt,
  slotBytes,
} from './attempt-slots.ts';

/** The recognition thread's end. */
export type RingProducer = {
  /** False: nothing that is offered is written, nor even read. */
  isListening(): boolean;
  /**
   * Copies, if anybody listens and there is room: no wait, no allocation, no throw. No room, or an embedding
   * longer than the ring is made for: dropped and counted.
   */
  offer(attempt: RingAttempt): void;
};

/** The programme thread's end. There is one at a time. */
export type RingConsumer = {
  /** From now on attempts come, or no more. What came before stays until it is taken or wiped. */
  listen(on: boolean): void;
  /** Also: whether whoever had this end before has left it so. */
  isListening(): boolean;
  /**
   * The oldest attempts, at most `most`; each is gone from the ring when `visit` sees it, and the memory of
   * its `values` holds during the visit. Returns how many. What `visit` throws comes through.
   */
  take(most: number, visit: (attempt: RingAttempt) => void): number;
  /** Attempts that found no room, since the last wipe. */
  dropped(): number;
  /**
   * Stops listening and leaves zeros in every slot. An attempt that is being written meanwhile never gets out;
   * its end is waited for, at most 100 ms. False: it did not come, because the recognition thread stands still
   * or fell over in the middle. The slot is zeros all the same, and whatever the thread may still write into it
   * is zeroed by itself, or by the thread that follows it, before anything else.
   */
  wipe(): boolean;
};

/**
 * A ring of 1,024 attempts in memory that two threads share: one writes, one reads. No page of it is used
 * before somebody listens. After the death of either thread another may take its end: at most the attempt
 * at hand is lost, and none comes twice. @throws TypeError on dimensions other than 1 to 1024
 */
export function createAttemptRing(dimensions: number): SharedArrayBuffer {
  if (!(Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= mostDimensions)) {
    throw new TypeError(`a ring is for embeddings of 1 to ${mostDimensions} numbers`);
  }
  const buffer = new SharedArrayBuffer(headerBytes + ringSlots * slotBytes(dimensions));
  new Int32Array(buffer, 0, 5)[dimensionsCell] = dimensions;
  return buffer;
}

export const ringSlots = 1024;

/** @throws TypeError on a buffer that `createAttemptRing` did not make */
export function ringProducer(buffer: SharedArrayBuffer): RingProducer {
  const { header, slots } = openRing(buffer);
  const isFull = (state: number) => countOf(state, Atomics.load(header, tailCell)) >= ringSlots;
  const drop = () => void Atomics.add(header, droppedCell, 1);
  finishInterrupted();

  /** The thread before this one may have ended between two words of a slot. */
  function finishInterrupted(): void {
    const state = Atomics.load(header, stateCell);
    const isInterrupted = Atomics.load(header, writingCell) !== 0;
    // In a full ring the slot at the head is the oldest attempt: it was the last to be published, not interrupted.
    if (isInterrupted && !isFull(state)) slots.clear(headOf(state) % ringSlots);
    Atomics.store(header, writingCell, 0);
  }

  /** A slot is published only under the state that its writing began under. */
  function writeAndPublish(state: number, attempt: RingAttempt): void {
    const slot = headOf(state) % ringSlots;
    try {
      slots.write(slot, attempt);
      const met = Atomics.compareExchange(header, stateCell, state, advanced(state));
      if (met !== state) slots.clear(slot);
    } catch {
      slots.clear(slot);
      drop();
    }
  }

  return {
    isListening: () => isOn(Atomics.load(header, stateCell)),
    offer(attempt) {
      // Before the state is read: whoever turns it off after that sees that a slot is being written.
      Atomics.store(header, writingCell, 1);
      const state = Atomics.load(header, stateCell);
      if (isOn(state)) {
        if (isFull(state)) drop();
        else writeAndPublish(state, attempt);
      }
      Atomics.store(header, writingCell, 0);
    },
  };
}

/** @throws TypeError on a buffer that `createAttemptRing` did not make */
export function ringConsumer(buffer: SharedArrayBuffer): RingConsumer {
  const { header, slots } = openRing(buffer);

  function listen(on: boolean): void {
    // A page of memory that is new costs the recognition thread more than the attempt that is written into it.
    if (on) slots.touch();
    let state = Atomics.load(header, stateCell);
    while (isOn(state) !== on) {
      const met = Atomics.compareExchange(header, stateCell, state, turned(state, on));
      if (met === state) return;
      state = met;
    }
  }

  function isWriterDone(): boolean {
    for (let waitedMs = 0; waitedMs < writerWaitMs; waitedMs++) {
      if (Atomics.load(header, writingCell) === 0) return true;
      Atomics.wait(header, writingCell, 1, 1);
    }
    return Atomics.load(header, writingCell) === 0;
  }

  /** Out of the ring before anybody sees it: whatever happens then, it does not come twice. */
  function takeOne(tail: number): RingAttempt | undefined {
    const attempt = slots.read(tail % ringSlots);
    slots.clear(tail % ringSlots);
    Atomics.store(header, tailCell, (tail + 1) % positions);
    if (!attempt) Atomics.add(header, droppedCell, 1);
    return attempt;
  }

  return {
    listen,
    isListening: () => isOn(Atomics.load(header, stateCell)),
    take(most, visit) {
      let taken = 0;
      try {
        while (taken < most) {
          const tail = Atomics.load(header, tailCell);
          if (countOf(Atomics.load(header, stateCell), tail) === 0) break;
          const attempt = takeOne(tail);
          if (!attempt) continue;
          taken++;
          visit(attempt);
        }
      } finally {
        slots.forget();
      }
      return taken;
    },
    dropped: () => Atomics.load(header, droppedCell) >>> 0,
    wipe() {
      listen(false);
      const isDone = isWriterDone();
      slots.clearAll();
      Atomics.store(header, tailCell, headOf(Atomics.load(header, stateCell)));
      Atomics.store(header, droppedCell, 0);
      return isDone;
    },
  };
}

// The header: whole numbers of 32 bits.
const headerBytes = 64;
const stateCell = 0;
const tailCell = 1;
const droppedCell = 2;
/** 1 while a slot is being written. */
const writingCell = 3;
const dimensionsCell = 4;

/** A write takes a microsecond; a thread that was put aside in the middle comes back within this. */
const writerWaitMs = 100;

/** Positions count twice round the ring, so that full is not empty. */
const positions = 2 * ringSlots;

/**
 * The state is one word, so that one exchange decides: bit 0, whether anybody listens; bits 1 to 11, the
 * position of the next slot; bits 12 to 31, how often the switch was turned. The last make sure that an attempt
 * whose writing began before the switch was turned off and on again does not count as one of afterwards.
 */
const isOn = (state: number) => (state & 1) === 1;
const headOf = (state: number) => (state >>> 1) % positions;
const countOf = (state: number, tail: number) => (headOf(state) - tail + positions) % positions;
const positionBits = (positions - 1) << 1;

function advanced(state: number): number {
  return (state & ~positionBits) | (((headOf(state) + 1) % positions) << 1);
}

function turned(state: number, on: boolean): number {
  return (((state >>> 12) + 1) << 12) | (state & positionBits) | (on ? 1 : 0);
}

function openRing(buffer: SharedArrayBuffer): {
  readonly header: Int32Array<SharedArrayBuffer>;
  readonly slots: AttemptSlots;
} {
  const header = new Int32Array(
    buffer,
    0,
    Math.floor(Math.min(headerBytes, buffer.byteLength) / 4),
  );
  const dimensions = header[dimensionsCell] ?? 0;
  const isRing =
    dimensions >= 1 &&
    dimensions <= mostDimensions &&
    buffer.byteLength === headerBytes + ringSlots * slotBytes(dimensions);
  if (!isRing) throw new TypeError('this shared memory is not a ring of attempts');
  return { header, slots: attemptSlots(buffer, headerBytes, ringSlots, dimensions) };
}
