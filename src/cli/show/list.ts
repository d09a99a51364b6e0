/**
 * A list of contacts as a row of a table.
 * Knows nothing of where it is shown.
 */
import type { ListReport } from '../../session/index.ts';

/** The columns: name, contacts. */
export function listRow({ name, contacts }: ListReport): readonly string[] {
  return [`@${name}`, contacts.join(', ')];
}
