import { expect, it, onTestFinished } from 'vitest';
import { Connection } from '../../src/storage/connection.ts';
import { TIMES } from '../../src/storage/tables/times.ts';
import { addContact, NOW } from './fixtures.ts';
import { LOCK, newFile, openStore } from './folder.ts';

const DAY = 86_400_000;

/** Columns with times that are not corrected, and why. */
const OTHERS: Readonly<Record<string, string>> = {
  'identity.clock': 'bounds the others',
  'identity.history_for': 'is a span',
  'invites.created_at': 'moves together with the expiry',
  'invites.expires': 'moves together with the time at which it was made',
  'sessions.opened': 'is known to the peer, too',
  'history.sent_at': 'is what its sender says',
  'inbox.sent_at': 'the same',
  'incoming.sent_at': 'the same',
  'inbox.claimed_at': 'is compared by other machines, and binds nobody where it is far ahead',
  'incoming.claimed_at': 'the same',
  'outgoing.advanced_at': 'the same',
  'outgoing.sent_at': 'is in the descriptor, and the peer has it, too',
};

function connectionTo(path: string): Connection {
  const connection = new Connection(path, LOCK, 0);
  onTestFinished(() => connection.close());
  return connection;
}

/** What the file says of itself. */
function identityIn(connection: Connection) {
  return connection.get<{ generation: number; clock: number | null }>('SELECT generation, clock FROM identity');
}

it('every column with a time is corrected, or there is a reason', () => {
  const connection = connectionTo(newFile());
  const columns = connection.all<{ column: string }>(
    `SELECT t.name || '.' || c.name AS column FROM sqlite_schema t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND c.type = 'INTEGER' ORDER BY 1`,
  );
  const times = columns
    .map(({ column }) => column)
    .filter((column) => /[._](at|since|for|expires|opened|clock)$/.test(column));
  const corrected = Object.entries(TIMES).flatMap(([table, names]) => names.map((name) => `${table}.${name}`));
  expect(times).toEqual([...corrected, ...Object.keys(OTHERS)].sort());
});

it('with nothing ahead, nothing is written, and one row is read', async () => {
  const path = newFile();
  const store = openStore(path);
  const connection = connectionTo(path);
  await store.transaction(async (transaction) => {
    await transaction.correctTimes(NOW, DAY);
    await addContact(transaction, 'alice');
  });
  const before = identityIn(connection);
  for (const now of [NOW, NOW + 5 * DAY, NOW + DAY]) {
    await store.transaction((transaction) => transaction.correctTimes(now, DAY));
    expect(identityIn(connection)).toEqual(before);
  }
});

it('the latest time is noted with whatever else is written, and never goes back by itself', async () => {
  const path = newFile();
  const store = openStore(path);
  const connection = connectionTo(path);
  const clocks: (number | null | undefined)[] = [];
  for (const [n, now] of [NOW, NOW + 9 * DAY, NOW + 8 * DAY, NOW + 7 * DAY, NOW + 7 * DAY].entries()) {
    await store.transaction(async (transaction) => {
      await transaction.correctTimes(now, DAY);
      await addContact(transaction, `contact-${n}`);
    });
    clocks.push(identityIn(connection)?.clock);
  }
  // At first it is not known, so that it is what a time may be at the most.
  expect(clocks).toEqual([NOW + DAY, NOW + 9 * DAY, NOW + 9 * DAY, NOW + 8 * DAY, NOW + 8 * DAY]);
});
