import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['agent/**/*.test.ts', 'scripts/**/*.test.ts', 'fixtures/**/*.test.ts'],
    // The device's own processor is emulated in CI: its tests ask for more time with TEST_TIMEOUT_MS.
    testTimeout: Number(process.env['TEST_TIMEOUT_MS'] ?? 20_000),
  },
});
