import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type ErrorCode, PawlError } from '../../src/errors.ts';
import { type FileKey, openIdentityFile, readSalt } from '../../src/storage/index.ts';
import { KEY } from './folder.ts';

/** The known error that `work` throws. */
export async function refusal(work: () => unknown): Promise<PawlError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PawlError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

/** Opening a file is refused with `code`, and leaves every file of its folder byte for byte what it was. */
export async function expectRefused(path: string, code: ErrorCode, key: FileKey = KEY): Promise<PawlError> {
  const before = contents(dirname(path));
  const error = await refusal(() => openIdentityFile(path, { key, salt: readSalt(path) }, { wait: 0 }).close());
  expect(error.code).toBe(code);
  expect(error.detail).toMatchObject({ path });
  expect(contents(dirname(path))).toEqual(before);
  return error;
}

/** The files of a folder with their bytes. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  );
}
