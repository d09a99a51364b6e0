import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../errors.ts';
import type { IdentityRecord } from '../identity-record.ts';
import { Connection } from './connection.ts';
import type { Lock } from './database.ts';
import { reasonOf } from './database-errors.ts';
import { applyMigrations } from './migrations.ts';

/**
 * Makes an identity file, for our eyes only (mode 0600). It is built under another name and put in place when it is
 * whole and durable; whatever happens, nothing else is left behind, and a file that is there is never replaced.
 * @throws `exists`, `cannot-create`.
 */
export function createIdentityFile(path: string, lock: Lock, record: IdentityRecord): void {
  // The journal of a file that has gone would be played back into a new one of its name.
  for (const taken of [path, `${path}-journal`]) if (existsSync(taken)) throw new PawlError('exists', { path: taken });
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    // Before the database does, which would let others read it.
    makeEmpty(draft);
    try {
      build(draft, lock, record);
      putInPlace(draft, path);
      syncFolder(dirname(path));
    } finally {
      rmSync(draft, { force: true });
      rmSync(`${draft}-journal`, { force: true });
    }
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path }, { cause });
    const reason = cause instanceof PawlError && 'reason' in cause.detail ? cause.detail.reason : reasonOf(cause);
    throw new PawlError('cannot-create', { path, reason }, { cause });
  }
}

/** One transaction, whose commit makes it durable. */
function build(path: string, lock: Lock, { name, identity, createdAt }: IdentityRecord): void {
  const connection = new Connection(path, lock, 0);
  try {
    // Works only while a file is empty. It lets the file shrink again.
    connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
    connection.atomically(() => {
      applyMigrations(connection);
      connection.run(
        'INSERT INTO identity (id, name, seed, public_key, created_at) VALUES (1, @name, @seed, @key, @createdAt)',
        { name, seed: identity.seed, key: identity.key, createdAt },
      );
    });
  } finally {
    connection.close();
  }
}

/** A link fails where a file is, as a rename does not. */
function putInPlace(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // No links on this filesystem: an empty file of ours keeps the place until the whole one replaces it.
    makeEmpty(path);
    try {
      renameSync(draft, path);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }
}

function makeEmpty(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
