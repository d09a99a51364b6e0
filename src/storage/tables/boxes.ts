/**
 * The tables of the outbox and the inbox: `Boxes` in SQL.
 * Does not know what the envelopes and contents contain.
 */
import { concatAll } from '../../primitives/index.ts';
import type { Boxes, InboxEntry, InboxId, ListedOutboxEntry, OutboxId } from '../../session/store.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

type InboxRow = Omit<InboxEntry, 'late' | 'process' | 'content'> & {
  readonly late: 0 | 1;
  readonly process: string | null;
};

/** As a LIMIT: no limit. */
const ALL = -1;

/** The most bytes of one row; the rest goes into further rows. See `VERSION_4` of the schema. */
const ROW = 2 ** 20;

const INBOX = 'contact_id AS contact, message_id AS messageId, n, late, received_at AS receivedAt, process';

/** The length of a whole envelope. Only a first row that is full has further rows. SQLite computes it without the bytes. */
const LENGTH = `
length(envelope) + CASE WHEN length(envelope) < ${ROW} THEN 0
  ELSE (SELECT coalesce(sum(length(bytes)), 0) FROM outbox_rest WHERE entry = outbox.id) END`;

const DROP_TEXT = 'DELETE FROM inbox WHERE id = @id';

export function boxes(transaction: SqlTransaction): Boxes {
  return {
    async addToOutbox(entry) {
      const { id } = transaction.run(
        `INSERT INTO outbox (contact_id, message_id, process, created_at, envelope)
        VALUES (@contact, @messageId, @process, @createdAt, @envelope)`,
        { ...entry, envelope: firstOf(entry.envelope) },
      );
      addRest(transaction, 'outbox', id, entry.envelope);
      return id as OutboxId;
    },

    async outbox(newest = ALL) {
      const sql = `
        SELECT id, contact_id AS contact, message_id AS messageId, process, created_at AS createdAt, ${LENGTH} AS length
        FROM outbox ORDER BY id DESC LIMIT @newest`;
      return transaction.all<ListedOutboxEntry>(sql, { newest }).reverse();
    },

    async countOutbox() {
      const sql = 'SELECT process, count(*) AS count FROM outbox GROUP BY process';
      const rows = transaction.all<{ readonly process: string; readonly count: number }>(sql);
      return new Map(rows.map(({ process, count }) => [process, count]));
    },

    async envelope(id) {
      const sql = 'SELECT envelope FROM outbox WHERE id = @id';
      const row = transaction.get<{ readonly envelope: Uint8Array }>(sql, { id });
      return row && wholeOf(transaction, 'outbox', id, row.envelope);
    },

    async dropFromOutbox(ids) {
      for (const id of ids) transaction.tidy('DELETE FROM outbox WHERE id = @id', { id });
    },

    async addToInbox(entry) {
      const { id } = transaction.run(
        `INSERT INTO inbox (contact_id, message_id, n, late, received_at, process, content)
        VALUES (@contact, @messageId, @n, @late, @receivedAt, @process, @content)`,
        { ...entry, content: firstOf(entry.content), late: entry.late ? 1 : 0, process: entry.process ?? null },
      );
      addRest(transaction, 'inbox', id, entry.content);
      return id as InboxId;
    },

    async inbox(newest = ALL) {
      const sql = `SELECT id, ${INBOX} FROM inbox ORDER BY id DESC LIMIT @newest`;
      return transaction
        .all<InboxRow & { readonly id: InboxId }>(sql, { newest })
        .reverse()
        .map((row) => ({ ...row, ...decodeRow(row) }));
    },

    async countInbox() {
      const row = transaction.get<{ readonly count: number }>('SELECT count(*) AS count FROM inbox');
      return mustExist(row, 'inbox').count;
    },

    async claimInbox(id, process) {
      transaction.run('UPDATE inbox SET process = @process WHERE id = @id', { id, process: process ?? null });
      return mustExist(textOf(transaction, id), 'text');
    },

    async takeFromInbox(id) {
      const text = textOf(transaction, id);
      transaction.tidy(DROP_TEXT, { id });
      return text;
    },

    async dropFromInbox(ids) {
      for (const id of ids) transaction.tidy(DROP_TEXT, { id });
    },
  };
}

function textOf(transaction: SqlTransaction, id: InboxId): InboxEntry | undefined {
  const sql = `SELECT ${INBOX}, content FROM inbox WHERE id = @id`;
  const row = transaction.get<InboxRow & { readonly content: Uint8Array }>(sql, { id });
  return row && { ...row, ...decodeRow(row), content: wholeOf(transaction, 'inbox', id, row.content) };
}

/** Converts the columns that SQL has no type for. */
function decodeRow({ late, process }: InboxRow): Pick<InboxEntry, 'late' | 'process'> {
  return { late: late === 1, process: process ?? undefined };
}

type Box = 'outbox' | 'inbox';

/** Returns the part that goes into the first row. */
function firstOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, ROW);
}

/** Inserts the further rows of an entry. */
function addRest(transaction: SqlTransaction, box: Box, entry: number, bytes: Uint8Array): void {
  for (let at = ROW; at < bytes.length; at += ROW) {
    transaction.run(`INSERT INTO ${box}_rest (entry, bytes) VALUES (@entry, @bytes)`, {
      entry,
      bytes: bytes.subarray(at, at + ROW),
    });
  }
}

/** Joins the first row of an entry with its further rows. */
function wholeOf(transaction: SqlTransaction, box: Box, entry: number, first: Uint8Array): Uint8Array {
  if (first.length < ROW) return first;
  const sql = `SELECT bytes FROM ${box}_rest WHERE entry = @entry ORDER BY id`;
  const rest = transaction.all<{ readonly bytes: Uint8Array }>(sql, { entry });
  return concatAll([first, ...rest.map(({ bytes }) => bytes)]);
}
