/**
 * Reports on large identities: 20,000 contacts, 1,000,000 kept texts, 100,000 waiting texts and envelopes. Fills the
 * files by SQL with copies of what a short conversation has left, and measures the processor time of whole processes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileKey, readSalt } from '../src/storage/index.ts';
import { openDatabase } from '../src/storage/sqlcipher.ts';
import { Home, run } from './home.ts';
import { type Figure, median } from './measure.ts';

type Database = ReturnType<typeof openDatabase>;

const RUNS = 11;
const DAY = 86_400_000;

/** In ms, and as a ratio to `node -e 0`. */
export function reports(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const small = Home.begin(join(folder, 'small'));
    const filled = (name: string, fill: (database: Database) => void) => {
      const home = small.copy(join(folder, name));
      change(home, fill);
      return home;
    };
    const contacts = filled('contacts', (database) => addContacts(database, 20_000));
    const texts = filled('texts', (database) => addTexts(database, 1_000_000));
    const waiting = filled('waiting', (database) => addWaiting(database, 100_000));
    const node = processorTime(() => run(['-e', '0'], folder, new Uint8Array(0)));
    const figure = (home: Home, behind: string, ...parameters: string[]): Figure => {
      const value = processorTime(() => home.pawl('alice', parameters));
      return { name: `${parameters.join(' ')}, ${behind}`, value, ratio: value / node };
    };
    return [
      { name: 'node -e 0', value: node },
      figure(small, '1 contact', 'inspect'),
      figure(contacts, '20,000 contacts', 'inspect'),
      figure(contacts, '20,000 contacts', 'contacts'),
      figure(contacts, '20,000 contacts', 'inspect', '--check'),
      figure(texts, '1,000,000 texts', 'log', '--since', '2d'),
      figure(texts, '1,000,000 texts', 'history'),
      figure(texts, '1,000,000 texts', 'inspect'),
      figure(waiting, '100,000 waiting', 'outbox'),
      figure(waiting, '100,000 waiting', 'inspect'),
      figure(waiting, '100,000 waiting', 'outbox', '--json'),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function processorTime(ran: () => { readonly processor: number }): number {
  return median(Array.from({ length: RUNS }, () => ran().processor));
}

/** Changes the file of alice in one commit. */
function change(home: Home, work: (database: Database) => void): void {
  const path = home.path('alice.db');
  const key = new Uint8Array(readFileSync(home.path('file.key'))) as FileKey;
  const database = openDatabase(path, { key, salt: readSalt(path) }, { wait: 0 });
  try {
    database.exec('PRAGMA cache_size = -200000; PRAGMA temp_store = MEMORY; BEGIN');
    work(database);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

/** Each has a session that is a copy of the only one. */
function addContacts(database: Database, count: number): void {
  const columns = (table: string, changed: Readonly<Record<string, string>>) => {
    const names = (database.pragma(`table_info(${table})`) as { readonly name: string }[]).map(({ name }) => name);
    const copied = names.filter((name) => !(table === 'sessions' && name === 'id'));
    return { names: copied.join(', '), values: copied.map((name) => changed[name] ?? `old.${name}`).join(', ') };
  };
  database.exec(`
    INSERT INTO contacts (name, identity, added_at)
    SELECT 'contact-' || n, randomblob(32), added_at FROM contacts, ${numbers(count)}`);
  const sessions = columns('sessions', {
    contact_id: 'contacts.id',
    transcript: 'randomblob(32)',
    received_order: 'old.received_order + contacts.id',
  });
  database.exec(`
    INSERT INTO sessions (${sessions.names})
    SELECT ${sessions.values} FROM contacts, sessions old WHERE contacts.id <> old.contact_id ORDER BY contacts.id`);
  for (const table of ['receiving_chains', 'accepted']) {
    const { names, values } = columns(table, { session_id: 'sessions.id' });
    database.exec(`
      INSERT INTO ${table} (${names})
      SELECT ${values} FROM sessions, ${table} old WHERE sessions.id <> old.session_id`);
  }
}

/** Of the last 400 days. */
function addTexts(database: Database, count: number): void {
  const first = Date.now() - 400 * DAY;
  const at = `${first} + n * ${Math.floor((400 * DAY) / count)}`;
  database.exec(`
    UPDATE identity SET history_since = ${first};
    INSERT INTO history (contact_id, at, direction, message_id, n, sent_at, kind, text)
    SELECT contacts.id, ${at}, 'sent', randomblob(16), n, ${at}, 'text', printf('%.*c', 100, 'x')
    FROM contacts, ${numbers(count)}`);
}

/** Of 50 processes that have ended. */
function addWaiting(database: Database, count: number): void {
  const process = "(n % 50 + 5000000) || ':1'";
  database.exec(`
    INSERT INTO outbox (contact_id, message_id, process, created_at, envelope, length)
    SELECT contacts.id, randomblob(16), ${process}, ${Date.now()}, randomblob(450), 450 FROM contacts, ${numbers(count)};
    INSERT INTO inbox (contact_id, message_id, n, late, received_at, process, content)
    SELECT contacts.id, randomblob(16), n, 0, ${Date.now()}, ${process}, randomblob(256)
    FROM contacts, ${numbers(count)}`);
}

/** A table with the column `n`: the numbers from 1 on. */
function numbers(count: number): string {
  return `(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count}) SELECT n FROM numbers)`;
}
