/**
 * The rows of one identity as a unit of work sees them: read from the database when they are needed, checked against the
 * lists that name them, and written back sealed (docs/PROTOCOL.md §8).
 * Knows no table's meaning.
 */
import { PawlError } from '../../errors.ts';
import { equal, wipe } from '../../primitives/index.ts';
import { mustExist } from '../transaction.ts';
import { decodeChildren, encodeChildren, ValueReader } from './identity-record.ts';
import { decodeValues, encodeValues, type Value } from './row-codec.ts';
import { nameOf, type RowKeys } from './row-keys.ts';
import { expectingOne, type Selection, type Statement } from './selection.ts';
import { inOrder, TABLES, type Table, tableNamed, tableOfKind } from './tables.ts';
import type { WorkingSet } from './working-set.ts';

/** The listed rows below a row, by name, with the ids of the commits that changed them last. */
type List = Map<string, Uint8Array>;

/** A row that is in the working set and in the database. */
interface StoredRow {
  readonly table: Table;
  readonly key: readonly Value[];
  readonly name: string;
  parent: StoredRow | undefined;
  readonly children: List;
  /** Where the table has a content: the commit that sealed it, and its length. */
  readonly content: { readonly commitId: Uint8Array; readonly length: number } | undefined;
  hasContent: boolean;
}

/** Reads rows, a list for each selection: kind, key, commit id, record, content. */
export type ReadRows = (selections: readonly Selection[]) => Promise<readonly (readonly (readonly unknown[])[])[]>;

interface SealedRow {
  readonly table: Table;
  readonly key: Uint8Array;
  readonly commitId: Uint8Array;
  readonly record: Uint8Array;
  readonly content: Uint8Array | null;
}

/** A unit's changes as statements. */
export interface Written {
  /** Sealed as they are taken: once. */
  readonly statements: Iterable<Statement>;
  /** The list of the rows without a parent. */
  readonly children: ReadonlyMap<string, Uint8Array>;
}

/** The values that rows have now. */
type Changed = Map<StoredRow, { readonly values: readonly Value[]; readonly isNew: boolean }>;

/** A content that was not read. */
const NOTHING = new Uint8Array(0);

interface RowsOptions {
  /** The number of the identity in the database. */
  readonly identity: string;
  readonly keys: RowKeys;
  /** The list of the rows without a parent. */
  readonly roots: ReadonlyMap<string, Uint8Array>;
  readonly read: ReadRows;
}

export class Rows {
  readonly #identity: string;
  readonly #keys: RowKeys;
  readonly #set: WorkingSet;
  readonly #read: ReadRows;
  readonly #stored = new Map<string, StoredRow>();
  /** Of the rows without a parent. */
  readonly #roots: List;
  /** What was read once, and is in the working set. */
  readonly #loaded = new Set<string>();

  constructor(set: WorkingSet, { identity, keys, roots, read }: RowsOptions) {
    this.#identity = identity;
    this.#keys = keys;
    this.#set = set;
    this.#read = read;
    this.#roots = new Map(roots);
  }

  /** Reads what selections find, unless the same was read before. @param what names it. */
  async once(what: string, select: () => Selection | readonly Selection[]): Promise<void> {
    if (this.#loaded.has(what)) return;
    await this.load(...[select()].flat());
    this.#loaded.add(what);
  }

  /** Whether {@link once} was called for it, or {@link note}. */
  knows(what: string): boolean {
    return this.#loaded.has(what);
  }

  /** Notes that what {@link once} would read is in the working set. */
  note(what: string): void {
    this.#loaded.add(what);
  }

  /** Reads rows by their keys, but for those that are there. */
  async need(table: Table, keys: readonly (readonly Value[])[]): Promise<void> {
    const missing = keys.filter((key) => !this.#stored.has(nameOf(table.kind, key)) && !this.#set.has(table, key));
    if (missing.length === 0) return;
    await this.load({ table, keys: missing.map((key) => this.keyOf(table, key)) });
    const gone = this.#gone();
    for (const name of missing.map((key) => nameOf(table.kind, key))) {
      if (this.#isListed(table, name) && !this.#stored.has(name) && !gone.has(name)) this.#rolledBack();
    }
  }

  /** Whether the content of a row is in the working set. */
  hasContent(table: Table, key: readonly Value[]): boolean {
    return this.#stored.get(nameOf(table.kind, key))?.hasContent ?? false;
  }

  /** The key under which a row lies in the database. */
  keyOf(table: Table, key: readonly Value[]): Uint8Array {
    return this.#keys.tag(table.name, 'key', key);
  }

  /** What a row is looked up by. */
  lookupOf(table: Table, column: string, value: Value): Uint8Array {
    return this.#keys.tag(table.name, column, [value]);
  }

  /**
   * Puts the rows that selections find into the working set. Who reads a whole table has read all rows of its parent, or
   * does so here.
   * @throws `damaged` for one that does not authenticate; `rolled-back` for one that is not listed, or not as it is, and
   * where a listed one is not there.
   */
  async load(...selections: readonly Selection[]): Promise<void> {
    const answers = await this.#read(selections);
    const gone = this.#gone();
    const found = selections.map((selection, index) => ({
      selection,
      rows: [] as StoredRow[],
      answer: answers[index],
    }));
    this.#set.loading(() => {
      for (const { selection, rows, answer = [] } of found) {
        for (const sealed of answer.map((row) => this.#sealedRow(row)).sort(inOrder)) {
          const row = this.#add(sealed, gone, selection.withContent === true);
          if (row !== undefined) rows.push(row);
        }
      }
    });
    for (const { selection, rows } of found) {
      const { below = [] } = selection;
      if (below.length > 0) for (const row of rows) this.#requireListed(row.children, below, gone);
      const isWhole = (selection.keys ?? selection.lookup ?? selection.parents ?? selection.upTo) === undefined;
      if (isWhole) this.#requireWhole(selection.table === undefined ? TABLES : [selection.table], gone);
    }
  }

  /**
   * Seals what has changed.
   * @param commitId of the commit that writes it: 16 random bytes.
   */
  write(commitId: Uint8Array): Written {
    const { deletions, changed } = this.#applyChanges(commitId);
    return { statements: this.#statements(deletions, changed, commitId), children: this.#roots };
  }

  *#statements(deletions: readonly StoredRow[], changed: Changed, commitId: Uint8Array): Iterable<Statement> {
    for (const row of deletions) yield this.#deletion(row);
    // Parents precede their children, which name them.
    const ordered = [...changed].sort(([one], [other]) => inOrder(one, other));
    for (const [row, { values, isNew }] of ordered) {
      yield isNew ? this.#insertion(row, values, commitId) : this.#update(row, values, commitId);
    }
  }

  #sealedRow([kind, key, commitId, record, content]: readonly unknown[]): SealedRow {
    const table = typeof kind === 'number' ? tableOfKind(kind) : undefined;
    const isWhole = [key, commitId, record].every((bytes) => bytes instanceof Uint8Array);
    if (table === undefined || !isWhole) return this.#damaged();
    return { table, key, commitId, record, content } as SealedRow;
  }

  /** @returns the row, also where it was there before; `undefined` for one that the unit of work has deleted. */
  #add(sealed: SealedRow, gone: Set<string>, withContent: boolean): StoredRow | undefined {
    const { table, commitId } = sealed;
    const damaged = () => this.#damaged();
    const place = { table: table.name, key: sealed.key, column: 'record', commitId } as const;
    const record = this.#keys.open(sealed.record, place) ?? damaged();
    const values = new ValueReader(decodeValues(record, damaged), damaged);
    const columns = this.#set.columns(table.name);
    const row = values.take(columns.length);
    const content = table.content === undefined ? undefined : { commitId: values.bytes(), length: values.number() };
    const key = valuesOf(row, columns, table.key);
    const name = nameOf(table.kind, key);
    const known = this.#stored.get(name);
    if (known !== undefined && !gone.has(name)) {
      if (withContent) this.#addContent(known, sealed.content);
      return known;
    }
    const parentName = this.#parentName(table, row, columns);
    // What a deleted row takes with it is deleted as well.
    if (gone.has(name) || (parentName !== undefined && gone.has(parentName))) {
      gone.add(name);
      return undefined;
    }
    const parent = parentName === undefined ? undefined : (this.#stored.get(parentName) ?? this.#rolledBack());
    const listed = (parent?.children ?? this.#roots).get(name);
    if (table.isListed && !(listed !== undefined && equal(listed, commitId))) this.#rolledBack();
    const children = decodeChildren(values);
    const stored: StoredRow = { table, key, name, parent, children, content, hasContent: false };
    this.#stored.set(name, stored);
    if (content !== undefined) row[columns.indexOf(table.content ?? '')] = NOTHING;
    this.#set.add(table.name, row);
    wipe(record, ...row.filter((value) => value instanceof Uint8Array));
    if (withContent) this.#addContent(stored, sealed.content);
    return stored;
  }

  #addContent(row: StoredRow, sealed: Uint8Array | null): void {
    const { table, key, content, hasContent } = row;
    if (content === undefined || hasContent) return;
    const place = {
      table: table.name,
      key: this.keyOf(table, key),
      column: 'content',
      commitId: content.commitId,
    } as const;
    const opened = (sealed && this.#keys.open(sealed, place)) ?? this.#damaged();
    if (opened.length !== content.length) this.#damaged();
    this.#set.setContent(table, key, opened);
    wipe(opened);
    row.hasContent = true;
  }

  /** The names of the rows that the unit of work has deleted. */
  #gone(): Set<string> {
    const deleted = this.#set.deleted().filter(({ table, key }) => !this.#set.has(table, key));
    return new Set(deleted.map(({ table, key }) => nameOf(table.kind, key)));
  }

  /** Whether a row is listed by what is known so far. */
  #isListed({ parent }: Table, name: string): boolean {
    if (this.#roots.has(name)) return true;
    if (parent === undefined) return false;
    const above = [...this.#stored.values()].filter(({ table }) => table.name === parent.table);
    return above.some(({ children }) => children.has(name));
  }

  /** @throws `rolled-back` where a listed row of one of the tables is not there. */
  #requireListed(list: ReadonlyMap<string, Uint8Array>, tables: readonly Table[], gone: ReadonlySet<string>): void {
    const beginnings = tables.map(({ kind }) => nameOf(kind, []));
    for (const name of list.keys()) {
      const isMeant = beginnings.some((beginning) => name.startsWith(beginning));
      if (isMeant && !this.#stored.has(name) && !gone.has(name)) this.#rolledBack();
    }
  }

  /** The same, for lists of all rows above. */
  #requireWhole(tables: readonly Table[], gone: ReadonlySet<string>): void {
    this.#requireListed(this.#roots, tables, gone);
    const listers = new Set(tables.flatMap(({ isListed, parent }) => (isListed && parent ? [parent.table] : [])));
    if (listers.size === 0) return;
    for (const row of this.#stored.values()) {
      if (listers.has(row.table.name)) this.#requireListed(row.children, tables, gone);
    }
  }

  #parentName(table: Table, row: readonly Value[], columns: readonly string[]): string | undefined {
    if (table.parent === undefined) return undefined;
    const key = valuesOf(row, columns, table.parent.columns);
    return key.includes(null) ? undefined : nameOf(tableNamed(table.parent.table).kind, key);
  }

  /** Brings the stored rows and their lists up to the working set. */
  #applyChanges(commitId: Uint8Array) {
    const deletions: StoredRow[] = [];
    const changed: Changed = new Map();
    const listed: StoredRow[] = [];
    for (const { table, key, wasDeleted, row: values } of this.#set.changes()) {
      const name = nameOf(table.kind, key);
      const known = this.#stored.get(name);
      if (known !== undefined && wasDeleted) {
        deletions.push(known);
        this.#stored.delete(name);
        (known.parent?.children ?? this.#roots).delete(name);
        if (known.parent !== undefined && known.table.isListed) listed.push(known.parent);
      }
      if (values === undefined) continue;
      const isNew = known === undefined || wasDeleted;
      const row = isNew ? this.#newRow(table, key, values, commitId) : known;
      if (!table.isListed) row.parent = this.#parentOf(table, values);
      this.#stored.set(name, row);
      changed.set(row, { values, isNew });
      if (table.isListed) {
        (row.parent?.children ?? this.#roots).set(name, commitId);
        if (row.parent !== undefined) listed.push(row.parent);
      }
    }
    // A list stands in the record of its row, which is thus another as well, up to the identity's own.
    for (const start of listed) {
      for (let row: StoredRow | undefined = start; row !== undefined; row = row.parent) {
        if (this.#stored.get(row.name) !== row) break;
        (row.parent?.children ?? this.#roots).set(row.name, commitId);
        if (changed.has(row)) continue;
        changed.set(row, { values: mustExist(this.#set.row(row.table, row.key), row.table.name), isNew: false });
      }
    }
    return { deletions, changed };
  }

  #newRow(table: Table, key: readonly Value[], values: readonly Value[], commitId: Uint8Array): StoredRow {
    const columns = this.#set.columns(table.name);
    const parent = this.#parentOf(table, values);
    const bytes = table.content === undefined ? undefined : values[columns.indexOf(table.content)];
    const content = bytes instanceof Uint8Array ? { commitId, length: bytes.length } : undefined;
    return { table, key, name: nameOf(table.kind, key), parent, children: new Map(), content, hasContent: true };
  }

  #parentOf(table: Table, values: readonly Value[]): StoredRow | undefined {
    const name = this.#parentName(table, values, this.#set.columns(table.name));
    return name === undefined ? undefined : mustExist(this.#stored.get(name), 'parent');
  }

  #deletion({ table, key }: StoredRow): Statement {
    return {
      text: 'DELETE FROM pawl.rows WHERE identity = $1 AND key = $2',
      values: [this.#identity, this.keyOf(table, key)],
    };
  }

  #insertion(row: StoredRow, values: readonly Value[], commitId: Uint8Array): Statement {
    const { table, content } = row;
    const key = this.keyOf(table, row.key);
    const bytes = values[this.#set.columns(table.name).indexOf(table.content ?? '')];
    const place = { table: table.name, key, column: 'content', commitId } as const;
    const sealed = content !== undefined && bytes instanceof Uint8Array ? this.#keys.seal(bytes, place) : null;
    return {
      text: expectingOne(`
INSERT INTO pawl.rows (identity, key, commit_id, record, lookup, other_lookup, ordinal, kind, parent, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`),
      values: [...this.#rowValues(row, values, commitId), table.kind, this.#parentKey(row), sealed],
    };
  }

  #update(row: StoredRow, values: readonly Value[], commitId: Uint8Array): Statement {
    return {
      text: expectingOne(`
UPDATE pawl.rows SET commit_id = $3, record = $4, lookup = $5, other_lookup = $6, ordinal = $7, parent = $8
WHERE identity = $1 AND key = $2`),
      values: [...this.#rowValues(row, values, commitId), this.#parentKey(row)],
    };
  }

  #parentKey({ parent }: StoredRow): Uint8Array | null {
    return parent === undefined ? null : this.keyOf(parent.table, parent.key);
  }

  #rowValues(row: StoredRow, values: readonly Value[], commitId: Uint8Array): unknown[] {
    const { table, content, children } = row;
    const columns = this.#set.columns(table.name);
    const key = this.keyOf(table, row.key);
    const apart = columns.indexOf(table.content ?? '');
    const plain = encodeValues([
      ...values.map((value, index) => (index === apart ? null : value)),
      ...(content === undefined ? [] : [content.commitId, content.length]),
      ...encodeChildren(children),
    ]);
    const record = this.#keys.seal(plain, { table: table.name, key, column: 'record', commitId });
    const lookups = [0, 1].map((index) => {
      const column = table.lookups?.[index];
      const value = column === undefined ? null : (values[columns.indexOf(column)] ?? null);
      return column === undefined || value === null ? null : this.lookupOf(table, column, value);
    });
    const ordinal = table.ordinal === undefined ? null : values[columns.indexOf(table.ordinal)];
    wipe(plain, ...values.filter((value) => value instanceof Uint8Array));
    return [this.#identity, key, commitId, record, ...lookups, ordinal];
  }

  #damaged(): never {
    throw new PawlError('damaged', { path: this.#set.path });
  }

  #rolledBack(): never {
    throw new PawlError('rolled-back', { path: this.#set.path });
  }
}

/** The values of some columns of a row. */
function valuesOf(row: readonly Value[], columns: readonly string[], names: readonly string[]): Value[] {
  return names.map((name) => {
    const value = row[columns.indexOf(name)] ?? null;
    // The row is wiped, once it is stored.
    return value instanceof Uint8Array ? value.slice() : value;
  });
}
