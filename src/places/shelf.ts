/**
 * What a place has found in boxes, within limits: so that what lies in one box keeps back no other, and a place full of
 * junk fills no memory. And what was listed, by which news is told from it.
 */
import type { Box, Entry, ListLimits } from './place.ts';

/** The most entries of all boxes together, and of each box in any case. */
const MOST = 50_000;
const LEAST_OF_A_BOX = 16;

interface Found {
  readonly entry: Entry;
  readonly order: number;
}

export class Shelf {
  readonly #limits: ListLimits;
  /** By name: whatever is said twice is there once. */
  readonly #boxes: ReadonlyMap<Box, Map<string, Found>>;
  readonly #listed: Listed;
  /** The boxes in which something lies, and how many entries of each are kept. */
  #filled = 0;
  #most: number;
  /** The boxes of which not everything is kept. */
  readonly #cut = new Set<Box>();

  /** @param listed is told what is passed over, and what is taken from the shelf. */
  constructor(boxes: readonly Box[], limits: ListLimits, listed: Listed) {
    this.#limits = limits;
    this.#boxes = new Map(boxes.map((box) => [box, new Map()]));
    this.#listed = listed;
    this.#most = limits.entries;
  }

  /** Whether it is one of the boxes. */
  has(box: string): box is Box {
    return this.#boxes.has(box as Box);
  }

  /** @param order the smallest is given out first. */
  add(entry: Entry, order: number): void {
    const found = this.#boxes.get(entry.box);
    if (found === undefined) return;
    if (this.#limits.passOver?.(entry)) {
      this.#listed.add(entry);
      return;
    }
    if (found.has(entry.name)) return;
    found.set(entry.name, { entry, order });
    if (found.size === 1) this.#shareOut();
    // Not after each one: that would be a sort for each.
    else if (found.size >= 2 * this.#most) this.#cutTo(this.#most, found, entry.box);
  }

  /** Gives out what is kept of each box, the oldest first, up to the limit of bytes, but one at least. */
  *entries(): Generator<Entry, void, undefined> {
    for (const [box, found] of this.#boxes) {
      this.#cutTo(this.#most, found, box);
      let bytes = 0;
      for (const { entry } of found.values()) {
        if (bytes > 0 && bytes + entry.size > this.#limits.bytes) {
          this.#cut.add(box);
          break;
        }
        bytes += entry.size;
        this.#listed.add(entry);
        yield entry;
      }
      if (this.#cut.has(box)) this.#limits.onMore?.(box);
    }
  }

  #shareOut(): void {
    this.#filled++;
    const most = Math.min(this.#limits.entries, Math.max(LEAST_OF_A_BOX, Math.floor(MOST / this.#filled)));
    if (most === this.#most) return;
    this.#most = most;
    for (const [box, found] of this.#boxes) if (found.size > 2 * most) this.#cutTo(most, found, box);
  }

  /** Puts what was found in order, and lets the last ones go. */
  #cutTo(most: number, found: Map<string, Found>, box: Box): void {
    const all = [...found.values()];
    all.sort((a, b) => a.order - b.order || (a.entry.name < b.entry.name ? -1 : 1));
    if (all.length > most) this.#cut.add(box);
    found.clear();
    for (const one of all.slice(0, most)) found.set(one.entry.name, one);
  }
}

/** What was listed last and is still there, as far as is known here. */
export class Listed {
  readonly #names = new Map<string, Set<string>>();

  /** These boxes are listed anew. Nothing changes of others. */
  begin(boxes: readonly Box[]): void {
    for (const box of boxes) this.#names.delete(box);
  }

  add({ box, name }: Pick<Entry, 'box' | 'name'>): void {
    const names = this.#names.get(box);
    if (names === undefined) this.#names.set(box, new Set([name]));
    else names.add(name);
  }

  has(box: string, name: string): boolean {
    return this.#names.get(box)?.has(name) === true;
  }

  /** It is not there any more, or was not whole: when it is seen again, it is news. */
  delete({ box, name }: Entry): void {
    const names = this.#names.get(box);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(box);
  }
}
