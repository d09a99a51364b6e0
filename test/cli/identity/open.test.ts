import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { systemRandom } from '../../../src/primitives/index.ts';
import { fakeIo, temporaryFolder } from '../fake-io.ts';

/** What happens while a key is derived, once for each derivation. */
const meanwhile: (() => Promise<void>)[] = vi.hoisted(() => []);

vi.mock('../../../src/storage/sqlcipher.ts', async (original) => {
  const real = await original<typeof import('../../../src/storage/sqlcipher.ts')>();
  const deriveFileKey: typeof real.deriveFileKey = async (...given) => {
    await meanwhile.shift()?.();
    return real.deriveFileKey(...given);
  };
  return { ...real, deriveFileKey };
});

describe('the derivation of a key', () => {
  it.each([
    ['send bob -m hi', 1],
    ['recv', 1],
    // The present key, and the new one.
    ['passwd --new-passphrase-file words', 2],
  ])('keeps no other pawl waiting: %s', async (line, derivations) => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'words'), 'battery staple', { mode: 0o600 });
    const pawl = async (words: string) => {
      const io = fakeIo({
        arguments: ['--home', home, ...words.replace('words', join(home, 'words')).split(' ')],
        environment: { PAWL_PASSPHRASE: 'correct horse' },
        home: () => home,
        random: systemRandom,
      });
      return { exit: await main(io), errors: io.errors.text };
    };
    await pawl('init alice');
    const others: unknown[] = [];
    const invite = async () => {
      others.push(await pawl('invite carol --wait 0 --quiet'));
    };
    // The other derives its key as well, of which nothing comes.
    for (let i = 0; i < derivations; i++) meanwhile.push(invite, async () => {});
    await pawl(line);
    expect(others).toEqual(Array.from({ length: derivations }, () => ({ exit: 0, errors: '' })));
  });
});

describe('a passphrase that does not come from the terminal', () => {
  it.each([
    ['right', 'correct horse', 0, 1],
    ['wrong', 'incorrect horse', 77, 1],
    ['wrong in each of its forms', 'cafe\u0301', 77, 2],
  ])('is read once, and costs a derivation for each form: %s', async (_, words, expected, derivations) => {
    const home = temporaryFolder();
    const given = { home: () => home, random: systemRandom };
    const init = { ...given, arguments: ['--home', home, 'init', 'alice'] };
    await main(fakeIo({ ...init, environment: { PAWL_PASSPHRASE: 'correct horse' } }));
    const count = { derived: 0, run: 0 };
    const derived = async () => {
      count.derived++;
    };
    meanwhile.push(...Array.from({ length: 9 }, () => derived));
    const io = fakeIo({
      ...given,
      arguments: ['--home', home, '--passphrase-command', 'any', 'inspect'],
      runCommand: () => {
        count.run++;
        return { output: Buffer.from(`${words}\n`), failure: undefined };
      },
    });
    expect([await main(io), count]).toEqual([expected, { derived: derivations, run: 1 }]);
    meanwhile.length = 0;
  });
});
