/**
 * What has to be known of the tables of `../schema.ts` to store their rows elsewhere: keys, parents, and what a row is
 * looked up by.
 */

/** A table. */
export interface Table {
  readonly name: string;
  /** The number of the table in the database. A released one never changes. */
  readonly kind: number;
  /** The columns of its key. */
  readonly key: readonly string[];
  /** The table whose deleted row takes its rows here with it, and the columns here that name that row. */
  readonly parent?: { readonly table: string; readonly columns: readonly string[] };
  /**
   * Whether the parent, or the identity where there is none, lists the rows with the commits that changed them last, so that
   * no single one can be put back or left out. Not where an older row does no harm.
   */
  readonly isListed: boolean;
  /** Columns by whose value a row is found: at most two. */
  readonly lookups?: readonly string[];
  /** A column of integers by which the rows that are found can be limited. */
  readonly ordinal?: string;
  /** A column that is stored apart from the others, because rows are listed without it. It does not change. */
  readonly content?: string;
}

const OF_CONTACT = { table: 'contacts', columns: ['contact_id'] };
const OF_SESSION = { table: 'sessions', columns: ['session_id'] };
const OF_CHAIN = { table: 'receiving_chains', columns: ['session_id', 'chain'] };

/** Parents before their children. */
export const TABLES: readonly Table[] = [
  { name: 'contacts', kind: 1, key: ['id'], isListed: true, lookups: ['name', 'identity'] },
  { name: 'invites', kind: 2, key: ['number'], isListed: true, lookups: ['id'] },
  {
    name: 'ledger',
    kind: 3,
    key: ['prefix_digest'],
    parent: { table: 'invites', columns: ['invite'] },
    isListed: true,
  },
  { name: 'numbers', kind: 4, key: ['name'], isListed: true },
  { name: 'sessions', kind: 5, key: ['id'], parent: OF_CONTACT, isListed: true },
  { name: 'receiving_chains', kind: 6, key: ['session_id', 'chain'], parent: OF_SESSION, isListed: true },
  { name: 'skipped_keys', kind: 7, key: ['session_id', 'chain', 'n'], parent: OF_CHAIN, isListed: true },
  {
    name: 'accepted',
    kind: 8,
    key: ['session_id', 'chain', 'n'],
    parent: OF_CHAIN,
    isListed: false,
    lookups: ['session_id'],
    ordinal: 'sequence',
  },
  { name: 'outbox', kind: 9, key: ['id'], parent: OF_CONTACT, isListed: true, content: 'envelope' },
  {
    name: 'outbox_rest',
    kind: 10,
    key: ['id'],
    parent: { table: 'outbox', columns: ['entry'] },
    isListed: true,
    content: 'bytes',
  },
  { name: 'inbox', kind: 11, key: ['id'], parent: OF_CONTACT, isListed: true, content: 'content' },
  {
    name: 'inbox_rest',
    kind: 12,
    key: ['id'],
    parent: { table: 'inbox', columns: ['entry'] },
    isListed: true,
    content: 'bytes',
  },
  { name: 'history', kind: 13, key: ['id'], parent: OF_CONTACT, isListed: false },
  { name: 'incoming', kind: 14, key: ['id'], parent: OF_CONTACT, isListed: true },
  {
    name: 'incoming_parts',
    kind: 15,
    key: ['incoming', 'part'],
    parent: { table: 'incoming', columns: ['incoming'] },
    isListed: true,
  },
  { name: 'outgoing', kind: 16, key: ['id'], parent: OF_CONTACT, isListed: true },
  { name: 'routes', kind: 17, key: ['contact_id', 'invite_name'], parent: OF_CONTACT, isListed: true },
  { name: 'left_entries', kind: 18, key: ['box', 'name'], isListed: false, lookups: ['box'] },
  { name: 'spent_boxes', kind: 19, key: ['box'], parent: OF_CONTACT, isListed: false },
  { name: 'list_members', kind: 20, key: ['list', 'contact_id'], parent: OF_CONTACT, isListed: true },
];

const BY_NAME = new Map(TABLES.map((table) => [table.name, table]));
const BY_KIND = new Map(TABLES.map((table) => [table.kind, table]));

/** @throws an `Error` for another name. */
export function tableNamed(name: string): Table {
  const table = BY_NAME.get(name);
  if (table === undefined) throw new Error(`there is no table ${name}`);
  return table;
}

export function tableOfKind(kind: number): Table | undefined {
  return BY_KIND.get(kind);
}

/** Sorts parents before their children. */
export function inOrder(
  { table: one }: { readonly table: Table },
  { table: other }: { readonly table: Table },
): number {
  return TABLES.indexOf(one) - TABLES.indexOf(other);
}
