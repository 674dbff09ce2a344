import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AgentError } from '../../errors.ts';
import type { Frame } from '../../vision/frame.ts';
import { reasonOf } from '../files/file-fault.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { type Deferred, deferred } from '../process/deferred.ts';
import { leaveThread } from '../process/threads.ts';
import type { Fault, FromWorker, ToWorker } from './recognition-worker-loop.ts';

export type RecognitionThread<Event> = {
  /** Settles when the models are loaded; rejects with the reason why they are not. */
  readonly ready: Promise<void>;
  /**
   * One frame at a time; its pixels are copied before this returns control and may be reused then.
   * Rejects with the recognizer's AgentError, or with INTERNAL if the thread is gone.
   */
  recognise(frame: Frame): Promise<readonly Event[]>;
  /** Overwrites what the thread keeps of the visitors, after the frame at work. */
  forget(): void;
  /** Lets the frame at work finish, for at most `closeMs`. May be called twice. */
  close(): Promise<void>;
  /** The thread is gone or, if it hangs, left to itself: undefined as asked, otherwise why. Never rejects. */
  readonly exited: Promise<AgentError | undefined>;
  /** Left to itself, and still there. */
  isLeft(): boolean;
};

export type ThreadOptions = {
  /** A module that calls `serveRecognition`: see `moduleBeside`. */
  readonly workerUrl: URL;
  readonly workerData: unknown;
  /** Size of the one slot through which pixels pass: the largest frame there will be. */
  readonly maxFrameBytes: number;
  /** A frame that takes longer than this hangs: the thread is left to itself, and ends if it ever comes back. */
  readonly hangMs?: number;
  readonly closeMs?: number;
  readonly timers?: Timers;
};

/**
 * Recognition in a thread of its own, so that the main thread stays free (a model's run blocks its
 * thread). Pixels are copied once, into memory both threads share; they are zeros again when the answer comes.
 */
export function startRecognitionThread<Event>(options: ThreadOptions): RecognitionThread<Event> {
  const { workerUrl, workerData, maxFrameBytes } = options;
  const { hangMs = 10_000, closeMs = 800, timers = systemTimers } = options;
  const slot = new SharedArrayBuffer(maxFrameBytes);
  const pixels = new Uint8Array(slot);
  const worker = new Worker(workerUrl, { workerData });
  const send = (message: ToWorker) => worker.postMessage(message);
  const ready = deferred<void>();
  const exited = deferred<AgentError | undefined>();
  let pending: Deferred<readonly Event[]> | undefined;
  let busy = false;
  let closing = false;
  let isLeft = false;
  let fault: AgentError | undefined;

  send({ kind: 'slot', slot });
  worker.on('message', (message: FromWorker<Event>) => {
    switch (message.kind) {
      case 'ready':
        return ready.resolve();
      case 'not-ready':
        fault = errorOf(message.fault);
        endSoon();
        return ready.reject(fault);
      case 'recognised':
        return pending?.resolve(message.events);
      case 'failed':
        return pending?.reject(errorOf(message.fault));
    }
  });
  worker.on('error', (cause) => {
    fault ??= new AgentError('INTERNAL', `the recognition thread failed: ${reasonOf(cause)}`, {
      cause,
    });
  });
  worker.on('exit', (status) => {
    isLeft = false;
    ended(`ended with status ${status}`);
  });

  function ended(how: string): void {
    pixels.fill(0);
    const lost = fault ?? gone(closing ? 'is closed' : how);
    fault = lost;
    ready.reject(lost);
    pending?.reject(lost);
    exited.resolve(closing ? undefined : lost);
  }

  function leave(how: string): void {
    isLeft = true;
    leaveThread(worker);
    ended(how);
  }

  /** It has been told to close, or closes of itself. */
  function endSoon(): void {
    const cancel = timers.after(closeMs, () => leave('does not end'));
    void exited.promise.then(cancel);
  }

  async function recognise(frame: Frame): Promise<readonly Event[]> {
    if (busy) throw new TypeError('recognise() was called while a frame is being examined');
    const { data, ...header } = frame;
    if (data.length > maxFrameBytes) {
      throw new AgentError(
        'IMAGE_TOO_LARGE',
        `a frame of ${data.length} bytes came, the recognition thread takes ${maxFrameBytes}`,
      );
    }
    if (closing) throw gone('is closed');
    if (fault) throw fault;
    busy = true;
    pixels.set(data);
    pending = deferred();
    send({ kind: 'recognise', header: { ...header, sizeBytes: data.length } });
    let cancelHang = () => {};
    try {
      // The worker keeps the request until its models are loaded; only then it can hang.
      await ready.promise;
      cancelHang = timers.after(hangMs, () => {
        if (!closing) send({ kind: 'close' });
        leave(`did not answer within ${hangMs / 1000} s`);
      });
      return await pending.promise;
    } finally {
      cancelHang();
      pending = undefined;
      busy = false;
    }
  }

  async function close(): Promise<void> {
    if (!closing) {
      closing = true;
      send({ kind: 'close' });
      endSoon();
    }
    await exited.promise;
  }

  const forget = () => {
    if (!closing) send({ kind: 'forget' });
  };

  return {
    ready: ready.promise,
    recognise,
    forget,
    close,
    exited: exited.promise,
    isLeft: () => isLeft,
  };
}

/** './worker' beside this module: the .ts file where it runs from source, the .js file where it was built. */
export function moduleBeside(importMetaUrl: string, name: string): URL {
  return new URL(name + extname(fileURLToPath(importMetaUrl)), importMetaUrl);
}

function errorOf({ code, message }: Fault): AgentError {
  return new AgentError(code, message);
}

function gone(how: string): AgentError {
  return new AgentError('INTERNAL', `the recognition thread ${how}`);
}
