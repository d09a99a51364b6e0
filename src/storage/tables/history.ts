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
import type { Parameters } from '../statements.ts';
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

/** The plus sign prevents SQLite from reading the rows in the order of their ids. */
const FIRST_ID = '(SELECT min(+id) FROM history WHERE at >= @from)';

/**
 * Without a condition, SQLite counts whole pages of an index instead of one entry after the other. Before `from` there is
 * little: what is too old is deleted by the next command that writes.
 */
const COUNT_FROM = `
SELECT (SELECT count(*) FROM history) - (SELECT count(*) FROM history WHERE at < @from) AS count,
  (SELECT min(at) FROM history WHERE at >= @from) AS first`;

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

    async history({ limit, after, newest, ...range }) {
      // The first slice begins at the first id of the range, instead of reading everything before it.
      const begin = after !== undefined ? 'id > @after' : range.from !== undefined ? `id >= ${FIRST_ID}` : 'TRUE';
      // The plus sign prevents SQLite from using the index of `at`: the rows are read in the order of their ids.
      const sql = `${SELECT} WHERE ${conditionOf(range, '+at')} AND ${begin} ORDER BY id ${newest ? 'DESC' : 'ASC'} LIMIT @limit`;
      const parameters = { ...boundsOf(range), ...(after !== undefined && { after }), limit };
      const entries = transaction.all<HistoryRow>(sql, parameters).map(entryIn);
      return newest ? entries.reverse() : entries;
    },

    async countHistory(range) {
      const isFromOn = range.contact === undefined && range.before === undefined;
      const row = transaction.get<{ readonly count: number; readonly first: number | null }>(
        isFromOn
          ? COUNT_FROM
          : `SELECT count(*) AS count, min(at) AS first FROM history WHERE ${conditionOf(range, 'at')}`,
        isFromOn ? { from: range.from ?? Number.MIN_SAFE_INTEGER } : boundsOf(range),
      );
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

/** Names only the bounds that are given. */
function conditionOf({ contact, from, before }: HistoryRange, at: string): string {
  const conditions = [
    contact !== undefined && 'contact_id = @contact',
    from !== undefined && `${at} >= @from`,
    before !== undefined && `${at} < @before`,
  ];
  return conditions.filter(Boolean).join(' AND ') || 'TRUE';
}

function boundsOf({ contact, from, before }: HistoryRange): Parameters {
  return {
    ...(contact !== undefined && { contact }),
    ...(from !== undefined && { from }),
    ...(before !== undefined && { before }),
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
