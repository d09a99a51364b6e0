import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, inHome, meet } from './shell.ts';

// `send -e` with processes: what the editor gets, and what is left.

/** What editors have left. Others may run tests beside this one. */
function leftBy(home: Home): readonly string[] {
  const seen = home.read('seen').toString().trim().split('\n');
  return seen.filter((path) => existsSync(path) || existsSync(path.replace(/\/[^/]*$/, '')));
}

const EDITOR = 'echo "$1" >> seen; ls -l "$1" > mode; env > environment; ';

function withEditor(home: Home, script: string): void {
  home.write('editor', `#!/bin/sh\n${EDITOR}${script}\n`, 0o700);
}

describe('an editor', () => {
  it('gets a file of the user alone, and none of our variables; what it writes is sent, and nothing is left', () =>
    inHome(async (home) => {
      await meet(home);
      withEditor(home, 'printf "%s\\n" "written at leisure" > "$1"');
      const environment = { VISUAL: './editor', EDITOR: 'false', PAWL_IDENTITY: 'alice', PGPASSWORD: 'sesame' };
      await home.prepare('pawl send bob -e > bob.pawl', { environment });
      expect((await home.prepare('pawl -i bob recv bob.pawl')).stdout.toString()).toBe('written at leisure');
      expect(home.read('mode').toString()).toMatch(/^-rw------- /);
      expect(home.read('environment').toString()).not.toMatch(/PAWL_|PGPASSWORD/);
      expect(leftBy(home)).toEqual([]);
    }));

  it('may have arguments, and other files beside its own', () =>
    inHome(async (home) => {
      await meet(home);
      home.write('editor', '#!/bin/sh\necho "$3" > seen; cp "$3" "$3~"; echo "$1 $2" > "$3"\n', 0o700);
      const environment = { VISUAL: '', EDITOR: './editor --wait "a word"' };
      await home.prepare('pawl -i alice send bob -e | pawl -i bob recv > got', { environment });
      expect(home.read('got').toString()).toBe('--wait a word');
      expect(leftBy(home)).toEqual([]);
    }));

  it.each([
    [
      'fails',
      'echo text > "$1"; exit 3',
      66,
      /^error: nothing is sent: the editor "\.\/editor" failed: exit 3\nhint: /,
    ],
    ['writes nothing', ':', 66, /^error: there is nothing to send: what the editor wrote is empty/],
    ['removes its file', 'rm "$1"', 66, /^error: there is nothing to send/],
  ])('that %s has nothing sent', (_, script, exit, words) =>
    inHome(async (home) => {
      await meet(home);
      withEditor(home, script);
      const before = home.identities();
      const ran = await home.run('pawl -i alice send bob -e', { environment: { EDITOR: './editor' } });
      expect([ran.exit, ran.stdout.length, ran.stderr]).toEqual([exit, 0, expect.stringMatching(words)]);
      expect([leftBy(home), home.identities()]).toEqual([[], before]);
    }),
  );

  it('is ended with pawl, and its file is gone', () =>
    inHome(async (home) => {
      await meet(home);
      home.write(
        'editor',
        '#!/bin/sh\necho "$1" > seen; echo secret > "$1"; mv seen.pid begun; exec sleep 60\n',
        0o700,
      );
      home.write('seen.pid', '');
      const { exit } = await home.run(
        `pawl -i alice send bob -e & pid=$!
        until [ -e begun ]; do read -t 0.05 < <(:) || :; done; kill -TERM $pid; wait $pid`,
        { environment: { EDITOR: 'exec ./editor' } },
      );
      expect([exit, leftBy(home)]).toEqual([143, []]);
    }));

  it.each(['INT', 'TERM', 'HUP'])('that has ended leaves nothing where SIG%s comes just then', (signal) =>
    inHome(async (home) => {
      await meet(home);
      // It takes a while to read and to overwrite the text: the signal comes in the midst of that.
      withEditor(
        home,
        `head -c 8000000 /dev/zero | tr '\\0' a > "$1"
        (while kill -0 $$; do :; done; for i in $(seq 2000); do :; done; kill -${signal} $PPID) 2> no-errors > no-output &`,
      );
      const environment = { EDITOR: 'exec ./editor', PAWL_IDENTITY: 'alice' };
      await home.run('exec pawl send bob -e > bob.pawl', { environment });
      expect(leftBy(home)).toEqual([]);
    }),
  );

  it('is not begun for somebody who is unknown', () =>
    inHome(async (home) => {
      await meet(home);
      withEditor(home, ':');
      const ran = await home.run('pawl -i alice send zoe -e', { environment: { EDITOR: './editor' } });
      expect([ran.exit, readdirSync(home.folder).includes('seen')]).toEqual([67, false]);
    }));
});
