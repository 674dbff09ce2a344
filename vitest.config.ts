import { defineConfig } from 'vitest/config';

/** Nothing here measures time: a limit is for what hangs. Under emulation TEST_TIMEOUT_MS asks for more. */
const limitMs = Number(process.env['TEST_TIMEOUT_MS'] ?? 300_000);

export default defineConfig({
  test: {
    include: ['agent/**/*.test.ts', 'scripts/**/*.test.ts', 'fixtures/**/*.test.ts'],
    testTimeout: limitMs,
    hookTimeout: limitMs,
    // Many tests wait for processes, disks and sockets: every core is worth a worker.
    maxWorkers: '100%',
  },
});
