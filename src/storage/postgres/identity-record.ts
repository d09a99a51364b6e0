/**
 * The record of an identity: what the store has to know before it reads any row, and what holds the rows together.
 */
import { concatAll, equal } from '../../primitives/index.ts';
import type { MarkedCommit } from '../rollback-mark.ts';
import { decodeValues, encodeValues, type Value } from './row-codec.ts';

/** The server that a commit was made on. */
export interface Server {
  /** The system identifier of the cluster: a decimal number. */
  readonly system: string;
  /** It changes when a standby is promoted. */
  readonly timeline: number;
}

export function isSameServer(one: Server, other: Server): boolean {
  return one.system === other.system && one.timeline === other.timeline;
}

export interface IdentityRecord {
  /** The version of `../schema.ts` that the rows are of. */
  readonly schema: number;
  /** Grows with every commit: see docs/PROTOCOL.md §8. */
  readonly generation: number;
  /** How often all sessions were held: nothing of before is used again. */
  readonly holds: number;
  /** That of the last commit. */
  readonly server: Server;
  /** The values of the row in the table `identity`. */
  readonly row: readonly Value[];
  /** The last ids that were given, by table. */
  readonly sequences: ReadonlyMap<string, number>;
  /** Nothing is due to be swept before these times, by sweep; `undefined`: nothing ever. */
  readonly bounds: ReadonlyMap<string, number | undefined>;
  /** The ids of the last commits, the newest last. */
  readonly commits: CommitIds;
  /** The listed rows without a parent, by name, with the ids of the commits that changed them last. */
  readonly children: ReadonlyMap<string, Uint8Array>;
}

/** 16 bytes. */
export const COMMIT_ID_LENGTH = 16;
/** So many are stored: as many others may commit before one that lost the answer has looked. */
const STORED_COMMITS = 64;

/** The ids of the last commits. */
export class CommitIds {
  readonly #ids: readonly Uint8Array[];

  constructor(ids: readonly Uint8Array[] = []) {
    this.#ids = ids;
  }

  with(id: Uint8Array): CommitIds {
    return new CommitIds([...this.#ids, id].slice(-STORED_COMMITS));
  }

  has(id: Uint8Array): boolean {
    return this.#ids.some((known) => equal(known, id));
  }

  /** Whether the commit of a generation, if it is one of this history, is still among them. */
  reaches(generation: number, newest: number): boolean {
    return newest - generation < this.#ids.length;
  }

  bytes(): Uint8Array {
    return concatAll(this.#ids);
  }

  /** @param fail is called for bytes that are no sequence of ids. */
  static from(bytes: Uint8Array, fail: () => never): CommitIds {
    if (bytes.length % COMMIT_ID_LENGTH !== 0) fail();
    const ids: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += COMMIT_ID_LENGTH) ids.push(bytes.slice(at, at + COMMIT_ID_LENGTH));
    return new CommitIds(ids);
  }
}

/** The last commit that a process or a machine knows of. */
export interface KnownCommit {
  readonly generation: number;
  readonly commit?: MarkedCommit | undefined;
}

/**
 * Whether an identity lacks a commit that is known: an older state was put back, or a standby took over that lagged; others
 * may have committed since. Where all sessions were held after that, nothing of it matters.
 */
export function isBehind(
  { generation, holds, commits }: IdentityRecord,
  { generation: known, commit }: KnownCommit,
): boolean {
  if (commit !== undefined && holds > commit.holds) return false;
  if (generation < known || holds < (commit?.holds ?? 0)) return true;
  return commit !== undefined && commits.reaches(known, generation) && !commits.has(commit.id);
}

export function encodeRecord(record: IdentityRecord): Uint8Array {
  const { schema, generation, holds, server, row, sequences, bounds, commits, children } = record;
  return encodeValues([
    schema,
    generation,
    holds,
    server.system,
    server.timeline,
    row.length,
    ...row,
    sequences.size,
    ...[...sequences].flat(),
    bounds.size,
    ...[...bounds].flatMap(([name, bound]) => [name, bound ?? null]),
    commits.bytes(),
    ...encodeChildren(children),
  ]);
}

/** @param fail is called for bytes that {@link encodeRecord} does not make. */
export function decodeRecord(bytes: Uint8Array, fail: () => never): IdentityRecord {
  const values = new ValueReader(decodeValues(bytes, fail), fail);
  const schema = values.number();
  const generation = values.natural();
  const holds = values.natural();
  const server = { system: values.text(), timeline: values.number() };
  const row = values.take(values.number());
  const sequences = new Map(values.times((): [string, number] => [values.text(), values.number()]));
  const bounds = new Map(values.times((): [string, number | undefined] => [values.text(), values.optionalNumber()]));
  const commits = CommitIds.from(values.bytes(), fail);
  return { schema, generation, holds, server, row, sequences, bounds, commits, children: decodeChildren(values) };
}

/** The bytes among values. */
export function bytesIn(values: readonly Value[]): Uint8Array[] {
  return values.filter((value) => value instanceof Uint8Array);
}

/** A list of rows. */
export function encodeChildren(children: ReadonlyMap<string, Uint8Array>): Value[] {
  return [...children].flat();
}

/** Reads them to the end of the values. */
export function decodeChildren(values: ValueReader): Map<string, Uint8Array> {
  const children = new Map<string, Uint8Array>();
  while (values.left > 0) children.set(values.text(), values.bytes());
  return children;
}

/** Reads values one after the other. */
export class ValueReader {
  readonly #values: readonly Value[];
  readonly #fail: () => never;
  #at = 0;

  constructor(values: readonly Value[], fail: () => never) {
    this.#values = values;
    this.#fail = fail;
  }

  get left(): number {
    return this.#values.length - this.#at;
  }

  take(count: number): Value[] {
    if (count < 0 || count > this.left) this.#fail();
    this.#at += count;
    return this.#values.slice(this.#at - count, this.#at);
  }

  number(): number {
    return this.optionalNumber() ?? this.#fail();
  }

  natural(): number {
    const value = this.number();
    return value >= 0 ? value : this.#fail();
  }

  optionalNumber(): number | undefined {
    const [value = null] = this.take(1);
    if (value === null) return undefined;
    return typeof value === 'number' ? value : this.#fail();
  }

  text(): string {
    const [value] = this.take(1);
    return typeof value === 'string' ? value : this.#fail();
  }

  bytes(): Uint8Array {
    const [value] = this.take(1);
    return value instanceof Uint8Array ? value : this.#fail();
  }

  /** Reads a number, and so many elements. */
  times<Element>(read: () => Element): Element[] {
    const count = this.natural();
    if (count > this.left) this.#fail();
    return Array.from({ length: count }, read);
  }
}
