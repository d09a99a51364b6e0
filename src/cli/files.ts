import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../errors.ts';
import { concat, toHex } from '../primitives/index.ts';
import type { Io } from './io.ts';

/** The bytes of a file. @throws `missing-file`, `read-failed`. */
export function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw new PawlError('missing-file', { path }, { cause });
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/** All of a file, or of standard input where it is `-` or not given. @throws `missing-file`, `read-failed`. */
export async function readInput(io: Io, path: string | undefined): Promise<Uint8Array> {
  if (path !== undefined && path !== '-') return readFile(path);
  const chunks: Uint8Array[] = [];
  for await (const chunk of io.input.chunks) chunks.push(chunk);
  return concat(...chunks);
}

/** Puts `bytes` in place of whatever is at `path`, all at once, for our eyes only. @throws `write-failed`. */
export function writeFile(io: Pick<Io, 'random'>, path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${toHex(io.random(6))}`);
  try {
    createFile(temporary, bytes);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/** Makes a new file of mode 0600 that is on the disk when this returns. Throws what the system throws. */
export function createFile(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The system's words for what went wrong, without its code and path: `permission denied`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/^E[A-Z]+: /, '').replace(/, [a-z]+( '.*)?$/, '');
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
