/**
 * The checks of `pawl inspect --check`: every page of the file, and every row that the commands read.
 * Repairs nothing.
 */
import type { Transaction } from '../session/store.ts';
import type { Connection } from './connection.ts';

/**
 * Checks the structure of the database and its foreign keys. Reads every page, and so verifies the HMAC of every page.
 * @returns one sentence for each problem.
 */
export function checkPages(connection: Connection): readonly string[] {
  const lines = connection.all<{ readonly integrity_check: string }>('PRAGMA integrity_check');
  const orphans = connection.all<{ readonly table: string }>('PRAGMA foreign_key_check');
  return [
    ...lines.map(({ integrity_check }) => integrity_check).filter((line) => line !== 'ok'),
    ...orphans.map(({ table }) => `a row of ${table} belongs to nothing`),
  ];
}

/** Reads and decodes every contact, session, invite and outbox entry, as the commands do. */
export async function readEverything(view: Transaction): Promise<void> {
  await view.ownIdentity();
  await view.invites();
  await view.outbox();
  for (const contact of await view.contacts()) {
    for (const { id } of await view.sessions(contact.id)) {
      await view.ratchetState(id);
      await view.missingMessages(id);
    }
  }
}
