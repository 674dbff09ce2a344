/** What the process of scripts/mutate/warm-process.ts runs: vitest's own, that forgets which files have changed. */
import { init, runBaseTests, setupEnvironment } from 'vitest/worker';

type Modules = Parameters<NonNullable<Parameters<typeof init>[0]['onModuleRunner']>>[0];

// Tests replace parts of `process`.
const send = process.send?.bind(process);
const [on, off] = [process.on.bind(process), process.off.bind(process)];
const exit = process.exit.bind(process);
if (!send) throw new TypeError('warm-worker.ts runs in a process that vitest starts');
let modules: Modules['evaluatedModules'] | undefined;

on('disconnect', () => exit(1));
init({
  post: (message) => send(message),
  on: (listener) => on('message', listener),
  off: (listener) => off('message', listener),
  setup: setupEnvironment,
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
