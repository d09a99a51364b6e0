import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { fakeIo, Person, temporaryFolder } from '../fake-io.ts';

const COMPLETE = ['complete', 'send', ''];
const MODE = 0o777;

function modeOf(path: string): number {
  return lstatSync(path).mode & 0o7777;
}

/** Alice, her file, and a command that only reads. */
async function alice() {
  const person = await Person.named('alice');
  const file = join(person.folder, 'alice.db');
  return { person, file, inspect: () => person.run(['inspect']) };
}

describe('an identity file that others can read or write', () => {
  it.each([0o644, 0o604, 0o640, 0o602, 0o620, 0o666])('is its owner’s alone from then on: %o', async (mode) => {
    const { file, inspect } = await alice();
    chmodSync(file, mode);
    const { errors, exit } = await inspect();
    expect([exit, errors]).toEqual([0, `pawl: ${file} could be read by others: its mode is 0600 now\n`]);
    expect(modeOf(file)).toBe(0o600);
    expect((await inspect()).errors).toBe('');
  });

  it('keeps a mode that is strict enough', async () => {
    const { file, inspect } = await alice();
    chmodSync(file, 0o400);
    expect((await inspect()).errors).toBe('');
    expect(modeOf(file)).toBe(0o400);
  });

  it('is the one that a link leads to', async () => {
    const { person, file, inspect } = await alice();
    const elsewhere = join(temporaryFolder(), 'moved.db');
    copyFileSync(file, elsewhere);
    chmodSync(elsewhere, 0o644);
    renameSync(file, join(person.folder, 'before'));
    symlinkSync(elsewhere, file);
    expect((await inspect()).errors).toContain('its mode is 0600 now');
    expect(modeOf(elsewhere)).toBe(0o600);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
  });

  it.runIf(process.getuid?.() === 0)('stays as it is where it belongs to somebody else, and that is told', async () => {
    const { file, inspect } = await alice();
    chownSync(file, 65_534, 65_534);
    chmodSync(file, 0o640);
    expect((await inspect()).errors).toMatch(/can be read by others, and its mode cannot be changed\n$/);
    expect(modeOf(file)).toBe(0o640);
  });

  it('stays as it is while names are completed, or while nothing was asked for', async () => {
    const { person, file } = await alice();
    await person.pawl(['invite', 'bob']);
    chmodSync(file, 0o644);
    chmodSync(person.folder, 0o777);
    for (const parameters of [COMPLETE, []]) expect((await person.run(parameters)).errors).not.toContain('pawl: ');
    expect(modeOf(file)).toBe(0o644);
  });
});

describe('what only has the name of an identity file', () => {
  const FOREIGN: readonly (readonly [string, (path: string) => void])[] = [
    ['a file of another program', (path) => writeFileSync(path, Buffer.alloc(8_192, 'other'), { mode: 0o644 })],
    [
      'a plain database',
      (path) => writeFileSync(path, Buffer.from('SQLite format 3\0'.padEnd(8_192)), { mode: 0o644 }),
    ],
    ['a folder', (path) => mkdirSync(path, { mode: 0o755 })],
    [
      'a link to a file',
      (path) => {
        const target = join(path, '..', 'target');
        writeFileSync(target, Buffer.alloc(8_192, 'other'), { mode: 0o644 });
        symlinkSync(target, path);
      },
    ],
  ];

  it.each(FOREIGN)('keeps its mode: %s', async (_, make) => {
    const { person, file } = await alice();
    renameSync(file, join(person.folder, 'before'));
    make(file);
    chmodSync(file, statSync(file).mode | 0o044);
    const before = statSync(file).mode;
    for (const parameters of [['inspect'], ['send', 'bob', '-m', 'hi'], ['passwd'], COMPLETE, []]) {
      const { errors } = await person.run(parameters);
      expect(errors, parameters.join(' ')).not.toContain('could be read');
      expect(statSync(file).mode, parameters.join(' ')).toBe(before);
    }
  });

  it('keeps its mode where the key does not fit: an identity of somebody else', async () => {
    const [{ person, file }, other] = [await alice(), await alice()];
    await other.person.pawl(['passwd', '--new-key-file', join(other.person.folder, 'another')]);
    copyFileSync(other.file, file);
    chmodSync(file, 0o644);
    expect((await person.run(['inspect'])).exit).toBe(77);
    expect(modeOf(file)).toBe(0o644);
  });
});

describe('a home that others can write to', () => {
  it.each([0o777, 0o1777, 0o720, 0o702])('is told with each command, once: %o', async (mode) => {
    const { person, inspect } = await alice();
    const { folder } = person;
    chmodSync(folder, mode);
    const told = `pawl: others can write to ${folder}, and replace or add files there: chmod go-w ${folder}\n`;
    for (let time = 0; time < 2; time++) expect((await inspect()).errors).toBe(told);
    expect((await person.run(['invite', 'bob', '-q'])).errors).toBe(told);
    const key = join(temporaryFolder(), 'key');
    expect((await person.run(['init', 'zoe', '-q', '--key-file', key])).errors).toBe(told);
    expect(modeOf(folder)).toBe(mode);
  });

  it.each([0o755, 0o750, 0o1700])('is not told of one that is his alone: %o', async (mode) => {
    const { person, inspect } = await alice();
    chmodSync(person.folder, mode);
    expect((await inspect()).errors).toBe('');
  });

  it('may be the one that the file itself is in', async () => {
    const { person, file, inspect } = await alice();
    const open = mkdtempSync(join(temporaryFolder(), 'open-'));
    renameSync(file, join(open, 'alice.db'));
    symlinkSync(join(open, 'alice.db'), file);
    chmodSync(open, MODE);
    expect((await inspect()).errors).toBe(
      `pawl: others can write to ${open}, and replace or add files there: chmod go-w ${open}\n`,
    );
    chmodSync(person.folder, MODE);
    expect((await inspect()).errors.match(/others can write to/g)).toHaveLength(2);
  });
});

describe.runIf(process.getuid?.() === 0)('in the home of another user', () => {
  it('root makes no folders that that user could not use, unless they are named', async () => {
    const home = temporaryFolder();
    chownSync(home, 65_534, 65_534);
    const copy = join(temporaryFolder(), 'alice.db');
    const { person } = await alice();
    await person.pawl(['backup', copy]);
    const key = ['--key-file', join(person.folder, 'key')];
    const run = async (parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
      const io = fakeIo({ arguments: [...key, ...parameters], home: () => home, environment });
      return { exit: await main(io), errors: io.errors.text };
    };
    for (const command of [
      ['init', 'zoe'],
      ['restore', copy],
    ]) {
      const { exit, errors } = await run(command);
      expect([exit, errors]).toEqual([
        73,
        expect.stringContaining('root makes no folders in the home of another user'),
      ]);
      expect(readdirSync(home)).toEqual([]);
    }
    const named = join(home, 'named');
    expect((await run(['--home', named, 'init', 'zoe'])).exit).toBe(0);
    expect((await run(['restore', copy], { PAWL_HOME: join(home, 'also') })).exit).toBe(0);
    expect(readdirSync(home).sort()).toEqual(['also', 'named']);
  });
});
