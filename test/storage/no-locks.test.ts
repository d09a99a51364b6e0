import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquaint } from '../cli/fake-io.ts';
import { type Home, inHome, meet } from '../cli/shell.ts';

// A file system without locks, as NFS without its lock service: fcntl refuses (no-locks.c).

const SOURCE = join(import.meta.dirname, 'no-locks.c');
const canPreload = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

const ENOLCK = 37;
const EOPNOTSUPP = 95;
const EINVAL = 22;

async function refusing(home: Home, folder: string, error: number) {
  const library = home.path('no-locks.so');
  await home.prepare(`cc -shared -fPIC -o ${library} ${SOURCE} -ldl`);
  const environment = { LD_PRELOAD: library, NO_LOCKS: home.path(folder), NO_LOCKS_ERROR: `${error}` };
  return (command: string) => home.run(command, { environment, patience: 20 });
}

function refusal(folder: string) {
  const sentence = `error: the file system of ${folder} does not lock files, and without a lock two commands could use one key twice\n`;
  return { exit: 74, stderr: expect.stringContaining(sentence) };
}

describe.runIf(canPreload)('where files cannot be locked', () => {
  it.each([ENOLCK, EOPNOTSUPP, EINVAL])('no command waits for another pawl, and none writes: error %i', (error) =>
    inHome(async (home) => {
      await meet(home);
      await home.prepare('pawl -i alice send bob -m hi > message');
      const before = home.identities();
      const run = await refusing(home, '.local', error);
      const expected = refusal(home.path('.local/share/pawl'));
      for (const command of ['pawl -i bob recv message', 'pawl -i alice inspect', 'pawl -i alice send bob -m ho']) {
        // It would wait for two minutes for another pawl.
        expect(await run(`timeout 20 ${command} --wait 120`), command).toMatchObject(expected);
      }
      expect(await run('pawl -q init carol')).toMatchObject(expected);
      expect(home.identities()).toEqual(before);
      expect(readdirSync(home.path('.local/share/pawl')).sort()).toEqual(['alice.db', 'bob.db']);
    }),
  );

  it('a backup cannot be made there, and the identity is not said to be in use', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice');
      mkdirSync(home.path('net'));
      const run = await refusing(home, 'net', ENOLCK);
      expect(await run('pawl -i alice backup "$PWD/net/copy.db" --wait 0')).toMatchObject(refusal(home.path('net')));
      expect(readdirSync(home.path('net'))).toEqual([]);
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 0 });
    }));
});

it('a file that another pawl has locked is in use, and the trial leaves nothing behind', async () => {
  const { alice } = await acquaint();
  const before = readdirSync(alice.folder);
  const held = alice.openFile();
  try {
    held.exec('BEGIN IMMEDIATE');
    for (const wait of ['0', '1']) expect(await alice.refusal(['recv', '--wait', wait])).toBe('busy 75');
  } finally {
    held.close();
  }
  expect(readdirSync(alice.folder)).toEqual(before);
});
