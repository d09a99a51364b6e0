/**
 * The tables of the outbox and the inbox: `Boxes` in SQL.
 * Does not know what the envelopes and contents contain.
 */
import type {
  Amount,
  Boxes,
  ContactId,
  InboxId,
  ListedInboxEntry,
  ListedOutboxEntry,
  OutboxId,
} from '../../session/store.ts';
import { LONGEST_INLINE } from '../schema.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

/** The CHECK constraints of the table guarantee this union. */
type InboxRow = Omit<ListedInboxEntry, 'late' | 'process' | 'head' | 'triedAt'> & {
  readonly late: 0 | 1;
  readonly process: string | null;
  readonly triedAt: number | null;
  readonly sentAt: number;
  readonly length: number;
} & ({ readonly kind: 'text' | 'bytes'; readonly name: null } | { readonly kind: 'file'; readonly name: string });

/** As a LIMIT: no limit. */
const ALL = -1;

/** The most bytes of one row; the rest goes into further rows. See `VERSION_4` of the schema. */
const ROW = 2 ** 20;

const EMPTY = new Uint8Array(0);

const LISTED = `
SELECT id, contact_id AS contact, message_id AS messageId, n, late, received_at AS receivedAt, process, claimed_at AS claimedAt, kind,
  file_name AS name, sent_at AS sentAt, length, tries, tried_at AS triedAt
FROM inbox`;

export function boxes(transaction: SqlTransaction): Boxes {
  return {
    async addToOutbox(entry) {
      const { id } = transaction.run(
        `INSERT INTO outbox (contact_id, message_id, process, created_at, box, envelope, length)
        VALUES (@contact, @messageId, @process, @createdAt, @box, @envelope, @length)`,
        {
          ...entry,
          box: entry.box ?? null,
          envelope: entry.envelope.subarray(0, ROW),
          length: entry.envelope.length,
        },
      );
      addRest(transaction, 'outbox', id, entry.envelope.subarray(ROW));
      return id as OutboxId;
    },

    async outbox(newest = ALL) {
      const sql = `
        SELECT id, contact_id AS contact, message_id AS messageId, process, created_at AS createdAt, box, length
        FROM outbox ORDER BY id DESC LIMIT @newest`;
      return transaction
        .all<ListedOutboxEntry & { readonly box: Uint8Array | null }>(sql, { newest })
        .reverse()
        .map(({ box, ...entry }) => ({ ...entry, box: box ?? undefined }));
    },

    async countOutbox() {
      // The index has the ids: of each process one row is read.
      const sql = `
        SELECT process, count, (SELECT created_at FROM outbox WHERE id = newest) AS latest
        FROM (SELECT process, count(*) AS count, max(id) AS newest FROM outbox GROUP BY process)`;
      const rows = transaction.all<{ readonly process: string; readonly count: number; readonly latest: number }>(sql);
      return new Map(rows.map(({ process, ...rest }) => [process, rest]));
    },

    async envelope(id) {
      const sql = 'SELECT envelope FROM outbox WHERE id = @id';
      const row = transaction.get<{ readonly envelope: Uint8Array }>(sql, { id });
      if (row === undefined || row.envelope.length < ROW) return row?.envelope;
      return wholeOf(transaction, 'outbox', id, row.envelope);
    },

    async dropFromOutbox(ids) {
      for (const id of ids) transaction.tidy('DELETE FROM outbox WHERE id = @id', { id });
    },

    async addToInbox({ head, ...entry }, content) {
      const isInline = content.length <= LONGEST_INLINE;
      const { id } = transaction.run(
        `INSERT INTO inbox (contact_id, message_id, n, late, received_at, process, claimed_at, content, kind, file_name, sent_at, length)
        VALUES (@contact, @messageId, @n, @late, @receivedAt, @process, @claimedAt, @content, @kind, @name, @sentAt, @length)`,
        {
          name: null,
          ...head,
          ...entry,
          content: isInline ? content : EMPTY,
          late: entry.late ? 1 : 0,
          process: entry.process ?? null,
        },
      );
      if (!isInline) addRest(transaction, 'inbox', id, content);
      return id as InboxId;
    },

    async inbox(newest = ALL) {
      return transaction.all<InboxRow>(`${LISTED} ORDER BY id DESC LIMIT @newest`, { newest }).reverse().map(entryIn);
    },

    async countInbox() {
      const row = transaction.get<{ readonly count: number }>('SELECT count(*) AS count FROM inbox');
      return mustExist(row, 'inbox').count;
    },

    async inboxEntry(id) {
      const row = transaction.get<InboxRow>(`${LISTED} WHERE id = @id`, { id });
      return row && entryIn(row);
    },

    async inboxContent(id) {
      const row = transaction.get<{ readonly content: Uint8Array }>('SELECT content FROM inbox WHERE id = @id', { id });
      return row && (row.content.length > 0 ? row.content : wholeOf(transaction, 'inbox', id, EMPTY));
    },

    async handOver(id, from, to, at) {
      const sql = 'UPDATE inbox SET process = @to, claimed_at = @at WHERE id = @id AND process IS @from';
      return transaction.run(sql, { id, from: from ?? null, to: to ?? null, at }).changes > 0;
    },

    async noteTry(id, at) {
      transaction.run('UPDATE inbox SET tries = tries + 1, tried_at = @at WHERE id = @id', { id, at });
    },

    async countTried(least) {
      const sql = `
        SELECT contact_id AS contact, count(*) AS texts FROM inbox WHERE tries >= @least AND tries > 0
        GROUP BY contact_id ORDER BY contact_id`;
      return transaction.all<{ readonly contact: ContactId; readonly texts: number }>(sql, { least });
    },

    async waitingOf(contact, process) {
      const row = transaction.get<Amount>(
        `SELECT count(*) AS texts, coalesce(sum(length), 0) AS bytes FROM inbox
        WHERE contact_id = @contact AND process IS NOT @process`,
        { contact, process },
      );
      return mustExist(row, 'inbox');
    },

    async dropFromInbox(ids) {
      for (const id of ids) transaction.tidy('DELETE FROM inbox WHERE id = @id', { id });
    },
  };
}

/** Converts the columns that SQL has no type for. */
function entryIn({ kind, name, sentAt, length, late, process, triedAt, ...entry }: InboxRow): ListedInboxEntry {
  const head = kind === 'file' ? { kind, name: name ?? '', sentAt, length } : { kind, sentAt, length };
  return { ...entry, head, late: late === 1, process: process ?? undefined, triedAt: triedAt ?? undefined };
}

type Box = 'outbox' | 'inbox';

/** More than any entry has further rows. */
const MOST_ROWS = 2 ** 20;

/** Inserts the further rows of an entry. Their ids follow from its own, so that none is given twice. */
function addRest(transaction: SqlTransaction, box: Box, entry: number, bytes: Uint8Array): void {
  for (let index = 0; index * ROW < bytes.length; index++) {
    transaction.run(`INSERT INTO ${box}_rest (id, entry, bytes) VALUES (@id, @entry, @bytes)`, {
      id: entry * MOST_ROWS + index,
      entry,
      bytes: bytes.subarray(index * ROW, (index + 1) * ROW),
    });
  }
}

/** Joins the first row of an entry with its further rows. They are read one by one, so that one copy is in memory. */
function wholeOf(transaction: SqlTransaction, box: Box, entry: number, first: Uint8Array): Uint8Array {
  const sum = `SELECT coalesce(sum(length(bytes)), 0) AS length FROM ${box}_rest WHERE entry = @entry`;
  const rest = transaction.get<{ readonly length: number }>(sum, { entry })?.length ?? 0;
  const whole = new Uint8Array(first.length + rest);
  whole.set(first);
  let at = first.length;
  const sql = `SELECT bytes FROM ${box}_rest WHERE entry = @entry ORDER BY id`;
  transaction.each<readonly [Uint8Array]>(sql, { entry }, ([bytes]) => {
    whole.set(bytes, at);
    at += bytes.length;
  });
  return whole;
}
