/**
 * The name by which the vectors tell sessions apart.
 * Knows nothing of stores.
 */
import { digest, toHex, utf8 } from '../../src/primitives/index.ts';
import type { Session } from '../../src/session/index.ts';

/** The name that a session has on both sides (docs/PROTOCOL.md §8). */
export function sessionName({ transcript }: Pick<Session, 'transcript'>): string {
  return toHex(digest(8, utf8('pawl/1 session'), transcript));
}
