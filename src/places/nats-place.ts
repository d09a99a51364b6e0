/**
 * Boxes on a NATS server with JetStream: each is a subject of one stream, and an envelope in it a message, by number.
 * Messages stay in the stream until they are removed, so that nobody has to say what he leaves. See docs/relay-nats.md.
 */
import type { Subscription } from '@nats-io/transport-node';
import { isPawlError, PawlError } from '../errors.ts';
import { toHex } from '../primitives/index.ts';
import { checkPut, isName, isSize } from './box.ts';
import type { NatsClient } from './nats-client.ts';
import { BadAnswer, CODES, isOfName, Refused, STREAM, TooLarge, wordsOf } from './nats-failures.ts';
import { FIELDS, fieldOf } from './nats-frames.ts';
import { answerOf, isCount, NatsStream, type StreamState } from './nats-stream.ts';
import type { Box, Delivery, Entry, ListLimits, MakeOptions, Place, PlaceContext, Refusal, Route } from './place.ts';

type NatsRoute = Extract<Route, { kind: 'nats' }>;

/** In bytes: the headers of a message have less. */
const HEADERS = 128;

/**
 * How the first messages of a box are looked at: one by one, with their bytes, which are kept to be read. What is behind
 * them is listed by a consumer, which costs three requests, but brings no bytes.
 */
const ONE_BY_ONE = { messages: 3, bytes: 2 ** 18 } as const;
/** How many messages a consumer is asked for at a time. */
const BATCH = 1_000;
/** The most messages that are looked at in one list: as many as a server may say that there are. */
const MOST_LOOKED_AT = 1_000_000;
/** How long a consumer lives that nobody asks any more, in nanoseconds. */
const IDLE = 60e9;
/** In bytes: how much of what was listed is kept to be read. */
const KEPT = 2 ** 25;
/** In bytes: how much is under way at a time. A request whose answer has an unknown length counts as `unknown`. */
const UNDER_WAY = { most: 2 ** 25, unknown: 2 ** 20 } as const;
/**
 * In milliseconds: how often it is looked whether the stream has grown. What a subscription hears only hastens that.
 * `anyway`: in time limits, when the boxes are worth a list in any case; servers of a cluster know of messages one after
 * the other.
 */
const POLLING = { heard: 1, hearing: 15_000, deaf: 2_000, anyway: 10 } as const;

/**
 * Opens the place of a route. Connects when something is asked of it.
 * @throws `no-addon` without the package; `unreachable` without its credentials.
 */
export async function openNats(route: NatsRoute, context: PlaceContext): Promise<Place> {
  try {
    return new NatsPlace(await NatsStream.of(route.url, route.credentials, context), context);
  } catch (cause) {
    // It keeps no other place back.
    const isMissing = isPawlError(cause, 'missing-file');
    if (!isMissing && !isPawlError(cause, 'read-failed')) throw cause;
    const why = isMissing ? 'there is no such file' : cause.detail.reason;
    const reason = `its credentials in ${route.credentials} cannot be read: ${why}`;
    throw new PawlError('unreachable', { place: route.url, reason }, { cause });
  }
}

/**
 * Makes a stream where there is none, with `create`; checks it. Where the user may only send, nothing is checked: he may
 * not ask.
 * @throws what {@link openNats} throws; `unreachable`; `unsuited-stream`.
 */
export async function makeNats(route: NatsRoute, options: MakeOptions, context: PlaceContext): Promise<void> {
  const stream = await NatsStream.of(route.url, route.credentials, context);
  try {
    await stream.make(options);
  } finally {
    await stream.close();
  }
}

interface Message {
  readonly sequence: number;
  readonly subject: string;
  /** In front of the dot of an entry's name. */
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
}

/** What was found in the beginning of a box; `next`: the number from which there may be more. */
interface Beginning {
  readonly entries: readonly Entry[];
  readonly next: number | undefined;
  readonly count: Count;
}

/** What a list goes by. */
interface Listing {
  readonly stream: StreamState;
  readonly limits: ListLimits;
  readonly looks: Looks;
}

class NatsPlace implements Place {
  readonly #stream: NatsStream;
  readonly #random: PlaceContext['random'];
  /** Bytes that `list` has read, by the entry's name and version. */
  readonly #kept = new Kept();
  /** The stream when it was listed last. */
  #seen: StreamState | undefined;
  #listener: Listener | undefined;

  constructor(stream: NatsStream, { random }: PlaceContext) {
    this.#stream = stream;
    this.#random = random;
  }

  async put(box: Box, name: string, envelope: Uint8Array): Promise<void> {
    checkPut(name, envelope);
    await this.#stream.reach(async () => {
      const headers = this.#stream.headers();
      headers.set(FIELDS.name, name);
      // Without an ID for the message: the server compares IDs, not bytes, and would drop an envelope with one that was used.
      headers.set('Nats-Expected-Stream', STREAM);
      const room = (await this.#stream.client()).largest - HEADERS;
      if (envelope.length > room) {
        throw this.#stream.unreachable(
          `it takes ${room} bytes at a time, and these are ${envelope.length} (max_payload)`,
        );
      }
      const answer = await this.#stream.request(subjectOf(box), envelope, headers);
      const { stream, seq, duplicate } = answerOf<{ stream: unknown; seq: unknown; duplicate: unknown }>(answer);
      if (stream !== STREAM || !isCount(seq) || duplicate === true) throw new BadAnswer();
    });
  }

  async *list(boxes: readonly Box[], limits: ListLimits): AsyncGenerator<Entry> {
    try {
      this.#kept.clear();
      const stream = await this.#stream.state();
      this.#seen = stream;
      if (stream.messages === 0) return;
      const listing = { stream, limits, looks: new Looks(stream, (reason) => this.#stream.unreachable(reason)) };
      const beginnings = inOrder(
        boxes,
        () => UNDER_WAY.unknown,
        (box) => this.#beginningOf(box, listing),
      );
      for await (const [box, { entries, next, count }] of beginnings) {
        yield* entries;
        if (next !== undefined) yield* this.#restOf(box, next, { ...listing, count });
        if (count.isFull) limits.onMore?.(box);
      }
    } catch (error) {
      throw this.#stream.failure(error);
    }
  }

  async #beginningOf(box: Box, { stream, limits, looks }: Listing): Promise<Beginning> {
    const entries: Entry[] = [];
    const count = new Count(limits);
    let next = stream.first;
    let bytes = 0;
    for (let looked = 0; looked < ONE_BY_ONE.messages && bytes < ONE_BY_ONE.bytes; looked++) {
      const message = await this.#get({ next_by_subj: subjectOf(box), seq: next });
      // No envelope; which number it has, and what is behind it, is listed without its bytes.
      if (message === 'too large') break;
      // What has come since is for the next time: who sends fast would keep us here.
      if (message === undefined || message.sequence > stream.last) return { entries, next: undefined, count };
      if (message.sequence < next || message.subject !== subjectOf(box)) throw new BadAnswer();
      looks.add();
      const entry = entryOf(box, message, message.bytes.length, stream);
      if (count.takes(entry)) {
        entries.push(entry);
        this.#kept.add(entry, message.bytes);
      }
      next = message.sequence + 1;
      bytes += message.bytes.length;
    }
    return { entries, next: count.isFull ? undefined : next, count };
  }

  /** Lists what is in a box from a message on, without bytes. */
  async *#restOf(
    box: Box,
    from: number,
    { stream, limits, looks, count }: Listing & Pick<Beginning, 'count'>,
  ): AsyncGenerator<Entry> {
    const consumer = `pawl-${toHex(this.#random(12))}`;
    const config = {
      name: consumer,
      filter_subject: subjectOf(box),
      deliver_policy: 'by_start_sequence',
      opt_start_seq: from,
      ack_policy: 'none',
      replay_policy: 'instant',
      headers_only: true,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: IDLE,
    };
    const made = await this.#stream.ask<{ num_pending: unknown }>(
      'CONSUMER.CREATE',
      { stream_name: STREAM, config },
      `.${consumer}.${subjectOf(box)}`,
    );
    let isMore = made.num_pending !== 0;
    let next = from;
    while (isMore && !count.isFull) {
      const listings = await this.#stream.pull(consumer, BATCH, this.#stream.timeLimit / 2);
      // It said that there are, and gives none.
      if (listings.length === 0) limits.onMore?.(box);
      isMore = (listings.at(-1)?.pending ?? 0) > 0;
      for (const { subject, sequence, size, name } of listings) {
        if (sequence < next || subject !== subjectOf(box)) throw new BadAnswer();
        next = sequence + 1;
        isMore &&= sequence <= stream.last;
        if (sequence > stream.last) break;
        looks.add();
        const entry = entryOf(box, { sequence, name: nameIn(name) }, size, stream);
        if (count.takes(entry)) yield entry;
        if (count.isFull) break;
      }
    }
    // One that is not deleted, as where this fails before, goes by itself.
    await this.#stream.ask('CONSUMER.DELETE', {}, `.${consumer}`).catch(() => undefined);
  }

  async *read(entries: readonly Entry[]): AsyncGenerator<Delivery | Refusal> {
    try {
      for await (const [entry, bytes] of inOrder(
        entries,
        ({ size }) => size + 2 ** 16,
        (one) => this.#read(one),
      )) {
        if (bytes !== undefined) yield { entry, bytes };
      }
    } catch (error) {
      throw this.#stream.failure(error);
    }
  }

  async #read(entry: Entry): Promise<Uint8Array | undefined> {
    const kept = this.#kept.take(entry);
    if (kept !== undefined) return kept;
    const message = await this.#get({ seq: sequenceOf(entry) });
    // The number has another message where the stream is another one.
    const isIt =
      message !== undefined &&
      message !== 'too large' &&
      message.subject === subjectOf(entry.box) &&
      message.bytes.length === entry.size &&
      entryOf(entry.box, message, entry.size, { created: entry.version }).name === entry.name;
    return isIt ? message.bytes : undefined;
  }

  async remove(entries: readonly Entry[]): Promise<readonly Refusal[]> {
    if (entries.length === 0) return [];
    for (const entry of entries) this.#kept.take(entry);
    return await this.#stream.reach(async () => {
      const { created } = await this.#stream.state();
      const refusals: Refusal[] = [];
      // In another stream the numbers are those of others.
      const there = entries.filter(({ version }) => version === created);
      for await (const [entry, reason] of inOrder(
        there,
        () => UNDER_WAY.unknown,
        (one) => this.#remove(one),
      )) {
        if (reason !== undefined) refusals.push({ entry, reason });
      }
      return refusals;
    });
  }

  /**
   * Removes a message, and overwrites it: one that is only taken off the list is back when the server was killed.
   * @returns why the server does not let us.
   */
  async #remove(entry: Entry): Promise<string | undefined> {
    try {
      await this.#stream.ask('STREAM.MSG.DELETE', { seq: sequenceOf(entry) });
      return undefined;
    } catch (error) {
      if (error instanceof Refused && error.code === CODES.noMessage) return undefined;
      if (!(error instanceof Refused || isOfName(error, 'PermissionViolationError'))) throw error;
      if (error instanceof Refused && (await this.#get({ seq: sequenceOf(entry) })) === undefined) return undefined;
      return wordsOf(error, this.#stream.timeLimit);
    }
  }

  async wait(boxes: readonly Box[], signal: AbortSignal): Promise<void> {
    let end: (() => void) | undefined;
    const aborted = new Promise<void>((resolve) => {
      end = () => resolve();
      if (signal.aborted) resolve();
      signal.addEventListener('abort', end);
    });
    const grown = this.#stream.reach(() => this.#untilGrown(boxes, signal));
    // What fails after the signal is of no interest.
    grown.catch(() => undefined);
    try {
      await Promise.race([aborted, grown]);
    } finally {
      if (end) signal.removeEventListener('abort', end);
    }
  }

  async #untilGrown(boxes: readonly Box[], signal: AbortSignal): Promise<void> {
    const end = performance.now() + POLLING.anyway * this.#stream.timeLimit;
    let pause: number = POLLING.heard;
    while (!signal.aborted) {
      const client = await this.#stream.client();
      if (this.#listener?.client !== client) this.#listener = new Listener(client);
      const listener = this.#listener;
      // Before the stream is looked at, so that nothing comes between.
      listener.listenTo(boxes);
      const left = end - performance.now();
      if (left <= 0 || (await this.#hasGrown())) return;
      const longest = Math.min(left, listener.isDeaf ? POLLING.deaf : POLLING.hearing);
      // A subscription may hear of an envelope before the stream has it, and of one that the stream refuses.
      if (!listener.hasHeard) pause = longest;
      if (await listener.hears(Math.min(pause, longest), signal)) pause = POLLING.heard;
      else if (pause < longest) pause *= 2;
      else listener.hasHeard = false;
    }
  }

  async #hasGrown(): Promise<boolean> {
    const { created, last } = await this.#stream.state();
    return this.#seen?.created !== created || this.#seen.last !== last;
  }

  async close(): Promise<void> {
    await this.#stream.close();
  }

  /** @returns `undefined` where there is none. */
  async #get(query: Readonly<Record<string, unknown>>): Promise<Message | 'too large' | undefined> {
    try {
      const { message } = await this.#stream.ask<{ message: unknown }>('STREAM.MSG.GET', query);
      return messageOf(message);
    } catch (error) {
      if (error instanceof Refused && error.code === CODES.noMessage) return undefined;
      if (error instanceof TooLarge) return 'too large';
      throw error;
    }
  }
}

/** Hears what is sent to boxes, by subscriptions. The bytes come as well, and are not looked at. */
class Listener {
  readonly client: NatsClient;
  /** Whether something was sent to a box, and it is not certain yet that the stream has it. */
  hasHeard = false;
  /** Whether the server does not let us listen. */
  isDeaf = false;
  readonly #subscriptions = new Map<Box, Subscription>();
  #wake: (() => void) | undefined;

  constructor(client: NatsClient) {
    this.client = client;
    client.connection.closed().then(() => this.#wake?.());
  }

  listenTo(boxes: readonly Box[]): void {
    const wanted = new Set(boxes);
    for (const [box, subscription] of this.#subscriptions) {
      if (wanted.has(box)) continue;
      subscription.unsubscribe();
      this.#subscriptions.delete(box);
    }
    for (const box of wanted) {
      if (!this.#subscriptions.has(box)) this.#subscriptions.set(box, this.#listenTo(box));
    }
  }

  #listenTo(box: Box): Subscription {
    return this.client.connection.subscribe(subjectOf(box), {
      callback: (error) => {
        if (error) this.isDeaf = true;
        else this.hasHeard = true;
        this.#wake?.();
      },
    });
  }

  /** @returns whether it was ended, before so many milliseconds were over, by something that was heard. */
  async hears(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.client.connection.isClosed()) return false;
    let timer: NodeJS.Timeout | undefined;
    let end: (() => void) | undefined;
    try {
      return await new Promise<boolean>((resolve) => {
        end = () => resolve(false);
        this.#wake = () => resolve(this.hasHeard);
        timer = setTimeout(end, milliseconds);
        signal.addEventListener('abort', end);
      });
    } finally {
      clearTimeout(timer);
      if (end) signal.removeEventListener('abort', end);
      this.#wake = undefined;
    }
  }
}

/** Counts the messages that a list looks at, in all boxes: no more than the server says that it has. */
class Looks {
  readonly #most: number;
  readonly #tooMany: () => Error;
  #looked = 0;

  constructor({ messages, first, last }: StreamState, unreachable: (reason: string) => Error) {
    this.#most = Math.min(messages, last - first + 1, MOST_LOOKED_AT);
    this.#tooMany = () =>
      this.#most < MOST_LOOKED_AT ? new BadAnswer() : unreachable('there are more than 1,000,000 messages in it');
  }

  /** @throws {@link BadAnswer}; `unreachable`. */
  add(): void {
    this.#looked++;
    if (this.#looked > this.#most) throw this.#tooMany();
  }
}

/** Counts what is listed of a box. */
class Count {
  readonly #limits: ListLimits;
  #entries = 0;
  #bytes = 0;
  /** Whether nothing more of the box is listed. */
  isFull = false;

  constructor(limits: ListLimits) {
    this.#limits = limits;
    this.isFull = limits.entries === 0;
  }

  /** Whether an entry is listed. */
  takes(entry: Entry): boolean {
    const { entries, bytes, passOver } = this.#limits;
    if (this.isFull || !isSize(entry.size) || passOver?.(entry)) return false;
    if (this.#bytes + entry.size > bytes) {
      this.isFull = true;
      return false;
    }
    this.#bytes += entry.size;
    this.#entries++;
    this.isFull = this.#entries === entries;
    return true;
  }
}

/** Bytes of entries, so many as fit. */
class Kept {
  readonly #bytes = new Map<string, Uint8Array>();
  #size = 0;

  clear(): void {
    this.#bytes.clear();
    this.#size = 0;
  }

  add(entry: Entry, bytes: Uint8Array): void {
    if (this.#size + bytes.length > KEPT) return;
    this.#bytes.set(keyOf(entry), bytes);
    this.#size += bytes.length;
  }

  /** They are kept no more. */
  take(entry: Entry): Uint8Array | undefined {
    const bytes = this.#bytes.get(keyOf(entry));
    if (bytes !== undefined) {
      this.#bytes.delete(keyOf(entry));
      this.#size -= bytes.length;
    }
    return bytes;
  }
}

function keyOf({ box, name, version }: Entry): string {
  return `${box}/${name}/${version}`;
}

function subjectOf(box: Box): string {
  return `pawl.${box}`;
}

/** An entry's name: what the sender calls it, where he says it, and the message's number. The version is the stream's. */
function entryOf(
  box: Box,
  { sequence, name }: Pick<Message, 'sequence' | 'name'>,
  size: number,
  { created }: Pick<StreamState, 'created'>,
): Entry {
  return { box, name: name === undefined ? `${sequence}` : `${name}.${sequence}`, size, version: created };
}

function sequenceOf({ name }: Entry): number {
  return Number(name.slice(name.indexOf('.') + 1));
}

function nameIn(header: string | undefined): string | undefined {
  return header !== undefined && isName(header) ? header : undefined;
}

/** @throws {@link BadAnswer}. */
function messageOf(message: unknown): Message {
  const { subject, seq, data = '', hdrs = '' } = { ...(message as Record<string, unknown>) };
  if (typeof subject !== 'string' || !isCount(seq) || typeof data !== 'string' || typeof hdrs !== 'string') {
    throw new BadAnswer();
  }
  const { buffer, byteOffset, length } = Buffer.from(data, 'base64');
  return {
    subject,
    sequence: seq,
    name: nameIn(fieldOf(Buffer.from(hdrs, 'base64').toString('latin1'), FIELDS.name)),
    bytes: new Uint8Array(buffer, byteOffset, length),
  };
}

/**
 * Does work on several items at a time, and gives the results in the order of the items.
 * @param weigh in bytes; at most `UNDER_WAY.most` are under way.
 */
async function* inOrder<Item, Result>(
  items: readonly Item[],
  weigh: (item: Item) => number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<readonly [Item, Result]> {
  const begun: { item: Item; weight: number; result: Promise<Result> }[] = [];
  let weight = 0;
  for (let next = 0; next < items.length || begun.length > 0; ) {
    const item = items[next];
    if (item !== undefined && (begun.length === 0 || weight + weigh(item) <= UNDER_WAY.most)) {
      const result = work(item);
      result.catch(() => undefined);
      begun.push({ item, weight: weigh(item), result });
      weight += weigh(item);
      next++;
      continue;
    }
    const first = begun.shift();
    if (first === undefined) return;
    yield [first.item, await first.result];
    weight -= first.weight;
  }
}
