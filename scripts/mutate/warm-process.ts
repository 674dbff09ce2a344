import { fileURLToPath } from 'node:url';
import { ForksPoolWorker, type PoolRunnerInitializer, type PoolWorker } from 'vitest/node';

type Listener = Parameters<PoolWorker['on']>[1];

/** A process that has run so many test files is replaced: what tests leave behind adds up. */
const mostRuns = 200;

export type WarmProcess = {
  readonly pool: PoolRunnerInitializer;
  /** Ends the process: the next run has a fresh one. */
  renew(): Promise<void>;
};

/**
 * A pool of vitest with one process that outlives the runs. Starting one takes ten times longer than most
 * unit tests; in a warm one, only the project's own modules are loaded anew for each test file (vitest does
 * so where files are isolated). A process that was ended by force, or died, is replaced.
 * @param changed the files whose text is another since the run before
 */
export function warmProcess(changed: () => string[]): WarmProcess {
  let warm: OwnProcess | undefined;
  let runs = 0;

  const createPoolWorker: PoolRunnerInitializer['createPoolWorker'] = (options): PoolWorker => {
    const listeners: { readonly event: string; readonly listener: Listener }[] = [];
    const isWarm = warm !== undefined;
    const here = warm ?? new OwnProcess(options);
    let isAskedToStop = false;
    const answer = (type: 'started' | 'stopped') => {
      const message = { type, __vitest_worker_response__: true };
      for (const { event, listener } of [...listeners]) if (event === 'message') listener(message);
    };
    return {
      name: 'warm-process',
      cacheFs: here.cacheFs,
      on(event, listener) {
        listeners.push({ event, listener });
        here.on(event, listener);
      },
      off: (event, listener) => here.off(event, listener),
      send(message) {
        if (message.type === 'stop') {
          isAskedToStop = true;
          queueMicrotask(() => answer('stopped'));
        } else if (message.type === 'start' && isWarm) {
          queueMicrotask(() => answer('started'));
        } else if (message.type === 'run') {
          here.send({ ...message, context: { ...message.context, invalidates: changed() } });
        } else {
          here.send(message);
        }
      },
      deserialize: (message) => message,
      async start() {
        if (!isWarm) await here.start();
        warm = here;
        runs = isWarm ? runs + 1 : 1;
      },
      async stop() {
        for (const { event, listener } of listeners) here.off(event, listener);
        // Who ends it by force does not ask before.
        if (isAskedToStop && runs < mostRuns) return;
        warm = undefined;
        await here.stop();
      },
    };
  };
  return {
    pool: { name: 'warm-process', createPoolWorker },
    async renew() {
      const old = warm;
      warm = undefined;
      await old?.stop();
    },
  };
}

class OwnProcess extends ForksPoolWorker {
  protected override readonly entrypoint = fileURLToPath(
    new URL('warm-worker.ts', import.meta.url),
  );
}
