/** What the thread of scripts/mutate/warm-thread.ts runs: vitest's own, that forgets which files have changed. */
import { parentPort } from 'node:worker_threads';
import { init, runBaseTests, setupEnvironment } from 'vitest/worker';

type Modules = Parameters<NonNullable<Parameters<typeof init>[0]['onModuleRunner']>>[0];

const port = parentPort;
if (!port) throw new TypeError('warm-worker.ts runs in a thread');
let modules: Modules['evaluatedModules'] | undefined;

init({
  post: (message) => port.postMessage(message),
  on: (listener) => port.on('message', listener),
  off: (listener) => port.off('message', listener),
  setup: setupEnvironment,
  teardown: () => port.removeAllListeners('message'),
  onModuleRunner: (runner) => {
    modules = runner.evaluatedModules;
  },
  runTests(state, traces) {
    for (const file of state.ctx.invalidates ?? []) {
      for (const module of modules?.getModulesByFile(file) ?? []) modules?.invalidateModule(module);
    }
    return runBaseTests('run', state, traces);
  },
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
});
