import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, readInput } from '../../../src/cli/stream/read.ts';
import { fakeIo, temporaryFolder } from '../fake-io.ts';

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

  it('says which file there is not', async () => {
    const folder = temporaryFolder();
    const missing = await readInput(fakeIo(), join(folder, 'missing'), LIMIT).catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: 'missing-file', detail: { path: join(folder, 'missing') } });
  });
});
