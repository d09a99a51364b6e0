import type { Transaction } from '../session/store.ts';
import type { Connection } from './connection.ts';

/** Reads every page, and so checks every page's MAC, then what the tables promise. */
export function checkPages(connection: Connection): readonly string[] {
  const found = connection.all<{ readonly integrity_check: string }>('PRAGMA integrity_check');
  const orphans = connection.all<{ readonly table: string }>('PRAGMA foreign_key_check');
  return [
    ...found.map(({ integrity_check }) => integrity_check).filter((line) => line !== 'ok'),
    ...orphans.map(({ table }) => `a row of ${table} belongs to nothing`),
  ];
}

/** Reads what the commands read of every contact, session and invite. */
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
