import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquaint, CollectedOutput, type Person } from '../../fake-io.ts';

/** An alice and a bob, and files that lie with bob: `message 0` and so on from alice, and others. */
async function withFiles(count: number, others: Readonly<Record<string, string>> = {}) {
  const { alice, bob } = await acquaint();
  for (let n = 0; n < count; n++) writeFileSync(at(bob, `${n}`), await alice.send('bob', `text ${n}\n`));
  for (const [name, text] of Object.entries(others)) writeFileSync(at(bob, name), text);
  return { alice, bob, file: (name: string) => at(bob, name) };
}

function at({ folder }: Person, name: string): string {
  return join(folder, name);
}

describe('of many inputs', () => {
  it('a missing or unreadable one is told, and keeps none of the others back', async () => {
    const { bob, file } = await withFiles(3);
    mkdirSync(file('folder'));
    const inputs = ['0', 'gone', '1', 'folder', 'lost', '2'].map(file);
    const { exit, text, errors } = await bob.run(['recv', ...inputs]);
    expect(text).toBe('text 0\ntext 1\ntext 2\n');
    expect(exit).toBe(66);
    expect(errors).toBe(
      `error: there is no file ${file('gone')}\nhint: check the name\n` +
        `error: ${file('folder')} cannot be read: it is a folder\n` +
        `error: there is no file ${file('lost')}\nhint: check the name\n`,
    );
    expect((await bob.run(['recv', file('folder'), file('gone')])).exit).toBe(74);
  });

  it('a missing one is an error on standard error with --json, and comes before what --exit-code says', async () => {
    const { bob, file } = await withFiles(1);
    const { exit, text, errors } = await bob.run(['recv', '--json', '--exit-code', file('gone'), file('0')]);
    expect(exit).toBe(66);
    expect(JSON.parse(text)).toMatchObject({ type: 'message', text: 'text 0\n' });
    expect(JSON.parse(errors)).toMatchObject({ type: 'error', code: 'missing-file', exit: 66 });
    expect((await bob.run(['recv', '--exit-code', file('gone'), file('0')])).exit).toBe(66);
    expect((await bob.run(['recv', '--exit-code', file('0')])).exit).toBe(79);
  });

  it('a message that is refused counts before one that is missing', async () => {
    const { bob, file } = await withFiles(1);
    writeFileSync(file('bad'), Buffer.from(readFileSync(file('0'))).fill(0, 200));
    expect((await bob.run(['recv', file('gone'), file('0'), file('bad')])).exit).toBe(65);
  });

  it('asks for no passphrase where none can be read', async () => {
    const { bob, file } = await withFiles(0);
    const run = await bob.run(['recv', file('gone'), file('lost')], undefined, {
      openTerminal: () => {
        throw new Error('a question');
      },
    });
    expect(run.exit).toBe(66);
    expect(run.errors.match(/there is no file/g)).toHaveLength(2);
  });

  it('those without an envelope are told in one line, and no error if another has one', async () => {
    const others = { a: 'dear bob', b: '', c: 'regards', d: ' \n' };
    const { bob, file } = await withFiles(1, others);
    const inputs = ['a', 'b', '0', 'c', 'd'].map(file);
    const { exit, text, errors } = await bob.run(['recv', ...inputs]);
    expect({ exit, text }).toEqual({ exit: 0, text: 'text 0\n' });
    expect(errors).toBe(`pawl: 4 of 5 inputs have no envelope: ${file('a')}, ${file('b')}, ${file('c')} and 1 more\n`);
  });

  it('one with a broken envelope is not among them', async () => {
    const { bob, file } = await withFiles(1, { end: 'it was\n-----END PAWL MESSAGE-----\n' });
    const { exit, errors } = await bob.run(['recv', file('0'), file('end')]);
    expect(exit).toBe(65);
    expect(errors).not.toContain('no envelope:');
    expect(errors).toContain('its BEGIN line is not');
  });

  it('that all have none, the error names a few', async () => {
    const { bob, file } = await withFiles(0, { a: 'dear bob', b: '', c: 'regards', d: ' \n' });
    const all = await bob.run(['recv', ...['a', 'b', 'c', 'd'].map(file)]);
    expect(all.exit).toBe(65);
    expect(all.errors).toMatch(/^error: .*a, .*b, .*c and 1 more: this is damaged/);
    const blank = await bob.run(['recv', file('b'), file('d')]);
    expect(blank.exit).toBe(66);
    expect(blank.errors).toContain(`there is nothing to read in ${file('b')}, ${file('d')}`);
  });

  it('each without an envelope is a document with --json', async () => {
    const { bob, file } = await withFiles(1, { a: 'dear bob', c: 'regards' });
    const { exit, text, errors } = await bob.run(['recv', '--json', ...['a', '0', 'c'].map(file)]);
    expect({ exit, errors }).toEqual({ exit: 0, errors: '' });
    const documents = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(documents.map(({ type, code, source }) => [type, code, source])).toEqual(
      expect.arrayContaining([
        ['refused', 'corrupt', `${file('a')}, byte 0`],
        ['message', undefined, undefined],
        ['refused', 'corrupt', `${file('c')}, byte 0`],
      ]),
    );
    expect(documents).toHaveLength(3);
  });
});

describe('what was received before', () => {
  it('is told one by one where it is little, and in one line where it is much', async () => {
    const { bob, file } = await withFiles(5);
    const all = ['0', '1', '2', '3', '4'].map(file);
    await bob.pawl(['recv', ...all]);
    const few = await bob.pawl(['recv', ...all.slice(0, 3)]);
    expect(few.errors.match(/byte 0: message \d of alice was received before/g)).toHaveLength(3);
    const many = await bob.pawl(['recv', ...all]);
    expect(many.errors.split('\n')[0]).toBe('pawl: 5 messages of alice were received before');
    expect(many.errors.match(/received before/g)).toHaveLength(2);
  });

  it('is a document each with --json', async () => {
    const { bob, file } = await withFiles(5);
    const all = ['0', '1', '2', '3', '4'].map(file);
    await bob.pawl(['recv', ...all]);
    const documents = await bob.documents<{ type: string }>(['recv', ...all]);
    expect(documents.map(({ type }) => type)).toEqual(Array(5).fill('duplicate'));
  });

  it('is told after the texts of the same input', async () => {
    const { alice, bob, file } = await withFiles(1);
    await bob.pawl(['recv', file('0')]);
    writeFileSync(file('new'), await alice.send('bob', 'new\n'));
    const { text, errors } = await bob.pawl(['recv', file('0'), file('new')]);
    expect(text).toBe('new\n');
    expect(errors).toMatch(/message \d of alice was received before\n$/);
  });
});

describe('recv --format', () => {
  it('writes a record for each text, to a pipe and to a file', async () => {
    const { bob, file } = await withFiles(3);
    const format = ['--format', '%from: %{text}\\0'];
    expect((await bob.pawl(['recv', ...format, file('0'), file('1')])).text).toBe('alice: text 0\n\0alice: text 1\n\0');
    await bob.pawl(['recv', ...format, '-o', file('out'), file('2')]);
    expect(readFileSync(file('out'), 'utf8')).toBe('alice: text 2\n\0');
  });

  it('tells on a terminal what may have come before, which its records do not', async () => {
    const { bob, file } = await withFiles(1);
    const failing = Object.assign(new CollectedOutput(), {
      write: async () => {
        throw new Error('the pipe is broken');
      },
    });
    await bob.run(['recv', file('0')], undefined, { output: failing });
    const run = await bob.onTerminal(['recv', '--waiting', '--format', '%from: %text'], undefined);
    expect(run.text).toBe('alice: text 0\n');
    expect(run.errors).toBe('pawl: this text of alice may have come before\n');
  });

  it.each([['--json'], ['--lines'], ['--out-dir', '.']])('does not go with %s', async (...options) => {
    const { bob, file } = await withFiles(1);
    const { exit, text, errors } = await bob.run(['recv', '--format', '%text', ...options, file('0')]);
    expect({ exit, text }).toEqual({ exit: 64, text: '' });
    expect(errors).toContain(`--format and ${options[0]} do not go together`);
    expect(await bob.recv(readFileSync(file('0')))).toBe('text 0\n');
  });
});
