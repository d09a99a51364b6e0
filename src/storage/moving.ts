/**
 * The move of an identity to another place, as both stores note and ask it within a transaction (docs/PROTOCOL.md §8).
 */
import { PawlError } from '../errors.ts';
import { equal } from '../primitives/index.ts';
import type { Statements } from './statements.ts';
import { mustExist } from './transaction.ts';

/** A move that has begun. */
export interface Move {
  /** What the place is called on the machine where it began. */
  readonly to: string;
  /** 16 random bytes. What arrives there has them. */
  readonly id: Uint8Array;
  /** The machine that may make the identity there: the one where the move began. `undefined`: none, as it may have been made. */
  readonly host: string | undefined;
}

interface MoveRow {
  readonly to: string | null;
  readonly id: Uint8Array | null;
  readonly host: string | null;
}

type Readable = Pick<Statements, 'get'>;
type Writable = Pick<Statements, 'run'>;

function rowIn(database: Readable): MoveRow {
  const sql = 'SELECT moving_to AS "to", move_id AS id, moving_from AS host FROM identity';
  return mustExist(database.get<MoveRow>(sql), 'identity');
}

/** The move that has begun and not ended. */
export function moveIn(database: Readable): Move | undefined {
  const { to, id, host } = rowIn(database);
  return to === null ? undefined : { to, id: mustExist(id ?? undefined, 'move'), host: host ?? undefined };
}

/** The id of the last move, whether the identity has left by it, has come by it, or has stayed. */
export function moveIdIn(database: Readable): Uint8Array | undefined {
  return rowIn(database).id ?? undefined;
}

/** Notes that the identity has left. */
export function noteMove(database: Writable, { to, id, host }: Move): void {
  database.run('UPDATE identity SET moving_to = @to, move_id = @id, moving_from = @host', {
    to,
    id,
    host: host ?? null,
  });
}

/** Notes which machine may make the identity at its destination; `undefined`: none. */
export function noteMaker(database: Writable, host: string | undefined): void {
  database.run('UPDATE identity SET moving_from = @host', { host: host ?? null });
}

/** Ends a move here, and no other one that has begun since. */
export function endMove(database: Writable, id: Uint8Array): void {
  database.run(
    'UPDATE identity SET moving_to = NULL, moving_from = NULL WHERE moving_to IS NOT NULL AND move_id = @id',
    { id },
  );
}

/** @throws `moving`: another process may have begun to move the identity since it was opened. */
export function refuseMoved(database: Statements): void {
  const move = moveIn(database);
  if (move !== undefined) throw isMoving(database, move.to);
}

/** @throws `moving` where the identity has not left by that move. */
export function refuseUnlessLeftBy(database: Statements, id: Uint8Array): void {
  const move = moveIn(database);
  if (move === undefined || !equal(move.id, id)) throw isMoving(database, move?.to ?? database.path);
}

function isMoving(database: Statements, to: string): PawlError {
  const row = database.get<{ readonly name: string }>('SELECT name FROM identity');
  return new PawlError('moving', { name: mustExist(row, 'identity').name, path: database.path, to });
}
