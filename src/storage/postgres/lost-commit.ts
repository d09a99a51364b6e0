/**
 * Finds out what became of a COMMIT whose answer is lost.
 */
import { PawlError } from '../../errors.ts';
import { isSameServer, type Server } from './identity-record.ts';
import type { ConnectionLost } from './server-client.ts';

/** For so long it is looked up, in milliseconds: longer than a server waits for a client that is silent, which has the lock until then. */
const LOOK_UP_TIME = 75_000;
/** Between two looks, in milliseconds. */
const PAUSE = 200;

/** A COMMIT that was not answered. */
export interface LostCommit {
  /** What the database is called in messages. */
  readonly path: string;
  /** The server that COMMIT was sent to. */
  readonly server: Server;
  readonly cause: ConnectionLost;
}

/** What was found under the lock of the identity, which the transaction holds until it has ended either way. */
export interface Found {
  /** Whether the transaction was committed; `undefined`: that cannot be known. */
  readonly isMade: boolean | undefined;
  /** The server that was asked. */
  readonly server: Server;
}

/**
 * Returns where the transaction was committed.
 * @param look looks once, for so many milliseconds at most; `undefined`, or an error, where that has failed.
 * @param time for how long it is tried, in milliseconds.
 * @throws `database-unreachable` where the transaction was not committed; `commit-unknown` where that cannot be known.
 */
export async function lookUp(
  { path, server, cause }: LostCommit,
  look: (left: number) => Promise<Found | undefined>,
  time = LOOK_UP_TIME,
): Promise<void> {
  const end = performance.now() + time;
  for (let left = time; left > 0; left = end - performance.now()) {
    const found = await look(left).catch(() => undefined);
    if (found === undefined) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      continue;
    }
    if (found.isMade === true) return;
    // What another server does not have, the one that was asked may still have.
    if (found.isMade === false && isSameServer(found.server, server)) throw undone(path, cause);
    break;
  }
  throw new PawlError('commit-unknown', { path }, { cause });
}

/** The error of a transaction that is known not to be committed. */
export function undone(path: string, cause: ConnectionLost): PawlError {
  return new PawlError('database-unreachable', { path, reason: cause.message, isUndone: true }, { cause });
}
