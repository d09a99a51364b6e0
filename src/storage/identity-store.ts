/**
 * What both stores of an identity can do: the one in a file, and the one in a database.
 */
import type { SessionStore } from '../session/store.ts';
import type { Move } from './moving.ts';
import type { FileKey, Lock } from './sqlcipher.ts';
import type { Statements } from './statements.ts';

/**
 * How an identity compares with the mark of this machine:
 *
 * - `current`: as new as the mark or newer. So is a file without a mark that was never written to, and any identity where
 *   no mark is kept or the mark cannot be read.
 * - `rolled-back`: older than its mark, because it was restored or another copy of it is in use.
 * - `unmarked`: it was written to, and not on this machine. Whether it is the newest copy, only its owner knows. So is one
 *   in a database on another server than that of its last commit, whatever its mark says.
 * - `joined`: in a database that is the newest copy, and not used on this machine before.
 */
export type Standing = 'current' | 'rolled-back' | 'unmarked' | 'joined';

/** An identity that is open. */
export interface IdentityStore extends SessionStore {
  /** The name of the identity. */
  readonly name: string;
  /** What the store is called in messages: the path of the file as it was given, or the address of the database. */
  readonly path: string;
  /** The version of the schema. */
  readonly schema: number;
  /** How it compares with its mark. Writing to it makes its generation the highest again. */
  readonly standing: Standing;
  /** Why the mark could not be read or written, if so. */
  readonly markTrouble: string | undefined;
  /** 16 bytes, with which the key may have been derived. */
  readonly salt: Uint8Array;
  /** The move that has begun: the identity may be used elsewhere already. `undefined`: none. */
  readonly move: Move | undefined;
  /** Grows with every commit. */
  generation(): number | Promise<number>;
  /** Whether this is the present key. Takes the same time whatever the answer. */
  hasKey(key: FileKey): boolean;
  /** Marks the identity as it is: the caller knows that it is the newest copy. */
  mark(): void | Promise<void>;
  /**
   * Encrypts it under another key and salt, and closes the store. Older copies keep the old key.
   * @throws `not-rekeyed`, `busy`, and others: it keeps the old key then, and the store stays open. `commit-unknown`: it has
   * one of the two.
   */
  rekey(next: Lock): void | Promise<void>;
  /**
   * Writes a consistent copy as an identity file, under the same key.
   * @throws `exists`, `cannot-create`.
   */
  backup(path: string): void | Promise<void>;
  /** Returns the bytes of an identity file that is a consistent copy, under the same key. */
  copy(): Uint8Array | Promise<Uint8Array>;
  /**
   * Checks everything that is stored.
   * @returns one sentence for each problem.
   */
  check(): Promise<readonly string[]>;
  /** The id of the move by which the identity has come here, 16 bytes; `undefined`: by none. */
  arrivedBy(): Promise<Uint8Array | undefined>;
  /**
   * Notes, durably, that the identity is being moved to a place. From then on no process writes to it: `transaction` throws
   * `moving`, also where the store was opened before.
   * @throws `moving` where it is already.
   */
  leaveBy(move: Move): Promise<void>;
  /**
   * Notes, durably, which machine may make the identity at its destination; `undefined`: none, as it may have been made.
   * @param id of the move by which it has left.
   * @throws `moving` where it has not.
   */
  letMake(id: Uint8Array, host: string | undefined): Promise<void>;
  /**
   * The identity stays here: the next transaction ends the move that was seen when the store was opened, and none that has
   * begun since. It has to hold all sessions, which may be used there.
   */
  stay(): void;
  /** Copies all rows, as they were at one time, into a database with the same tables and without rows. */
  copyRowsInto(to: Statements): void | Promise<void>;
  /**
   * Deletes the identity here, and closes the store.
   * @param id of the move by which it has left.
   * @throws `moving` where it has not.
   */
  remove(id: Uint8Array): void | Promise<void>;
  /** Closes the store, and rolls back an open transaction. */
  close(): void | Promise<void>;
}
