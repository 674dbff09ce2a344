import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { AgentError } from '../../errors.ts';
import { systemTimers } from '../../io/process/clock.ts';
import { serveProgramme } from '../../io/programme/programme-worker-loop.ts';

/** What all threads of a test share: how many are at work, how many were most, how many there have been. */
export const cells = { atWork: 0, most: 1, started: 2, closed: 3, faults: 4, ended: 5 } as const;

export type FakeProgrammeData = {
  readonly shared: SharedArrayBuffer;
  readonly isNeeded: boolean;
  /** Falls over so many times before it opens. */
  readonly fallsAtStart?: number;
  /** Closing takes so long. */
  readonly closeMs?: number;
};

/** A thread of the programme that does what the name of a command says. */
if (parentPort && isData(workerData)) {
  const { shared, isNeeded, fallsAtStart = 0, closeMs = 0 } = workerData;
  const count = new Int32Array(shared);
  let needed = isNeeded;
  const started = Atomics.add(count, cells.started, 1) + 1;
  const atWork = Atomics.add(count, cells.atWork, 1) + 1;
  if (atWork > Atomics.load(count, cells.most)) Atomics.store(count, cells.most, atWork);
  process.on('exit', () => Atomics.sub(count, cells.atWork, 1));
  await serveProgramme(parentPort, systemTimers, async () => {
    if (started <= fallsAtStart) throw new AgentError('INPUT_INVALID', 'the notice is another');
    return {
      handlers: {
        tell: async (given) => given,
        need: async (given) => {
          needed = given === true;
        },
        refuse: async () => {
          throw new AgentError('CONSENT_REFUSED', 'no');
        },
        crash: () => {
          queueMicrotask(() => {
            throw new Error('fell over');
          });
          return new Promise(() => {});
        },
        pieces: async (given, _peer, write) => {
          try {
            for (let n = 0; n < Number(given); n++) await write(Uint8Array.of(n));
            return 'all';
          } finally {
            Atomics.add(count, cells.ended, 1);
          }
        },
      },
      work: () => {},
      fault: () => void Atomics.add(count, cells.faults, 1),
      noteRefusal: () => void Atomics.add(count, cells.faults, 100),
      isNeeded: () => needed,
      close: async () => {
        await setTimeout(closeMs);
        Atomics.add(count, cells.closed, 1);
      },
    };
  });
}

function isData(data: unknown): data is FakeProgrammeData {
  return typeof data === 'object' && data !== null && 'shared' in data;
}
