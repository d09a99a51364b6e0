/**
 * One open identity file: statements on it, and the locks that SQLite takes.
 * Knows nothing of tables.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3-multiple-ciphers';
import { isPawlError, PawlError } from '../errors.ts';
import { codeOf, inodeAt, inodeOf, readDescriptor, realPath, reasonOf, sleep } from '../files/index.ts';
import { isForeignHotJournal } from './hot-journal.ts';
import { refusesLocks } from './lock-probe.ts';
import { type Lock, openDatabase, rawKey } from './sqlcipher.ts';
import { sqliteCode } from './sqlite-errors.ts';
import { Statements } from './statements.ts';

/** The pages that SQLite holds in memory, in KiB. */
const CACHE = 2_048;

/** The settings of every connection. The journal mode is a setting of the file: `openIdentityFile` sets it. */
const SETTINGS = `
PRAGMA foreign_keys = ON;
-- Deleted rows are overwritten, and temporary tables and sorters never reach the disk.
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
-- In KiB. Changed pages beyond this are written to the file before the commit, so a large text needs little memory.
PRAGMA cache_size = -${CACHE};
-- EXTRA also syncs the folder after the journal is deleted. Otherwise a power cut could bring the journal back and roll
-- back a commit, and a message key would be used twice. On macOS only fullfsync reaches the disk itself.
PRAGMA synchronous = EXTRA;
PRAGMA fullfsync = ON;
-- A file made by somebody else must not run functions from its schema.
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
`;

/** Does a wait that has taken half a second already, and may tell the person before. */
export type WhileBusy = (wait: () => void) => void;

/** Waits shorter than this are not told to anybody, in milliseconds. */
const SHORT = 500;
/** The longest pause between two attempts to take a lock, in milliseconds. */
const LONGEST_PAUSE = 25;

export class Connection extends Statements {
  /** The absolute path of the file, with symbolic links resolved. */
  readonly file: string;
  readonly #inode: string | undefined;
  readonly #database: Database.Database;
  readonly #wait: number;
  readonly #whileBusy: WhileBusy | undefined;
  /** Descriptors of the file beside those of SQLite. */
  readonly #descriptors: number[] = [];

  /**
   * Opens a file and tries the key on it.
   * @param wait how long to wait for other processes, in milliseconds.
   * @param whileBusy is given the part of a wait for a lock that is longer than half a second.
   * @throws `wrong-passphrase` when the key does not open its first page, or is not that of its hot journal; `replaced`,
   * `read-failed`, `damaged`, `busy`, `no-locks`, `write-failed`.
   */
  constructor(path: string, lock: Lock, wait: number, whileBusy?: WhileBusy) {
    const { database, file, inode } = openFile(path, lock, wait);
    super(database, path);
    this.file = file;
    this.#inode = inode;
    this.#database = database;
    this.#wait = wait;
    this.#whileBusy = whileBusy;
    try {
      // Some of the settings read the schema.
      this.#lock(() => this.#database.exec(SETTINGS));
    } catch (error) {
      this.#database.close();
      const isWrongKey = error instanceof Error && sqliteCode(error.cause) === 'SQLITE_NOTADB';
      throw isWrongKey ? new PawlError('wrong-passphrase', { path }, { cause: error }) : error;
    }
  }

  /**
   * Begins a transaction. IMMEDIATE, to write: no other process writes before it ends. DEFERRED, to read: what it reads
   * stays what it was.
   * @throws `busy`, `no-locks`; `replaced` if another file has taken the name of this one.
   */
  begin(kind: 'IMMEDIATE' | 'DEFERRED'): void {
    this.#lock(() => {
      this.run(`BEGIN ${kind}`);
      // The first read takes the lock.
      if (kind === 'DEFERRED') this.get('PRAGMA user_version');
    });
  }

  /** Runs `work`, which only reads, in one transaction. */
  reading<Result>(work: () => Result): Result {
    this.begin('DEFERRED');
    try {
      return work();
    } finally {
      this.rollback();
    }
  }

  /**
   * Runs `work`, which reads pages more than once, with more memory for them.
   * @param size in KiB.
   */
  caching<Result>(size: number, work: () => Result): Result {
    this.execute(`PRAGMA cache_size = -${size}`);
    try {
      return work();
    } finally {
      this.execute(`PRAGMA cache_size = -${CACHE}`);
    }
  }

  /**
   * Copies the file as it is committed, under the same key and salt.
   * @param draft the path of an empty file.
   */
  copyInto(draft: string): void {
    this.#lock(() => this.run('VACUUM INTO @draft', { draft }), draft);
  }

  /**
   * Reads the bytes of the file, past SQLite. Within a transaction, when nobody can commit, they are a whole database.
   * @throws `replaced`, `read-failed`.
   */
  bytes(): Uint8Array {
    try {
      const descriptor = this.descriptor();
      return readDescriptor(descriptor, this.path, fstatSync(descriptor).size);
    } catch (cause) {
      if (cause instanceof PawlError) throw cause;
      throw new PawlError('read-failed', { path: this.path, reason: reasonOf(cause) }, { cause });
    }
  }

  /**
   * Commits, durably.
   * @throws `busy` when other processes read for too long.
   * @throws `write-failed`.
   */
  commit(): void {
    this.run('COMMIT');
  }

  /** Rolls the transaction back, if there is one. */
  rollback(): void {
    // SQLite itself rolls back after some errors.
    if (this.#database.inTransaction) this.run('ROLLBACK');
  }

  /** Runs `work` in one transaction. */
  atomically(work: () => void): void {
    this.begin('IMMEDIATE');
    try {
      work();
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /**
   * Encrypts the file in place under another key and salt. If a write fails or the process is killed, no key opens the
   * file any more, so this is only for a file that can be created again.
   */
  rekey(lock: Lock): void {
    this.translated(() => {
      const literal = rawKey(lock);
      this.#database.rekey(literal);
      literal.fill(0);
    });
  }

  /**
   * Opens the file for reading once more, past SQLite. The descriptor belongs to the connection, which closes it when it
   * ends itself: closing any descriptor of a file drops all the locks that the process has on it (POSIX), so a file that
   * is open must not be opened and closed in any other way.
   * @throws `replaced` if another file, or what is no regular file, has the name of this one; the errors of the system.
   */
  descriptor(): number {
    const descriptor = openSync(this.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    this.#descriptors.push(descriptor);
    const status = fstatSync(descriptor, { bigint: true });
    if (!status.isFile() || inodeOf(status) !== this.#inode) throw new PawlError('replaced', { path: this.path });
    return descriptor;
  }

  /** Closes the file, and rolls back an open transaction. */
  close(): void {
    this.#database.close();
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }

  /**
   * Takes a lock. Until others let it go, tries again for as long as this connection waits.
   *
   * SQLite locks an inode, but finds the journal by the name of the file. If another file has got this one's name, SQLite
   * would take the journal that another process is writing for that file for one that a killed process has left behind for
   * this one, roll it back and delete it. So every attempt looks first whether the file still has its name. (`rekey` keeps
   * the lock for a while after it has replaced the file, for those who have looked just before.)
   */
  #lock(take: () => void, other = this.file): void {
    const attempt = () => {
      this.refuseReplaced();
      try {
        this.translated(take);
      } catch (error) {
        this.rollback();
        throw error;
      }
    };
    // The database's own wait would not look at the name again.
    this.#database.pragma('busy_timeout = 0');
    try {
      this.#retryWhileBusy(attempt, [this.file, other]);
      this.refuseReplaced();
    } catch (error) {
      this.rollback();
      // The journal of another file looks like damage to this one.
      this.refuseReplaced();
      throw error;
    } finally {
      this.#database.pragma(`busy_timeout = ${this.#wait}`);
    }
  }

  /**
   * @param files those that are to be locked. Where files cannot be locked at all, waiting is in vain.
   * @throws `busy`, `no-locks`, and what `attempt` throws.
   */
  #retryWhileBusy(attempt: () => void, files: readonly string[]): void {
    const begin = performance.now();
    const retryFor = (time: number) => {
      for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
        try {
          attempt();
          return;
        } catch (error) {
          const left = begin + time - performance.now();
          if (!isPawlError(error, 'busy') || left <= 0) throw error;
          sleep(Math.min(pause, left));
        }
      }
    };
    try {
      retryFor(Math.min(SHORT, this.#wait));
    } catch (error) {
      if (!isPawlError(error, 'busy')) throw error;
      const unlockable = files.find(refusesLocks);
      if (unlockable !== undefined) throw new PawlError('no-locks', { folder: dirname(unlockable) }, { cause: error });
      if (this.#wait <= SHORT) throw error;
      if (this.#whileBusy === undefined) retryFor(this.#wait);
      else this.#whileBusy(() => retryFor(this.#wait));
    }
  }

  /** @throws `replaced` if another file has the name of this one. */
  refuseReplaced(): void {
    const now = inodeAt(this.file);
    if (now !== undefined && now !== this.#inode) throw new PawlError('replaced', { path: this.path });
  }
}

/** @throws `wrong-passphrase` when the key is not that of the file's hot journal; `read-failed`. */
function openFile(path: string, lock: Lock, wait: number) {
  try {
    const file = realPath(path);
    const inode = inodeAt(file);
    if (isForeignHotJournal(file, lock)) throw new PawlError('wrong-passphrase', { path });
    return { file, inode, database: openDatabase(file, lock, { wait }) };
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    if (sqliteCode(cause) === undefined && codeOf(cause) === undefined) throw cause;
    throw new PawlError('read-failed', { path, reason: 'it cannot be opened' }, { cause });
  }
}
