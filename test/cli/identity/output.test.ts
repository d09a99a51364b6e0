import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquaint, Person, temporaryFolder } from '../fake-io.ts';

/** The files of a folder, and what is in them. */
function contents(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.sort().map((name) => [name, readFileSync(join(folder, name), 'hex')]));
}

/** A person whose identity file is somewhere else, behind a link in the home. */
async function behindALink(): Promise<{ person: Person; elsewhere: string }> {
  const person = await Person.named('alice');
  const elsewhere = temporaryFolder();
  renameSync(join(person.folder, 'alice.db'), join(elsewhere, 'alice.db'));
  symlinkSync(join(elsewhere, 'alice.db'), join(person.folder, 'alice.db'));
  return { person, elsewhere };
}

const BESIDE = ['-journal', '-draft', '-draft-journal', '-wal', '-shm'];

describe('the places of identity files and of what is beside them', () => {
  // The database and passwd remove what is there: a key would be lost, and the identity with it.
  it.each(BESIDE)('are none for a key file, be it there or not: alice.db%s', async (suffix) => {
    const { person, elsewhere } = await behindALink();
    const zoe = (key: string) => ['--key-file', key, 'init', 'zoe'];
    for (const key of [
      join(person.folder, `alice.db${suffix}`),
      join(elsewhere, `alice.db${suffix}`),
      join(person.folder, `zoe.db${suffix}`),
    ]) {
      for (const [path, commands] of [
        [key, [zoe(key), ['passwd', '--new-key-file', key], ['passwd', '--new-passphrase-file', key]]],
        [join(elsewhere, 'link'), [zoe(join(elsewhere, 'link'))]],
      ] as const) {
        if (path !== key) {
          writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 });
          symlinkSync(key, path);
        }
        const before = [contents(person.folder), contents(elsewhere)];
        for (const command of commands) expect(await person.refusal(command), key).toBe('protected 73');
        expect([contents(person.folder), contents(elsewhere)]).toEqual(before);
      }
      for (const path of [key, join(elsewhere, 'link')]) renameSync(path, join(temporaryFolder(), 'away'));
    }
  });

  it('are none for the key file of the first identity of a home that is still to be made', async () => {
    const person = await Person.named('alice');
    const home = join(temporaryFolder(), 'new', 'home');
    for (const suffix of BESIDE) {
      const key = join(home, `zoe.db${suffix}`);
      expect(await person.refusal(['--home', home, '--key-file', key, 'init', 'zoe'])).toBe('protected 73');
      expect(readdirSync(home)).toEqual([]);
    }
  });

  it('are none for a backup, and it is no second identity of the home', async () => {
    const { person, elsewhere } = await behindALink();
    const places = ['zoe.db', ...BESIDE.map((suffix) => `alice.db${suffix}`)].map((name) => join(person.folder, name));
    for (const place of [...places, ...BESIDE.map((suffix) => join(elsewhere, `alice.db${suffix}`))]) {
      expect(await person.refusal(['backup', place]), place).toBe('protected 73');
      expect(existsSync(place)).toBe(false);
    }
    await person.pawl(['backup', join(person.folder, 'alice.backup')]);
  });

  it.each(['db', 'db-journal', 'db-draft'])(
    'are none for a file that a peer names, nor for a result: bob.%s',
    async (end) => {
      const { alice, bob } = await acquaint();
      const file = join(temporaryFolder(), `bob.${end}`);
      writeFileSync(file, 'of a peer');
      const { bytes } = await alice.pawl(['send', 'bob', file]);
      const before = contents(bob.folder);
      // By another name of the folder, too.
      const link = join(temporaryFolder(), 'link');
      symlinkSync(bob.folder, link);
      for (const options of [[], ['--force']]) {
        for (const folder of [bob.folder, link]) {
          const { exit, errors } = await bob.run(['recv', '--out-dir', folder, ...options], bytes);
          expect(exit).toBe(73);
          expect(errors).toMatch(/the file bob\.db.* from alice waits: .* is an identity file/);
        }
      }
      expect([...contents(bob.folder).keys()]).toEqual([...before.keys()]);
      // Nothing is lost: it can be put somewhere else.
      const out = temporaryFolder();
      await bob.pawl(['recv', '--waiting', '--out-dir', out]);
      expect(readFileSync(join(out, `bob.${end}`), 'utf8')).toBe('of a peer');
    },
  );

  it('are none for a journal beside the file that a link leads to', async () => {
    const { person, elsewhere } = await behindALink();
    for (const suffix of BESIDE) {
      const place = join(elsewhere, `alice.db${suffix}`);
      expect(await person.refusal(['invite', 'bob', '-o', place])).toBe('protected 73');
    }
    expect([...contents(elsewhere).keys()]).toEqual(['alice.db']);
  });
});

describe('a folder for received files', () => {
  it('keeps the key file and the input, whatever a peer calls a file, and --force or not', async () => {
    const { alice, bob } = await acquaint();
    const from = temporaryFolder();
    const messages: string[] = [];
    mkdirSync(join(from, 'sent'));
    for (const name of ['key', 'input']) {
      writeFileSync(join(from, 'sent', name), 'of a peer');
      const message = join(bob.folder, name === 'input' ? 'input' : 'message');
      await alice.pawl(['send', 'bob', join(from, 'sent', name), '-o', message]);
      messages.push(message);
    }
    const before = contents(bob.folder);
    const { exit, errors } = await bob.run(['recv', ...messages, '--out-dir', bob.folder, '--force']);
    expect(exit).toBe(73);
    expect(errors).toContain('key is the key file, which is never replaced');
    expect(errors).toContain('input is the input, which is never replaced');
    for (const name of ['key', 'input']) expect(contents(bob.folder).get(name)).toBe(before.get(name));
  });
});
