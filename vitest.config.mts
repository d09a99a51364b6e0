/**
 * What `npm test` and `npm run test:quick` run: two projects, of which the quick one is all but `SLOW`.
 * Sets up the environment of the tests, so that they do not depend on where the checkout and the temporary folder are.
 */
import { realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Every other test file is quick. One belongs here that takes over 5 s of processor time, most of them in processes. */
const SLOW = [
  // Hundreds of processes of the built program.
  'test/cli/bad-input.test.ts',
];

export default defineConfig({
  test: {
    // Some tests start the program itself, which takes a moment when two of them run side by side.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    env: { TMPDIR: temporaryFolder() },
    projects: [
      { extends: true, test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: SLOW } },
      { extends: true, test: { name: 'slow', include: SLOW } },
    ],
  },
});

/** As root, some tests act as the user nobody, who may not get into a temporary folder that is root's alone. */
function temporaryFolder(): string {
  const places = [tmpdir(), '/tmp', '/var/tmp', '/dev/shm'];
  return process.getuid?.() === 0 ? (places.find(isOpenToAll) ?? tmpdir()) : tmpdir();
}

/** Whether every user can enter the folder and all those above it. */
function isOpenToAll(place: string): boolean {
  try {
    for (let folder = realpathSync(place); ; folder = dirname(folder)) {
      if ((statSync(folder).mode & 0o001) === 0) return false;
      if (folder === dirname(folder)) return true;
    }
  } catch {
    return false;
  }
}
