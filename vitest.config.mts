import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Some tests start the program itself, which takes a moment when two of them run side by side.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
