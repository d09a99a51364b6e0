/**
 * The boxes of contents in parts: reads the parts of contents that are awaited, and empties the boxes of those that are
 * finished (docs/PROTOCOL.md §8).
 * Does not open parts, and does not know where their data go.
 */
import { decodeEnvelope, partLength, type SealedPart } from '../../envelope/index.ts';
import { PawlError } from '../../errors.ts';
import { boxOf, type Entry, formatRoute, indexOfPart, type Place } from '../../places/index.ts';
import {
  type BoxToEmpty,
  boxesToEmpty,
  type IncomingContent,
  keyOfRoute,
  type LeftEntry,
  leftBefore,
  leftIn,
  nameOf,
  noteEmptied,
  pauseAfter,
  restOf,
  routeTo,
  settleEntries,
} from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import type { OpenIdentity } from '../identity/open.ts';
import type { PartArrival } from '../stream/envelopes.ts';
import { count } from '../terminal/format.ts';
import { isOfPlace } from './hand-over.ts';
import { byPlace, type KnownRoute, type Places } from './places.ts';

/** Parts that are read together. They are opened one by one, so that a place reads only a few ahead. */
const READ_TOGETHER = 8;
/** So many names are listed at a time: more than parts that can be taken before the first that is missing has come. */
const LISTED = 10_000;
/** Entries of one box that are of no use, and are read in one round. They rest then. */
const MOST_USELESS = 64;
/** The most parts of a stream, of which is looked whether all have come. */
const MOST_OF_STREAM = 2 ** 18;
/** Bytes of one content in one round of `recv --follow`, so that a large one keeps no message waiting for long. */
const OF_A_ROUND = 64 * 2 ** 20;
/** So often a box is listed to be emptied in one round, and so much is removed at a time. */
const MOST_LISTINGS = 20;
const REMOVED_TOGETHER = 1_000;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Boxes at one place. */
export interface WatchedBoxes extends KnownRoute {
  readonly boxes: readonly { readonly box: Uint8Array }[];
}

interface PartsOptions {
  /** Is asked once something is there: the caller makes room for it. @returns whether it is to be read. */
  readonly begin: () => Promise<boolean>;
  /** Ends with the first part that was not taken. */
  readonly inOrder: boolean;
}

export class PartBoxes {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #places: Places;
  readonly #follows: boolean;
  /** Contents of which it was told that they wait. */
  readonly #told = new Set<IncomingContent['row']['id']>();
  /** The places that have failed in this round. */
  #failed: Set<string> = new Set();
  #watched: WatchedBoxes[] = [];
  #hasMore = false;
  /** In how many milliseconds a part that was of no use is to be read again. */
  #rest = Number.POSITIVE_INFINITY;
  #exit = 0;

  /** @param follows whether there is one round after the other. */
  constructor(context: CommandContext, identity: OpenIdentity, places: Places, { follows }: { follows: boolean }) {
    this.#context = context;
    this.#identity = identity;
    this.#places = places;
    this.#follows = follows;
  }

  /** Begins a round. @param failed places that have failed in it, and were told. */
  begin(failed: Set<string>): void {
    this.#failed = failed;
    this.#watched = [];
    this.#hasMore = false;
    this.#rest = Number.POSITIVE_INFINITY;
    this.#exit = 0;
  }

  #restsFor(milliseconds: number): void {
    this.#rest = Math.min(this.#rest, milliseconds);
  }

  /** The exit code of the first place that could not be reached in this round. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether there is more to read at once. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** In how many milliseconds a part that was of no use is to be read again: it may have been garbled on its way. */
  get untilNext(): number | undefined {
    return Number.isFinite(this.#rest) ? this.#rest : undefined;
  }

  /** The boxes that were looked into in this round, and may get more. */
  get watched(): readonly WatchedBoxes[] {
    return this.#watched;
  }

  /** Whether what goes on from round to round is not told in each. */
  get isQuiet(): boolean {
    return this.#follows;
  }

  /** The place of the contact that a content is from; `undefined` without a route. */
  async titleFor(content: IncomingContent): Promise<string | undefined> {
    const route = await routeTo(this.#identity, content.from);
    return route && formatRoute(route.route);
  }

  /** Whether it is to be told now that a content waits: once. */
  tells(content: IncomingContent): boolean {
    const { id } = content.row;
    const isNew = !this.#told.has(id);
    this.#told.add(id);
    return isNew;
  }

  /**
   * Reads the parts of a content that are at the place and are not taken yet, those of lower indexes first as far as they are
   * there. After each of them it is looked whether the content has it: what it has not, is left there, and rests.
   */
  async *partsOf(content: IncomingContent, options: PartsOptions): AsyncGenerator<PartArrival, void, undefined> {
    const useless: Omit<LeftEntry, 'tries' | 'triedAt'>[] = [];
    try {
      yield* this.#at(content, (place) => this.#partsAt(place, content, options, useless));
    } finally {
      await settleEntries(this.#identity, { left: useless, gone: [], empty: [] });
    }
  }

  async *#partsAt(
    place: Place,
    content: IncomingContent,
    { begin, inOrder }: PartsOptions,
    useless: Omit<LeftEntry, 'tries' | 'triedAt'>[],
  ): AsyncGenerator<PartArrival, void, undefined> {
    const { box } = content;
    const left = await leftIn(this.#identity, box);
    const source = `the box of ${nameOf(content.row.descriptor)}`;
    /** What was read in this round, taken or not, or could not be read. */
    const tried = new Set<string>();
    let bytes = 0;
    const isWanted = (entry: Entry, index: number): boolean => {
      if (!content.log.wants(index) || tried.has(entry.name)) return false;
      const rest = restOf(entry, left, this.#context.io.now());
      if (rest > 0) this.#restsFor(rest);
      return rest === 0;
    };
    // What the content has may change as soon as it gets its place.
    const isSomething = (await this.#list(place, content, (entry) => !tried.has(entry.name))).length > 0;
    if (!isSomething || !(await begin())) return;
    for (;;) {
      const found = await this.#list(place, content, isWanted);
      if (found.length === 0) return;
      for (let from = 0; from < found.length; from += READ_TOGETHER) {
        const slice = found.slice(from, from + READ_TOGETHER).filter(({ index }) => content.log.wants(index));
        for (const { entry } of slice) tried.add(entry.name);
        const indexes = new Map(slice.map(({ entry, index }) => [entry.name, index]));
        for await (const delivery of place.read(slice.map(({ entry }) => entry))) {
          const { entry } = delivery;
          const { name, size, version } = entry;
          const index = indexes.get(name) ?? -1;
          const part = 'bytes' in delivery ? partIn(delivery.bytes, content) : undefined;
          if (part !== undefined) yield { source, part };
          if (content.log.has(index)) continue;
          useless.push({ box, name, size, version, code: 'reason' in delivery ? 'cannot be read' : 'unknown-part' });
          this.#restsFor(pauseAfter((leftBefore(entry, left)?.tries ?? 0) + 1));
          if (inOrder || useless.length >= MOST_USELESS) return;
        }
        bytes += slice.reduce((sum, { entry }) => sum + entry.size, 0);
        if (this.#follows && !inOrder && bytes >= OF_A_ROUND) {
          this.#hasMore = true;
          return;
        }
      }
    }
  }

  /** Whether all parts of a content are at the place, so that it can be written in order to its end. */
  async isWhole(content: IncomingContent): Promise<boolean> {
    const { size, partSize } = content.row.descriptor;
    const total = size === undefined ? undefined : Math.max(Math.ceil(size / partSize), 1);
    let answer = false;
    const look = async function* (place: Place, boxes: PartBoxes): AsyncGenerator<never, void, undefined> {
      const there = new Map<number, Entry>();
      await boxes.#list(place, content, (entry, index) => {
        if (index < (total ?? MOST_OF_STREAM)) there.set(index, entry);
        return false;
      });
      let end = 0;
      while (there.has(end)) end += 1;
      const last = there.get(end - 1);
      if (total !== undefined) answer = end === total;
      else if (last !== undefined) {
        for await (const delivery of place.read([last])) {
          const part = 'bytes' in delivery ? partIn(delivery.bytes, content) : undefined;
          answer = part !== undefined && isLast(content, part);
        }
      }
    };
    for await (const _ of this.#at(content, (place) => look(place, this)));
    return answer;
  }

  /** Lists what may be parts of a content, by their indexes. */
  async #list(
    place: Place,
    content: IncomingContent,
    isWanted: (entry: Entry, index: number) => boolean,
  ): Promise<readonly { readonly entry: Entry; readonly index: number }[]> {
    const length = partLength(content.row.descriptor.partSize);
    const passOver = (entry: Entry): boolean => {
      const index = indexOfPart(entry.name);
      return index === undefined || entry.size !== length || !isWanted(entry, index);
    };
    const found: { entry: Entry; index: number }[] = [];
    const box = boxOf(content.box);
    for await (const entry of place.list([box], { entries: LISTED, bytes: NO_LIMIT, passOver })) {
      const index = indexOfPart(entry.name);
      if (entry.box === box && index !== undefined && !passOver(entry)) found.push({ entry, index });
    }
    return found.sort((a, b) => a.index - b.index);
  }

  /** Works at the place of a content. One that fails is told of once in a round, and keeps no other back. */
  async *#at<Item>(
    content: IncomingContent,
    work: (place: Place) => AsyncGenerator<Item, void, undefined>,
  ): AsyncGenerator<Item, void, undefined> {
    const route = await routeTo(this.#identity, content.from);
    if (route === undefined || this.#failed.has(keyOfRoute(route.route))) return;
    try {
      const place = await this.#places.at(route);
      this.#watched.push({ ...route, boxes: [{ box: content.box }] });
      yield* work(place);
    } catch (error) {
      if (!isOfPlace(error)) throw error;
      this.#failed.add(keyOfRoute(route.route));
      await this.#places.leave(route);
      const exit = await this.#places.troubles.tell(error);
      this.#exit ||= exit;
    }
  }

  /**
   * Empties the boxes of contents that are finished or given up. Where a place cannot be reached, a later round does it.
   * @param only of this contact.
   */
  async emptySpent(only?: string): Promise<void> {
    const spent = await boxesToEmpty(this.#identity, only);
    if (spent.length > 0) await noteEmptied(this.#identity, await this.empty(spent));
  }

  /** Empties boxes. @returns those that are empty now, or hold only what the place does not let us remove. */
  async empty(spent: readonly BoxToEmpty[]): Promise<readonly Uint8Array[]> {
    const emptied: Uint8Array[] = [];
    for (const { key, first, all: boxes } of byPlace(spent)) {
      if (this.#failed.has(key)) continue;
      try {
        const place = await this.#places.at(first);
        if (await this.#emptyAt(place, boxes)) emptied.push(...boxes.map(({ box }) => box));
      } catch (error) {
        if (!isOfPlace(error)) throw error;
        this.#failed.add(key);
        await this.#places.leave(first);
      }
    }
    return emptied;
  }

  async #emptyAt(place: Place, spent: readonly BoxToEmpty[]): Promise<boolean> {
    const boxes = spent.map(({ box }) => boxOf(box));
    const wanted: ReadonlySet<string> = new Set(boxes);
    const kept = new Map<string, string>();
    const keyOf = ({ box, name }: Entry) => `${box} ${name}`;
    const passOver = (entry: Entry) => kept.has(keyOf(entry));
    const removed = new Set<string>();
    for (let listing = 0; listing < MOST_LISTINGS; listing++) {
      const entries: Entry[] = [];
      for await (const entry of place.list(boxes, { entries: LISTED, bytes: NO_LIMIT, passOver })) {
        if (!wanted.has(entry.box) || passOver(entry)) continue;
        if (removed.has(keyOf(entry))) kept.set(keyOf(entry), 'it is listed again after it was removed');
        else entries.push(entry);
      }
      if (entries.length === 0) {
        await this.#tellKept(spent, kept);
        return true;
      }
      for (let from = 0; from < entries.length; from += REMOVED_TOGETHER) {
        const together = entries.slice(from, from + REMOVED_TOGETHER);
        for (const { entry, reason } of await place.remove(together)) kept.set(keyOf(entry), reason);
        for (const entry of together) removed.add(keyOf(entry));
      }
    }
    return false;
  }

  async #tellKept([first]: readonly BoxToEmpty[], kept: ReadonlyMap<string, string>): Promise<void> {
    const [reason] = kept.values();
    if (first === undefined || reason === undefined) return;
    await this.#context.reporter.warn(
      `${count(kept.size, 'part')} of what is finished cannot be removed from ${formatRoute(first.route)}: ${reason}`,
    );
  }
}

/** A part of a content; `undefined` for anything else. */
function partIn(bytes: Uint8Array, content: IncomingContent): SealedPart | undefined {
  try {
    const envelope = decodeEnvelope(bytes);
    return envelope.kind === 'part' && content.owns(envelope.part) ? envelope.part : undefined;
  } catch (error) {
    if (error instanceof PawlError) return undefined;
    throw error;
  }
}

function isLast(content: IncomingContent, part: SealedPart): boolean {
  try {
    return content.open(part).part.isLast;
  } catch (error) {
    if (error instanceof PawlError) return false;
    throw error;
  }
}
