/**
 * The table `history` and the setting of the history: `HistoryStore` in SQL.
 * Does not decide what is stored, nor for how long.
 */
import type {
  HistoryContent,
  HistoryEntry,
  HistoryId,
  HistoryRange,
  HistorySetting,
  HistoryStore,
} from '../../session/store.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

/** The CHECK constraints of the table guarantee this union. */
type HistoryRow = Omit<HistoryEntry, 'content'> & { readonly id: HistoryId } & (
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly name: string; readonly length: number }
    | { readonly kind: 'bytes'; readonly length: number }
  );

const SELECT = `
SELECT id, contact_id AS contact, at, direction, message_id AS messageId, n, sent_at AS sentAt, kind, file_name AS name,
  length, text
FROM history`;

export function historyStore(transaction: SqlTransaction): HistoryStore {
  return {
    async historySetting() {
      const sql = 'SELECT history_since AS since, history_for AS maxAge FROM identity';
      const { since, maxAge } = mustExist(transaction.get<ReturnType<typeof historySettingColumns>>(sql), 'identity');
      return since === null ? undefined : { since, maxAge: maxAge ?? undefined };
    },

    async setHistorySetting(historySetting) {
      transaction.update(
        'identity',
        'UPDATE identity SET history_since = @since, history_for = @maxAge',
        historySettingColumns(historySetting),
      );
    },

    async addToHistory({ content, ...entry }) {
      transaction.run(
        `INSERT INTO history (contact_id, at, direction, message_id, n, sent_at, kind, file_name, length, text)
        VALUES (@contact, @at, @direction, @messageId, @n, @sentAt, @kind, @name, @length, @text)`,
        { ...entry, name: null, length: null, text: null, ...content },
      );
    },

    async history({ limit, after, ...range }) {
      // The plus sign prevents SQLite from using the index of `at`: the rows are read in the order of their ids.
      const sql = `${SELECT} WHERE ${conditionOf(range, '+at')} AND id > @after ORDER BY id LIMIT @limit`;
      return transaction.all<HistoryRow>(sql, { ...boundsOf(range), after: after ?? 0, limit }).map(entryIn);
    },

    async countHistory(range) {
      const sql = `SELECT count(*) AS count, min(at) AS first FROM history WHERE ${conditionOf(range, 'at')}`;
      const row = transaction.get<{ readonly count: number; readonly first: number | null }>(sql, boundsOf(range));
      const { count, first } = mustExist(row, 'history');
      return { count, first: first ?? undefined };
    },

    async sweepHistory(before) {
      return transaction.run('DELETE FROM history WHERE at < @before', { before }).changes;
    },
  };
}

/** Returns the columns of a setting in the table `identity`. */
export function historySettingColumns(historySetting: HistorySetting | undefined): {
  since: number | null;
  maxAge: number | null;
} {
  return { since: historySetting?.since ?? null, maxAge: historySetting?.maxAge ?? null };
}

function conditionOf({ contact }: HistoryRange, at: string): string {
  const condition = `${at} >= @from AND ${at} < @before`;
  return contact === undefined ? condition : `contact_id = @contact AND ${condition}`;
}

function boundsOf({ contact, from, before }: HistoryRange) {
  return {
    from: from ?? Number.MIN_SAFE_INTEGER,
    before: before ?? Number.MAX_SAFE_INTEGER,
    ...(contact !== undefined && { contact }),
  };
}

function entryIn(row: HistoryRow): HistoryEntry & { readonly id: HistoryId } {
  const { id, contact, direction, messageId, n, at, sentAt } = row;
  return { id, contact, direction, messageId, n, at, sentAt, content: contentIn(row) };
}

function contentIn(row: HistoryRow): HistoryContent {
  switch (row.kind) {
    case 'text':
      return { kind: row.kind, text: row.text };
    case 'file':
      return { kind: row.kind, name: row.name, length: row.length };
    case 'bytes':
      return { kind: row.kind, length: row.length };
  }
}
