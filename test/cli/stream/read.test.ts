import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf, linesOf, readInput } from '../../../src/cli/stream/read.ts';
import type { PawlError } from '../../../src/errors.ts';
import { type FakeIo, fakeIo, temporaryFolder } from '../fake-io.ts';

async function* streamOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function lines(...chunks: Uint8Array[]): Promise<string[]> {
  const read: string[] = [];
  for await (const group of linesOf(streamOf(chunks))) {
    read.push(...group.map((line) => Buffer.from(line).toString('latin1')));
  }
  return read;
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('linesOf', () => {
  it.each([
    ['', []],
    ['\n', ['']],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\n\nb\n', ['a', '', 'b']],
    ['a\r\nb\0\xff\n', ['a\r', 'b\0\xff']],
  ])('finds in %j', async (text, found) => {
    expect(await lines(bytes(text))).toEqual(found);
    expect(await lines(...Array.from(text, bytes))).toEqual(found);
  });

  it('finds the same lines however they are cut into chunks', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '\xff') });
    await fc.assert(
      fc.asyncProperty(fc.array(text), async (chunks) => {
        const whole = chunks.join('');
        const expected = whole.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(await lines(...chunks.map(bytes))).toEqual(expected);
      }),
    );
  });

  it('hands out a line as soon as its newline has come', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield bytes('now\nla');
      throw new Error('asked for more than the first line needs');
    }
    const first = await linesOf(endless()).next();
    expect((first.value ?? []).map((line) => Buffer.from(line).toString())).toEqual(['now']);
  });

  it('hands out lines that later chunks do not change', async () => {
    const chunk = bytes('first\nbegun');
    const iterator = linesOf(streamOf([chunk, bytes(' and ended\n')]));
    const first = await iterator.next();
    chunk.fill(0x58, 0, 6);
    expect((first.value ?? []).map((line) => Buffer.from(line).toString())).toEqual(['first']);
  });
});

describe('chunksOf', () => {
  async function taking(longestLine: number | undefined, isTerminal: boolean, ...texts: string[]): Promise<string> {
    let taken = '';
    const input = { isTerminal, ...(longestLine !== undefined && { longestLine }), chunks: streamOf(texts.map(bytes)) };
    try {
      for await (const chunk of chunksOf({ ...fakeIo(), input })) taken += Buffer.from(chunk).toString();
      return taken;
    } catch (error) {
      return `${taken}${(error as PawlError).code}`;
    }
  }

  it.each([
    [['1234\n'], '1234\n'],
    [['12345\n'], 'cut-line'],
    [['12345'], 'cut-line'],
    [['1234', '5\n'], '12345\n'],
    [['1\n2\n1234\n', '12'], '1\n2\n1234\n12'],
    [['1\n', '1\n12345\n', '2\n'], '1\ncut-line'],
    [[''], ''],
  ])('takes no line that the terminal may have cut: %j', async (texts, taken) => {
    expect(await taking(4, true, ...texts)).toBe(taken);
    expect(await taking(4, false, ...texts)).toBe(texts.join(''));
    expect(await taking(undefined, true, ...texts)).toBe(texts.join(''));
  });

  it('reads what comes after a line that was cut, so that it is left to nobody else', async () => {
    let left = 3;
    async function* typed(): AsyncGenerator<Uint8Array> {
      while (left-- > 0) yield bytes('12345\n');
    }
    const all = chunksOf({ ...fakeIo(), input: { isTerminal: true, longestLine: 4, chunks: typed() } });
    await expect(all.next()).rejects.toMatchObject({ code: 'cut-line', detail: { limit: 4 } });
    expect(left).toBe(-1);
  });
});

describe('readInput', () => {
  const CONTENT = Buffer.from('content');
  const LIMIT = 1_000;
  const chunks = ['stan', 'dard', '', ' input'].map((text) => Buffer.from(text));

  it('reads all of standard input where no file is given, or -', async () => {
    expect(Buffer.from(await readInput(fakeIo({ chunks }), undefined, LIMIT)).toString()).toBe('standard input');
    expect(Buffer.from(await readInput(fakeIo({ chunks }), '-', LIMIT)).toString()).toBe('standard input');
    expect(await readInput(fakeIo(), undefined, LIMIT)).toHaveLength(0);
  });

  it('reads a file, and leaves standard input alone', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, CONTENT);
    const untouched = (function* () {
      yield Buffer.from(new Error('standard input was read').message);
      throw new Error('standard input was read');
    })();
    expect(Buffer.from(await readInput(fakeIo({ chunks: untouched }), path, LIMIT))).toEqual(CONTENT);
  });

  it('takes as much as is allowed, and says how much more there is', async () => {
    const path = join(temporaryFolder(), 'file');
    const refused = (io: Partial<FakeIo>, file?: string) =>
      readInput(fakeIo(io), file, LIMIT).catch((error: PawlError) => error.detail);
    writeFileSync(path, new Uint8Array(LIMIT));
    expect(await readInput(fakeIo(), path, LIMIT)).toHaveLength(LIMIT);
    writeFileSync(path, new Uint8Array(500_000));
    expect(await refused({}, path)).toEqual({ what: 'content', bytes: 500_000, limit: LIMIT });
    expect(await refused({}, '/dev/zero')).toMatchObject({ what: 'content', limit: LIMIT, isLeast: true });
    const input = { isTerminal: false, size: 1_001, chunks: streamOf([]) };
    expect(await refused({ input })).toEqual({ what: 'content', bytes: 1_001, limit: LIMIT });
    const pipe = {
      isTerminal: false,
      chunks: streamOf([new Uint8Array(700), new Uint8Array(700), new Uint8Array(700)]),
    };
    expect(await refused({ input: pipe })).toEqual({ what: 'content', bytes: 1_400, limit: LIMIT, isLeast: true });
  });

  it('says which file there is not', async () => {
    const folder = temporaryFolder();
    const missing = await readInput(fakeIo(), join(folder, 'missing'), LIMIT).catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: 'missing-file', detail: { path: join(folder, 'missing') } });
  });
});
