/**
 * Loads the native parts of pawl, SQLite and Argon2id, and tells why one does not load.
 * Uses neither.
 */
import Database from 'better-sqlite3-multiple-ciphers';
import { PawlError } from '../errors.ts';

/** @throws `no-addon`. */
export function loadDatabase(): void {
  try {
    // The package loads its addon when the first database is opened.
    new Database(':memory:').close();
  } catch (cause) {
    throw doesNotLoad('SQLite', cause);
  }
}

/** @throws `no-addon`. */
export async function loadArgon2() {
  try {
    return await import('@node-rs/argon2');
  } catch (cause) {
    throw doesNotLoad('Argon2id', cause);
  }
}

function doesNotLoad(part: 'SQLite' | 'Argon2id', cause: unknown): PawlError {
  return new PawlError('no-addon', { part, why: whyNot(cause), node: process.versions.node }, { cause });
}

/** Argon2id's loader tries several files, and has the messages of their errors in a chain of causes, without codes. */
function whyNot(cause: unknown): 'missing' | 'other-node' | 'other-system' | 'disabled' {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (/addons is disabled/.test(error.message)) return 'disabled';
    if (/^Cannot find (?:module|native binding)/.test(error.message)) continue;
    // A TypeError: what loads is not what the JavaScript beside it calls.
    const isOtherNode =
      error instanceof TypeError || /NODE_MODULE_VERSION|did not self-register|undefined symbol/.test(error.message);
    return isOtherNode ? 'other-node' : 'other-system';
  }
  return 'missing';
}
