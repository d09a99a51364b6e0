/**
 * The rows that a unit of work needs, in a database in memory, where the statements of `../tables` run on them. It notes
 * which rows change.
 * Does not know where the rows come from, and where they go.
 */
import { MemoryDatabase } from '../memory-database.ts';
import type { Value } from './row-codec.ts';
import { inOrder, TABLES, type Table, tableOfKind } from './tables.ts';

/** The most columns of a key. */
const KEY_COLUMNS = Math.max(...TABLES.map(({ key }) => key.length));
const PARTS = Array.from({ length: KEY_COLUMNS }, (_, index) => `part${index}`);

const IDENTITY: Table = { name: 'identity', kind: 0, key: ['id'], isListed: false };

/** Rows that are only loaded are no changes. */
const TRACKING = `
CREATE TEMP TABLE loading (is_on INTEGER NOT NULL);
INSERT INTO loading VALUES (0);
CREATE TEMP TABLE changed (kind INTEGER NOT NULL, is_gone INTEGER NOT NULL, ${PARTS.join(', ')});
`;

function triggersOf({ name, kind, key }: Pick<Table, 'name' | 'kind' | 'key'>): string {
  const noting = (row: 'NEW' | 'OLD', isGone: 0 | 1) =>
    `INSERT INTO changed VALUES (${[kind, isGone, ...PARTS.map((_, index) => (key[index] ? `${row}.${key[index]}` : 'NULL'))].join(', ')});`;
  const isTracked = 'NOT (SELECT is_on FROM loading)';
  const isMoved = key.map((column) => `OLD.${column} IS NOT NEW.${column}`).join(' OR ');
  return `
CREATE TEMP TRIGGER ${name}_inserted AFTER INSERT ON main.${name} WHEN ${isTracked} BEGIN ${noting('NEW', 0)} END;
CREATE TEMP TRIGGER ${name}_updated AFTER UPDATE ON main.${name} WHEN ${isTracked} BEGIN ${noting('NEW', 0)} END;
CREATE TEMP TRIGGER ${name}_moved AFTER UPDATE ON main.${name} WHEN ${isTracked} AND (${isMoved}) BEGIN ${noting('OLD', 1)} END;
CREATE TEMP TRIGGER ${name}_deleted AFTER DELETE ON main.${name} WHEN ${isTracked} BEGIN ${noting('OLD', 1)} END;`;
}

/** A row that has changed. */
export interface Change {
  readonly table: Table;
  readonly key: readonly Value[];
  /** Whether it was deleted at some time. It may be there again. */
  readonly wasDeleted: boolean;
  /** The values of its columns; `undefined` where it is not there. */
  readonly row: readonly Value[] | undefined;
}

export class WorkingSet extends MemoryDatabase {
  readonly #columns = new Map<string, readonly string[]>();
  readonly #insertions = new Map<string, string>();
  #isClosed = false;

  /**
   * @param path what the store is called in error messages.
   * @param version of the schema: an older one for rows that are to be migrated.
   */
  constructor(path: string, version?: number) {
    super(path, version);
    const tables = [IDENTITY, ...TABLES].filter(({ name }) => this.columns(name).length > 0);
    this.execute(TRACKING + tables.map(triggersOf).join(''));
  }

  /** The names of a table's columns, in their order. */
  columns(table: string): readonly string[] {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const names = this.all<{ readonly name: string }>(`PRAGMA table_info(${table})`).map(({ name }) => name);
    this.#columns.set(table, names);
    return names;
  }

  /** Runs `work`, whose rows are loaded and not changed. */
  loading(work: () => void): void {
    this.run('UPDATE loading SET is_on = 1');
    try {
      work();
    } finally {
      this.run('UPDATE loading SET is_on = 0');
    }
  }

  /** Adds a row. @param row the values of its columns, in their order. */
  add(table: string, row: readonly Value[]): void {
    const parameters: Record<string, Value> = {};
    for (const [index, column] of this.columns(table).entries()) parameters[column] = row[index] ?? null;
    this.run(this.#insertion(table), parameters);
  }

  /** Made once: rows are added by the thousand. */
  #insertion(table: string): string {
    const known = this.#insertions.get(table);
    if (known !== undefined) return known;
    const columns = this.columns(table);
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`;
    this.#insertions.set(table, sql);
    return sql;
  }

  override close(): void {
    this.#isClosed = true;
    super.close();
  }

  /** Whether a row is there. @throws an `Error` once the set is closed. */
  has(table: Table, key: readonly Value[]): boolean {
    this.#requireOpen();
    return this.get(`SELECT 1 FROM ${table.name} WHERE ${isRow(table)}`, parametersOf(table, key)) !== undefined;
  }

  /**
   * The key of the row that has a value in a column whose values are unique; `undefined` where none has.
   * @throws an `Error` once the set is closed.
   */
  keyOf(table: Table, column: string, value: Value): readonly Value[] | undefined {
    this.#requireOpen();
    const sql = `SELECT ${table.key.join(', ')} FROM ${table.name} WHERE ${column} = @value`;
    return this.#values(sql, { value });
  }

  /** Sets the content of a row that was added without it. */
  setContent(table: Table, key: readonly Value[], content: Uint8Array): void {
    const sql = `UPDATE ${table.name} SET ${table.content} = @content WHERE ${isRow(table)}`;
    this.run(sql, { ...parametersOf(table, key), content });
  }

  /** All changes since the last {@link settle}, but for those of the row of the identity. Parents precede their children. */
  changes(): readonly Change[] {
    return this.#changed().map(({ table, key, wasDeleted }) => ({
      table,
      key,
      wasDeleted,
      row: this.row(table, key),
    }));
  }

  /** The values of a row's columns; `undefined` where it is not there. */
  row(table: Table, key: readonly Value[]): readonly Value[] | undefined {
    const sql = `SELECT ${this.columns(table.name).join(', ')} FROM ${table.name} WHERE ${isRow(table)}`;
    return this.#values(sql, parametersOf(table, key));
  }

  /** Whether anything has changed since the last {@link settle}. */
  get hasChanged(): boolean {
    return this.get('SELECT 1 FROM changed LIMIT 1') !== undefined;
  }

  /** The values of the identity's row. */
  identityRow(): readonly Value[] | undefined {
    return this.row(IDENTITY, [1]);
  }

  /** The last ids that were given, by table. */
  sequences(): ReadonlyMap<string, number> {
    const rows = this.all<{ readonly name: string; readonly seq: number }>(
      'SELECT name, seq FROM sqlite_sequence ORDER BY name',
    );
    return new Map(rows.map(({ name, seq }) => [name, seq]));
  }

  /** In bytes. */
  get size(): number {
    const [count, unused, page] = ['page_count', 'freelist_count', 'page_size'].map(
      (name) => Object.values(this.get<Record<string, number>>(`PRAGMA ${name}`) ?? {})[0] ?? 0,
    ) as [number, number, number];
    return (count - unused) * page;
  }

  /** Forgets what has changed. */
  settle(): void {
    this.run('DELETE FROM changed');
  }

  /** Who still asks has kept a transaction beyond its end. */
  #requireOpen(): void {
    if (this.#isClosed) throw new Error('the transaction is over');
  }

  /** The values of the row that a statement finds. */
  #values(sql: string, parameters: Readonly<Record<string, Value>>): readonly Value[] | undefined {
    let row: readonly Value[] | undefined;
    this.each<readonly Value[]>(sql, parameters, (values) => {
      row = values.slice();
    });
    return row;
  }

  #changed(): { table: Table; key: readonly Value[]; wasDeleted: boolean }[] {
    const found: { table: Table; key: readonly Value[]; wasDeleted: boolean }[] = [];
    const parts = PARTS.join(', ');
    const sql = `SELECT kind, max(is_gone), ${parts} FROM changed GROUP BY kind, ${parts} ORDER BY kind, ${parts}`;
    this.each<readonly [number, 0 | 1, ...Value[]]>(sql, {}, ([kind, isGone, ...key]) => {
      const table = tableOfKind(kind);
      if (table !== undefined) found.push({ table, key: key.slice(0, table.key.length), wasDeleted: isGone === 1 });
    });
    return found.sort(inOrder);
  }
}

function isRow({ key }: Table): string {
  return key.map((column) => `${column} IS @${column}`).join(' AND ');
}

function parametersOf({ key: columns }: Table, key: readonly Value[]) {
  return Object.fromEntries(columns.map((column, index) => [column, key[index] ?? null]));
}
