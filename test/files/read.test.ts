import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAtOnce, readFile } from '../../src/files/index.ts';
import { temporaryFolder } from '../cli/fake-io.ts';

/** Both ends of a pipe; the test closes the one for writing. */
function pipe(): { readonly reader: number; readonly writer: number } {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const both = openSync(path, 'r+');
  const [reader, writer] = [openSync(path, 'r'), openSync(path, 'w')];
  closeSync(both);
  onTestFinished(() => closeSync(reader));
  return { reader, writer };
}

function open(path: string, flags: string | number = 'r'): number {
  const file = openSync(path, flags);
  onTestFinished(() => closeSync(file));
  return file;
}

function read(descriptor: number): { readonly text: string; readonly isAll: boolean } {
  const chunks = readAtOnce(descriptor);
  let text = '';
  for (;;) {
    const { value, done } = chunks.next();
    if (done) return { text, isAll: value };
    text += Buffer.from(value).toString();
  }
}

it('reads what is left of a file, however long', () => {
  const path = join(temporaryFolder(), 'file');
  const long = 'x'.repeat(200_000);
  writeFileSync(path, `begun ${long}`);
  const file = open(path);
  readSync(file, Buffer.alloc(6));
  expect(read(file)).toEqual({ text: long, isAll: true });
  expect(read(file)).toEqual({ text: '', isAll: true });
});

it('reads all of a pipe that nobody writes to any more', () => {
  const { reader, writer } = pipe();
  writeSync(writer, 'all of it');
  closeSync(writer);
  expect(read(reader)).toEqual({ text: 'all of it', isAll: true });
});

it('waits for nothing: of a pipe that may be written to, it reads what is there', () => {
  const { reader, writer } = pipe();
  expect(read(reader)).toEqual({ text: '', isAll: false });
  writeSync(writer, 'the first');
  expect(read(reader)).toEqual({ text: 'the first', isAll: false });
  writeSync(writer, 'the second');
  closeSync(writer);
  expect(read(reader)).toEqual({ text: 'the second', isAll: true });
});

it.runIf(process.platform === 'linux')('leaves to others whether the pipe waits for them', () => {
  const { reader, writer } = pipe();
  expect(read(reader).isAll).toBe(false);
  closeSync(writer);
  const info = execFileSync('cat', [`/proc/${process.pid}/fdinfo/${reader}`]).toString();
  const flags = Number.parseInt(/flags:\s+(\d+)/.exec(info)?.[1] ?? '', 8);
  expect(flags & constants.O_NONBLOCK).toBe(0);
});

it('reads nothing of a device, which may be a terminal', () => {
  expect(read(open('/dev/null'))).toEqual({ text: '', isAll: false });
  expect(read(open('/dev/zero'))).toEqual({ text: '', isAll: false });
});

it('does not take a folder for an empty file', () => {
  const folder = open(temporaryFolder(), constants.O_RDONLY | constants.O_DIRECTORY);
  expect(() => read(folder)).toThrow('EISDIR');
});

describe('readFile', () => {
  it('says why a file cannot be read', () => {
    const folder = temporaryFolder();
    expect(() => readFile(folder, 1_000)).toThrow(
      expect.objectContaining({
        code: 'read-failed',
        detail: { path: folder, reason: 'it is a folder' },
      }),
    );
  });
});
