/**
 * A command with four verbs as a place: `put`, `list`, `get`, `ack`. What each of them reads and writes is here; the other
 * end is the command's, as examples/pawl-box.
 * Knows nothing of processes.
 */
import { PawlError } from '../errors.ts';
import { concat, utf8 } from '../primitives/index.ts';
import { boxOf, checkPut, isName, isSize, SIZES } from './box.ts';
import { outputOf, type Surroundings, type Verb } from './command.ts';
import { Incoming } from './incoming.ts';
import { pause } from './patience.ts';
import type { Box, Delivery, Entry, ListLimits, Place, PlaceContext, Route } from './place.ts';
import { formatRoute } from './route.ts';
import { Listed, Shelf } from './shelf.ts';

type CommandRoute = Route & { readonly kind: 'exec' };

/** In milliseconds. */
const TIME_LIMIT = 30_000;
const FIRST_POLL = 5_000;
const LAST_POLL = 30_000;
/** In bytes: of a line, of all lines, and of what says nothing. */
const LONGEST_LINE = 128;
const MOST_LISTED = 2 ** 26;
const MOST_SAID = 2 ** 16;
const LINE = /^(\S{26}) (\S{32}) (\d{1,15})$/;

export class CommandPlace implements Place {
  readonly #surroundings: Surroundings;
  readonly #random: PlaceContext['random'];
  readonly #listed = new Listed();
  readonly #closing = new AbortController();

  constructor(route: CommandRoute, { environment, killGroup, random, timeLimit = TIME_LIMIT }: PlaceContext) {
    this.#random = random;
    this.#surroundings = { command: route.command, place: formatRoute(route), timeLimit, environment, killGroup };
  }

  /** `BOX NAME SIZE`, so that what is cut off on its way is not taken for all, and the envelope. */
  async put(box: Box, name: string, envelope: Uint8Array): Promise<void> {
    checkPut(name, envelope);
    const head = utf8(`${box} ${name} ${envelope.length}\n`);
    await this.#say('put', concat(head, envelope));
  }

  /** Boxes, one a line; of what lies there come lines `BOX NAME SIZE`. */
  async *list(boxes: readonly Box[], limits: ListLimits): AsyncGenerator<Entry, void, undefined> {
    this.#listed.begin(boxes);
    const shelf = new Shelf(boxes, limits, this.#listed);
    let order = 0;
    for await (const entry of this.#listing(boxes)) {
      if (!shelf.has(entry.box)) continue;
      if (isName(entry.name) && isSize(entry.size)) shelf.add(entry, order++);
      else this.#listed.add(entry);
    }
    yield* shelf.entries();
  }

  /** Lines `BOX NAME`; out come, in this order, each that is there: a line `BOX NAME SIZE`, and the envelope. */
  async *read(entries: readonly Entry[]): AsyncGenerator<Delivery, void, undefined> {
    if (entries.length === 0) return;
    const most = entries.length * (LONGEST_LINE + SIZES.most);
    const incoming = new Incoming(this.#run('get', lines(entries.map(keyOf)), most));
    const places = new Map(entries.map((entry, index) => [keyOf(entry), index]));
    let next = 0;
    try {
      for (;;) {
        const found = this.#parse('get', await incoming.line(LONGEST_LINE));
        if (found === undefined) return;
        const at = places.get(keyOf(found)) ?? -1;
        const entry = entries[at];
        if (entry === undefined || at < next) throw this.#failed('it gives what was not asked for');
        if (!isSize(found.size)) throw this.#failed(`it gives an envelope of ${found.size} bytes`);
        next = at + 1;
        const bytes = await incoming.take(found.size);
        if (bytes === undefined) throw this.#failed('it ends in the middle of an envelope');
        yield { entry, bytes };
      }
    } finally {
      await incoming.end();
    }
  }

  /** Lines `BOX NAME`. */
  async remove(entries: readonly Entry[]): Promise<readonly []> {
    if (entries.length > 0) await this.#say('ack', lines(entries.map(keyOf)));
    for (const entry of entries) this.#listed.delete(entry);
    return [];
  }

  async wait(boxes: readonly Box[], signal: AbortSignal): Promise<void> {
    for (let poll = FIRST_POLL; ; poll = Math.min(1.5 * poll, LAST_POLL)) {
      await pause(poll, signal);
      if (signal.aborted || (await this.#hasNews(boxes, signal))) return;
    }
  }

  /** Lists a box of which nobody knows. @throws `unreachable`. */
  async try(): Promise<void> {
    for await (const _ of this.#listing([boxOf(this.#random(16))]));
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #hasNews(boxes: readonly Box[], signal: AbortSignal): Promise<boolean> {
    const wanted: ReadonlySet<string> = new Set(boxes);
    try {
      for await (const { box, name } of this.#listing(boxes, signal)) {
        if (wanted.has(box) && !this.#listed.has(box, name)) return true;
      }
      return false;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  async *#listing(boxes: readonly Box[], signal?: AbortSignal): AsyncGenerator<Entry, void, undefined> {
    if (boxes.length === 0) return;
    const ends = signal && AbortSignal.any([signal, this.#closing.signal]);
    const incoming = new Incoming(this.#run('list', lines(boxes), MOST_LISTED, ends));
    try {
      for (;;) {
        const entry = this.#parse('list', await incoming.line(LONGEST_LINE));
        if (entry === undefined) return;
        yield entry;
      }
    } finally {
      await incoming.end();
    }
  }

  /** Reads a line `BOX NAME SIZE`. Anything else is of another command, or of what a shell says when it starts. */
  #parse(verb: Verb, line: string | undefined): Entry | undefined {
    if (line === undefined) return undefined;
    const [, box, name, size] = LINE.exec(line) ?? [];
    if (box === undefined || name === undefined) {
      throw this.#failed(`it answers ${verb} by something else than BOX NAME SIZE`);
    }
    return { box: box as Box, name, size: Number(size), version: '' };
  }

  /** Runs a verb that answers nothing. */
  async #say(verb: Verb, input: Uint8Array): Promise<void> {
    for await (const _ of this.#run(verb, input, MOST_SAID));
  }

  #run(verb: Verb, input: Uint8Array, most: number, signal = this.#closing.signal): AsyncGenerator<Buffer> {
    return outputOf(this.#surroundings, { verb, input, most, signal });
  }

  #failed(reason: string): PawlError {
    return new PawlError('unreachable', { place: this.#surroundings.place, reason });
  }
}

function keyOf({ box, name }: Entry): string {
  return `${box} ${name}`;
}

function lines(texts: readonly string[]): Uint8Array {
  return utf8(texts.map((text) => `${text}\n`).join(''));
}
