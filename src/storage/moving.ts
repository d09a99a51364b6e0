/**
 * Whether an identity is being moved, as both stores ask it within a transaction.
 */
import { PawlError } from '../errors.ts';
import type { Statements } from './statements.ts';
import { mustExist } from './transaction.ts';

/** Where the identity is being moved to, if it is. */
function placeIn(database: Statements): string | undefined {
  const row = database.get<{ readonly place: string | null }>('SELECT moving_to AS place FROM identity');
  return mustExist(row, 'identity').place ?? undefined;
}

/** @throws `moving`: another process may have begun to move the identity since it was opened. */
export function refuseMoved(database: Statements): void {
  const place = placeIn(database);
  if (place !== undefined) throw new PawlError('moving', { path: database.path, to: place });
}

/** @throws `moving` where the identity has not left for that place. */
export function refuseUnlessLeftFor(database: Statements, place: string): void {
  const movingTo = placeIn(database);
  const { path } = database;
  if (movingTo !== place) throw new PawlError('moving', { path, to: movingTo ?? path });
}
