import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { AgentError } from '../../errors.ts';
import { ringConsumer } from '../../io/programme/attempt-ring.ts';
import { openRecordStore } from '../../io/store/record-store.ts';
import type { NewRecord } from '../../ports.ts';

/** 'damaged': the database is overwritten before each time it is opened. */
export type StoringData = {
  readonly ring: SharedArrayBuffer;
  readonly place: Parameters<typeof openRecordStore>[0];
  readonly database: 'sound' | 'damaged';
};

/** What has become of the attempts so far. */
export type Stored = {
  readonly stored: number;
  readonly evicted: number;
  readonly resets: number;
  readonly failures: readonly string[];
};

export type StoringThread = {
  /** Once the thread listens. */
  readonly listening: Promise<void>;
  /** As told last. */
  stored(): Stored;
  end(): Promise<void>;
};

/** A thread that takes attempts out of a ring and keeps them in a real store, as the programme's does. */
export function startStoring(data: StoringData): StoringThread {
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  let last: Stored = { stored: 0, evicted: 0, resets: 0, failures: [] };
  const listening = new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (told: Stored) => {
      last = told;
      resolve();
    });
  });
  return {
    listening,
    stored: () => last,
    // Not by terminate(), which may come while the thread is within SQLite: see io/process/threads.ts.
    end: () =>
      new Promise((resolve) => {
        worker.once('exit', () => resolve());
        worker.postMessage('end');
      }),
  };
}

if (parentPort && isData(workerData)) {
  const { ring, place, database } = workerData;
  const consumer = ringConsumer(ring);
  const failures: string[] = [];
  let [stored, evicted, resets] = [0, 0, 0];
  let isEnded = false;
  parentPort.once('message', () => {
    isEnded = true;
  });
  consumer.listen(true);
  while (!isEnded) {
    parentPort.postMessage({ stored, evicted, resets, failures } satisfies Stored);
    await setTimeout(2);
    const lines: string[] = [];
    consumer.take(100, ({ result, reason }) => lines.push(JSON.stringify({ result, reason })));
    if (lines.length === 0) continue;
    try {
      if (database === 'damaged') writeFileSync(place.file, 'not a database');
      const { store, found } = openRecordStore(place);
      if (found === 'reset') resets++;
      evicted += store.append(lines.map(recordOf)).evicted;
      stored += lines.length;
      store.close();
    } catch (error) {
      failures.push(error instanceof AgentError ? error.code : String(error));
    }
  }
}

function recordOf(line: string): NewRecord {
  const collected = { wallMs: 0, clockTrusted: true, runDay: 0 };
  return { epoch: 1, policyVersion: '1', collected, line: new TextEncoder().encode(line) };
}

function isData(data: unknown): data is StoringData {
  return typeof data === 'object' && data !== null && 'ring' in data && 'place' in data;
}
