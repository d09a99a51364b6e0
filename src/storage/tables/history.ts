import type { HistoryEntry, HistoryId, HistoryRange, HistoryStore, Keeping, KeptContent } from '../../session/store.ts';
import { found, type Unit } from '../transaction.ts';

/** The CHECK constraints of the table make this union true. */
type HistoryRow = Omit<HistoryEntry, 'content'> & { readonly id: HistoryId } & (
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly name: string; readonly length: number }
    | { readonly kind: 'bytes'; readonly length: number }
  );

const SELECT = `
SELECT id, contact_id AS contact, at, direction, message_id AS messageId, n, sent_at AS sentAt, kind, file_name AS name,
  length, text
FROM history`;

export function historyStore(unit: Unit): HistoryStore {
  return {
    async keeping() {
      const sql = 'SELECT history_since AS since, history_for AS keptFor FROM identity';
      const { since, keptFor } = found(unit.get<ReturnType<typeof keepingRow>>(sql), 'identity');
      return since === null ? undefined : { since, keptFor: keptFor ?? undefined };
    },

    async setKeeping(keeping) {
      unit.update(
        'identity',
        'UPDATE identity SET history_since = @since, history_for = @keptFor',
        keepingRow(keeping),
      );
    },

    async addToHistory({ content, ...entry }) {
      unit.run(
        `INSERT INTO history (contact_id, at, direction, message_id, n, sent_at, kind, file_name, length, text)
        VALUES (@contact, @at, @direction, @messageId, @n, @sentAt, @kind, @name, @length, @text)`,
        { ...entry, name: null, length: null, text: null, ...content },
      );
    },

    async history({ limit, after, ...range }) {
      // The sign keeps the index of `at` out of it: most of all is asked for, in the order of the ids.
      const sql = `${SELECT} WHERE ${conditionOf(range, '+at')} AND id > @after ORDER BY id LIMIT @limit`;
      return unit.all<HistoryRow>(sql, { ...boundsOf(range), after: after ?? 0, limit }).map(entryIn);
    },

    async countHistory(range) {
      const sql = `SELECT count(*) AS count, min(at) AS first FROM history WHERE ${conditionOf(range, 'at')}`;
      const row = unit.get<{ readonly count: number; readonly first: number | null }>(sql, boundsOf(range));
      const { count, first } = found(row, 'history');
      return { count, first: first ?? undefined };
    },

    async sweepHistory(keptBefore) {
      return unit.run('DELETE FROM history WHERE at < @keptBefore', { keptBefore }).changes;
    },
  };
}

/** As the identity's row has it. */
export function keepingRow(keeping: Keeping | undefined): { since: number | null; keptFor: number | null } {
  return { since: keeping?.since ?? null, keptFor: keeping?.keptFor ?? null };
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

function contentIn(row: HistoryRow): KeptContent {
  switch (row.kind) {
    case 'text':
      return { kind: row.kind, text: row.text };
    case 'file':
      return { kind: row.kind, name: row.name, length: row.length };
    case 'bytes':
      return { kind: row.kind, length: row.length };
  }
}
