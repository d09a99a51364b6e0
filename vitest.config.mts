/**
 * What `npm test` and `npm run test:quick` run: two projects, of which the quick one is all but `SLOW`.
 * Sets up the environment of the tests, so that they do not depend on where the checkout and the temporary folder are.
 */
import { realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * What `npm run test:quick` leaves out: the files that take more than about 5 s of processor time, and some that take 4 s
 * and belong to no room of src. What is left takes less than a minute on two cores.
 */
const SLOW = [
  // Many processes: of the built program, and of others that judge it.
  'test/cli/bad-input.test.ts',
  'test/cli/chat.test.ts',
  'test/cli/commands/completion.test.ts',
  'test/cli/identity/secret.test.ts',
  'test/cli/json.test.ts',
  'test/cli/large-routes.test.ts',
  'test/cli/large-routes-follow.test.ts',
  'test/cli/large-routes-killed.test.ts',
  'test/cli/lying-place.test.ts',
  'test/cli/machines.test.ts',
  'test/cli/memory.test.ts',
  'test/cli/pipes-terminal.test.ts',
  'test/cli/postgres.test.ts',
  'test/cli/start.test.ts',
  'test/cli/terminal.test.ts',
  'test/cli/transcripts.test.ts',
  'test/cli/unlock.test.ts',
  'test/examples.test.ts',
  'test/known-answers/second-implementation.test.ts',
  'test/man-pages.test.ts',
  'test/places/command-place.test.ts',
  'test/places/nats*.test.ts',
  'test/places/pawl-*.test.ts',
  'test/places/ssh.test.ts',
  'test/places/syncthing.test.ts',
  'test/readme.test.ts',
  'test/restore/**/*.test.ts',
  'test/storage/postgres/*.test.ts',
  'test/torture/**/*.test.ts',
  // Many commands in one process, with Argon2id or with identity files made and opened again.
  'test/cli/attention.test.ts',
  'test/cli/clock.test.ts',
  'test/cli/commands/history.test.ts',
  'test/cli/commands/recv/exec.test.ts',
  'test/cli/commands/recv/out-dir.test.ts',
  'test/cli/exec.test.ts',
  'test/cli/exit-codes.test.ts',
  'test/cli/identity/open.test.ts',
  'test/cli/parts*.test.ts',
  'test/cli/people.test.ts',
  'test/cli/schemas.test.ts',
  'test/cli/terminal/progress.test.ts',
  'test/cli/terminal/reporter.test.ts',
  // Long conversations, random or with loss, and searches: models, fuzzing, flipped bits, an explored protocol.
  'test/damage/damage.test.ts',
  'test/envelope/channels.test.ts',
  'test/envelope/scan.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/known-answers/known-answers.test.ts',
  'test/ratchet/model.test.ts',
  'test/session/history.test.ts',
  'test/session/invites.test.ts',
  'test/session/ladder.test.ts',
  'test/session/losses.test.ts',
  'test/session/model.test.ts',
  'test/session/outsiders.test.ts',
  'test/session/rekeying-attacks.test.ts',
  'test/session/rekeying-restored.test.ts',
  'test/session/rekeying.test.ts',
  'test/session/restore.test.ts',
  'test/session/version-1.test.ts',
  'test/storage/alike-history.test.ts',
  'test/storage/alike.test.ts',
  'test/storage/check.test.ts',
  'test/storage/rekey.test.ts',
  'test/storage/schema.test.ts',
  'test/symbolic/**/*.test.ts',
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
