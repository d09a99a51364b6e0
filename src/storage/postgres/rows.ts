/**
 * The rows of one identity as a unit of work sees them: read from the database when they are needed, checked against the
 * lists that name them, and written back sealed (docs/PROTOCOL.md §8).
 * Knows no table's meaning.
 */
import { PawlError } from '../../errors.ts';
import { equal, wipe } from '../../primitives/index.ts';
import { mustExist } from '../transaction.ts';
import { bytesIn, decodeChildren, encodeChildren, ValueReader } from './identity-record.ts';
import { decodeValues, encodeValues, type Value } from './row-codec.ts';
import { nameOf, type RowKeys } from './row-keys.ts';
import type { Selection } from './selection.ts';
import { expectingOne, type Statement } from './statement.ts';
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
  /** What was asked for below the row, and is in the working set. */
  readonly complete: Set<Wanted>;
}

/** What is wanted with a row. */
export type Wanted = Pick<Selection, 'below' | 'withContent'>;

const ALONE: Wanted = {};

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

/** While rows are put into the working set. */
interface Loading {
  readonly skipped: Set<string>;
  /** Whether the unit of work has changed anything: else it has deleted nothing. */
  readonly hasChanged: boolean;
  readonly withContent: boolean;
}

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
  /** The rows that were read, by the names of those that they list, or have listed. */
  readonly #listers = new Map<string, StoredRow>();
  /** The tables of which all rows are in the working set, so far as it was asked. */
  readonly #whole = new Set<Table>();
  /** What was read once, and is in the working set. */
  readonly #loaded = new Set<string>();

  constructor(set: WorkingSet, { identity, keys, roots, read }: RowsOptions) {
    this.#identity = identity;
    this.#keys = keys;
    this.#set = set;
    this.#read = read;
    this.#roots = new Map(roots);
  }

  /**
   * Has rows in the working set, each with what is wanted of it and of the rows above it. Returns when each of them is there,
   * or it is proved by the lists that it is not; of a table that is not listed, what the database says is believed.
   * @throws `rolled-back` where something is listed and does not come; and as {@link load}.
   */
  async find(table: Table, keys: readonly (readonly Value[])[], wanted: Wanted = ALONE): Promise<void> {
    const unknown = keys.filter((key) => !this.#isKnown(table, key, wanted));
    if (unknown.length === 0) return;
    await this.load({ tables: [table], keys: unknown.map((key) => this.keyOf(table, key)), ...wanted });
    const areKnown = () => unknown.every((key) => this.#isKnown(table, key, wanted));
    if (!table.isListed || areKnown()) return;
    // The owner of the database could hide a row, and not all the lists that it may be in.
    if (table.parent !== undefined) await this.all(tableNamed(table.parent.table));
    if (!areKnown()) this.#rolledBack();
  }

  /** The same for a row of a table without parents, by one of the columns that it can be looked up by. */
  async findBy(table: Table, column: string, value: Value, wanted: Wanted = ALONE): Promise<void> {
    const key = () => this.#set.keyOf(table, column, value);
    if (key() === undefined && !this.#isWhole(table)) {
      await this.load({ tables: [table], lookup: this.lookupOf(table, column, value), ...wanted });
    }
    if (key() === undefined) await this.all(table);
    const found = key();
    if (found !== undefined) await this.find(table, [found], wanted);
  }

  /** Has all rows of tables in the working set. @throws as {@link load}. */
  async all(...tables: readonly Table[]): Promise<void> {
    const missing = tables.filter((table) => !this.#isWhole(table));
    if (missing.length > 0) await this.load({ tables: [...new Set(missing.flatMap(withListers))] });
  }

  /** Reads what a selection finds of a table that is not listed, unless the same was read before. @param what names it. */
  async once(what: string, table: Table, selection: Omit<Selection, 'tables'>): Promise<void> {
    if (this.#loaded.has(what) || this.#isWhole(table)) return;
    await this.load({ tables: [table], ...selection });
    this.#loaded.add(what);
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
   * Puts the rows that a selection finds into the working set. That of a whole listed table includes those of its parents,
   * or they were read before.
   * @throws `damaged` for one that does not authenticate; `rolled-back` for one that is not listed, or not as it is, and
   * for one of a whole table that is listed and does not come.
   */
  async load(selection: Selection): Promise<void> {
    const [answer = []] = await this.#read([selection]);
    const loading = {
      skipped: new Set<string>(),
      // Asked once: of thousands of rows, each would ask for its parent.
      hasChanged: this.#set.hasChanged,
      withContent: selection.withContent === true,
    };
    this.#set.loading(() => {
      for (const sealed of answer.map((row) => this.#sealedRow(row)).sort(inOrder)) this.#add(sealed, loading);
    });
    const { tables = TABLES, keys, lookup, parents, upTo } = selection;
    const isOfWholeTables = (keys ?? lookup ?? parents ?? upTo) === undefined;
    if (isOfWholeTables) this.#requireWhole(tables, selection);
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

  /** @param loading.skipped the names of the rows that the unit of work has deleted with those above them. */
  #add(sealed: SealedRow, { skipped, hasChanged, withContent }: Loading): void {
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
    if (known !== undefined) {
      if (withContent) this.#addContent(known, sealed.content);
      return;
    }
    const parentName = this.#parentName(table, row, columns);
    const isSkipped = parentName !== undefined && skipped.has(parentName);
    const parent =
      parentName === undefined || isSkipped ? undefined : (this.#stored.get(parentName) ?? this.#rolledBack());
    if (isSkipped || (hasChanged && parent !== undefined && this.#isGone(parent))) {
      skipped.add(name);
      return;
    }
    const listed = (parent?.children ?? this.#roots).get(name);
    if (table.isListed && !(listed !== undefined && equal(listed, commitId))) this.#rolledBack();
    const children = decodeChildren(values);
    const stored = { table, key, name, parent, children, content, hasContent: false, complete: new Set<Wanted>() };
    this.#stored.set(name, stored);
    for (const child of children.keys()) this.#listers.set(child, stored);
    if (content !== undefined) row[columns.indexOf(table.content ?? '')] = NOTHING;
    this.#set.add(table.name, row);
    wipe(record, ...bytesIn(row));
    if (withContent) this.#addContent(stored, sealed.content);
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

  /** Whether the unit of work has deleted a row that was read, and thereby all below it, read or not. */
  #isGone({ table, key }: StoredRow): boolean {
    return !this.#set.has(table, key);
  }

  /** Whether a row is in the working set, with what is wanted; or it is proved that it is not there. */
  #isKnown(table: Table, key: readonly Value[], wanted: Wanted): boolean {
    const stored = this.#stored.get(nameOf(table.kind, key));
    if (stored === undefined) return this.#set.has(table, key) || this.#isAbsent(table, key);
    for (let row: StoredRow | undefined = stored; row !== undefined; row = row.parent) {
      if (!this.#isComplete(row, wanted)) return false;
    }
    return true;
  }

  /** Whether the content that is wanted, and the rows below that are wanted and listed, are in the working set. */
  #isComplete(row: StoredRow, wanted: Wanted): boolean {
    if (row.complete.has(wanted)) return true;
    const { below = [], withContent = false } = wanted;
    const isComplete =
      !(withContent && lacksContent(row)) &&
      namesOf(row.children, below).every((name) => {
        const child = this.#stored.get(name);
        return child !== undefined && this.#isComplete(child, wanted);
      });
    if (isComplete) row.complete.add(wanted);
    return isComplete || this.#isGone(row);
  }

  /** Whether nothing lists a row, of all that could. */
  #isAbsent(table: Table, key: readonly Value[]): boolean {
    const name = nameOf(table.kind, key);
    if (!table.isListed || this.#roots.has(name)) return false;
    if (table.parent === undefined) return true;
    const lister = this.#listers.get(name);
    if (lister?.children.has(name)) return this.#isGone(lister);
    const above = tableNamed(table.parent.table);
    if (!table.parent.columns.every((column) => table.key.includes(column))) return this.#isWhole(above);
    // Its key names its parent.
    const aboveKey = valuesOf(key, table.key, table.parent.columns);
    return aboveKey.includes(null) || this.#isKnown(above, aboveKey, ALONE);
  }

  /** Whether all rows of a table are in the working set. */
  #isWhole(table: Table): boolean {
    if (this.#whole.has(table)) return true;
    if (!table.isListed) return false;
    const above = table.parent && tableNamed(table.parent.table);
    if (above !== undefined && !this.#isWhole(above)) return false;
    const isThere = (list: List) => namesOf(list, [table]).every((name) => this.#stored.has(name));
    const isWhole =
      isThere(this.#roots) &&
      [...this.#stored.values()].every((row) => row.table !== above || isThere(row.children) || this.#isGone(row));
    if (isWhole) this.#whole.add(table);
    return isWhole;
  }

  /** @throws `rolled-back` where a row that is listed, or its content that is wanted, has not come. */
  #requireWhole(tables: readonly Table[], { withContent = false }: Wanted): void {
    for (const table of tables) {
      if (!table.isListed) this.#whole.add(table);
      if (!this.#isWhole(table)) this.#rolledBack();
    }
    if (!withContent) return;
    for (const row of this.#stored.values()) {
      if (tables.includes(row.table) && lacksContent(row) && !this.#isGone(row)) this.#rolledBack();
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
    const name = nameOf(table.kind, key);
    return { table, key, name, parent, children: new Map(), content, hasContent: true, complete: new Set() };
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
    wipe(plain, ...bytesIn(values));
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

/** Those names of a list that are of some tables. */
function namesOf(list: List, tables: readonly Table[]): string[] {
  const beginnings = tables.map(({ kind }) => nameOf(kind, []));
  return [...list.keys()].filter((name) => beginnings.some((beginning) => name.startsWith(beginning)));
}

function lacksContent({ content, hasContent }: StoredRow): boolean {
  return content !== undefined && !hasContent;
}

/** A table, behind those whose rows list its rows. */
function withListers(table: Table): Table[] {
  if (!table.isListed || table.parent === undefined) return [table];
  return [...withListers(tableNamed(table.parent.table)), table];
}
