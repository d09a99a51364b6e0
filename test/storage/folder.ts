import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createIdentityFile, type FileKey, openIdentityFile, type SqliteStore } from '../../src/storage/index.ts';
import { bytesOf, record } from './fixtures.ts';

export const KEY = bytesOf('file key', 32) as FileKey;
export const WRONG_KEY = bytesOf('another file key', 32) as FileKey;
export const SALT = bytesOf('salt', 16);
export const LOCK = { key: KEY, salt: SALT };
/** What `rekey` is given. */
export const NEW_LOCK = { key: WRONG_KEY, salt: bytesOf('another salt', 16) };

/** A folder that goes when the test has finished. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-storage-'));
  onTestFinished(() => {
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** The path of a new identity file in a folder of its own. */
export function newFile(made = record()): string {
  const path = join(temporaryFolder(), `${made.name}.db`);
  createIdentityFile(path, LOCK, made);
  return path;
}

/** An open store, which is closed when the test has finished. `marks`: the folder where it is marked how far a file went. */
export function openStore(path: string, wait = 0, marks?: string): SqliteStore {
  const store = openIdentityFile(path, LOCK, { wait, ...(marks !== undefined && { marks }) });
  onTestFinished(() => store.close());
  return store;
}
