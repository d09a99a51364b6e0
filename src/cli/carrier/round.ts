/**
 * One round of fetching: lists the boxes at all places, reads what is new in them as envelopes, and acknowledges or leaves
 * each of them once it is known, and committed, what became of it (docs/PROTOCOL.md §8).
 * Does not decrypt.
 */
import { decodeEnvelope } from '../../envelope/index.ts';
import { type ErrorCode, PawlError } from '../../errors.ts';
import {
  type Box,
  boxOf,
  type Delivery,
  type Entry,
  isCalledAfter,
  type ListLimits,
  type Place,
} from '../../places/index.ts';
import {
  type Arrival,
  keyOfRoute,
  type LeftEntry,
  leftBefore,
  type Mailbox,
  type Mailboxes,
  MOST_LEFT,
  type Outcome,
  pauseAfter,
  restOf,
  type SettledEntries,
  settleEntries,
} from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import type { OpenIdentity } from '../identity/open.ts';
import type { InputItem, PartArrival } from '../stream/envelopes.ts';
import { count } from '../terminal/format.ts';
import { isOfPlace } from './hand-over.ts';
import { asTheyCome, type Places } from './places.ts';

/** The most of one box in one round: what lies in it does not keep others waiting. */
const LIMITS: ListLimits = { entries: 10_000, bytes: 64 * 2 ** 20 };
/** Of the box of an invite, which strangers can fill: each costs a Diffie-Hellman operation. */
const OPENINGS = 200;
/** Entries that are read together: one start of a command, or one request, for all of them. */
const READ_TOGETHER = 256;
const READ_TOGETHER_BYTES = 8 * 2 ** 20;
/** Milliseconds before the next round where more is there: a place that always has more keeps no processor busy. */
const MORE_PAUSE = 1_000;
/**
 * What is not what it is called after may be under way still, or have been garbled on its way: in its place may be a message
 * that is whole. After so many further tries, the last of them an hour after the one before, it is taken for what it is.
 */
const MOST_TRIES = 3;

/** Where an item of a round lies. */
interface Letter {
  readonly box: BoxState;
  readonly entry: Entry;
  readonly place: OpenPlace;
}

interface OpenPlace {
  readonly place: Place;
  readonly mailboxes: Mailboxes;
  /** Whether it was told that it fails. */
  isTold: boolean;
  /** Whether it failed when something was to be removed: in this round nothing more is. */
  keepsAll: boolean;
}

/** What was found at a place, by box. */
interface Listed {
  readonly place: OpenPlace;
  readonly boxes: ReadonlyMap<BoxState, Entry[]>;
}

interface BoxState {
  readonly mailbox: Mailbox;
  /** Whether all that was there was listed, and read. */
  isWhole: boolean;
  /** The names that were listed, and of them those that were removed. */
  readonly names: Set<string>;
  readonly removed: Set<string>;
  /** How many entries are remembered as left. */
  remembered: number;
  /** Envelopes that are of no use, by what was wrong with them. */
  readonly refused: Map<ErrorCode, number>;
}

export type CarriedItem = InputItem<Arrival | PartArrival>;

/** What is refused for good: it is acknowledged, or it would come again for ever. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'corrupt',
  'fork',
  'invite-expired',
  'invite-spent',
  'invite-withdrawn',
  'kem-missing',
  'self',
  'too-large',
  'unknown-invite',
  'weak-key',
  'wrong-kind',
] satisfies ErrorCode[]);

/** What anybody can put into the box of an invite: told together. */
const BY_STRANGERS: ReadonlySet<ErrorCode> = new Set([
  ...FINAL,
  'not-for-you',
  'clock-ahead',
  'unknown-version',
] satisfies ErrorCode[]);

export class Round {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #places: Places;
  readonly #letters = new WeakMap<object, Letter>();
  readonly #boxes: BoxState[] = [];
  readonly #left: Omit<LeftEntry, 'tries' | 'triedAt'>[] = [];
  readonly #toLeave: Mailboxes[] = [];
  /** The places that could not be reached, which was told: their routes as JSON. */
  readonly failed = new Set<string>();
  /** In how many milliseconds something that is left is to be read again. */
  #rest = Number.POSITIVE_INFINITY;
  #exit = 0;

  constructor(context: CommandContext, identity: OpenIdentity, places: Places) {
    this.#context = context;
    this.#identity = identity;
    this.#places = places;
  }

  /** The exit code of the first place that could not be reached, or of the first box in which something is wrong. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether more is known to be at the places than was read, and something was removed, so that another round goes on. */
  get hasMore(): boolean {
    return this.#boxes.some(({ isWhole, removed }) => !isWhole && removed.size > 0);
  }

  /** In how many milliseconds another round has something to do, whatever comes; `undefined`: nothing is left. */
  get untilNext(): number | undefined {
    if (this.hasMore) return MORE_PAUSE;
    return Number.isFinite(this.#rest) ? this.#rest : undefined;
  }

  /** Reads what is new at the places. A place that cannot be reached keeps no other back. */
  async *items(places: readonly Mailboxes[]): AsyncGenerator<CarriedItem[], void, undefined> {
    for await (const listed of asTheyCome(places, (mailboxes) => this.#look(mailboxes))) {
      if (listed === undefined) continue;
      const { place, boxes } = listed;
      try {
        this.#boxes.push(...boxes.keys());
        // Of one contact, the boxes of older sessions come first.
        for (const [box, entries] of boxes) yield* this.#read(place, box, entries);
      } catch (error) {
        await this.#failedAt(place.mailboxes, error, place);
      }
    }
  }

  /** Lists what is at a place. @returns `undefined` where it fails, which is told. */
  async #look(mailboxes: Mailboxes): Promise<Listed | undefined> {
    try {
      const place = { place: await this.#places.at(mailboxes), mailboxes, isTold: false, keepsAll: false };
      return { place, boxes: await this.#list(place) };
    } catch (error) {
      await this.#failedAt(mailboxes, error);
      return undefined;
    }
  }

  async #failedAt(mailboxes: Mailboxes, error: unknown, place?: OpenPlace): Promise<void> {
    if (!isOfPlace(error)) throw error;
    // What it gave before is to be acknowledged.
    this.#toLeave.push(mailboxes);
    this.failed.add(keyOfRoute(mailboxes.route));
    await this.#tellFailed(error, place);
  }

  /** Once for each place: what fails at one of its verbs often fails at all. */
  async #tellFailed(error: PawlError, place: OpenPlace | undefined, where?: string): Promise<void> {
    if (place?.isTold) return;
    if (place !== undefined) place.isTold = true;
    const exit = await this.#places.troubles.tell(error, where);
    this.#exit ||= exit;
  }

  async #list(place: OpenPlace): Promise<ReadonlyMap<BoxState, Entry[]>> {
    const states = new Map<Box, BoxState>();
    for (const mailbox of place.mailboxes.boxes) {
      states.set(boxOf(mailbox.box), {
        mailbox,
        isWhole: true,
        remembered: mailbox.left.size,
        names: new Set(),
        removed: new Set(),
        refused: new Map(),
      });
    }
    const now = this.#context.io.now();
    const listed = new Map<BoxState, Entry[]>([...states.values()].map((state) => [state, []]));
    const passOver = (entry: Entry): boolean => {
      const state = states.get(entry.box);
      if (state === undefined) return false;
      state.names.add(entry.name);
      const rest = restOf(entry, state.mailbox.left, now);
      if (rest > 0) this.#rest = Math.min(this.#rest, rest);
      return rest > 0;
    };
    const onMore = (box: Box): void => {
      const state = states.get(box);
      if (state !== undefined) state.isWhole = false;
    };
    for await (const entry of place.place.list([...states.keys()], { ...LIMITS, passOver, onMore })) {
      const state = states.get(entry.box);
      if (state === undefined) continue;
      state.names.add(entry.name);
      const entries = listed.get(state) ?? [];
      if (state.mailbox.of === 'invite' && entries.length >= OPENINGS) state.isWhole = false;
      else entries.push(entry);
    }
    return listed;
  }

  async *#read(place: OpenPlace, box: BoxState, entries: Entry[]): AsyncGenerator<CarriedItem[], void, undefined> {
    let read = 0;
    for (let from = 0; from < entries.length; ) {
      let [to, bytes] = [from, 0];
      while (to < entries.length && to - from < READ_TOGETHER && bytes < READ_TOGETHER_BYTES) {
        bytes += entries[to]?.size ?? 0;
        to += 1;
      }
      const missing = new Set(entries.slice(from, to));
      try {
        for await (const delivery of place.place.read([...missing])) {
          const letter = { box, entry: delivery.entry, place };
          missing.delete(delivery.entry);
          if ('reason' in delivery) {
            await this.#cannot('be read', letter, delivery.reason);
            continue;
          }
          const item = this.#itemOf(delivery, letter);
          if (item !== undefined) yield [item];
          read += delivery.bytes.length;
          // It gives more than it has listed.
          if (read > LIMITS.bytes) {
            box.isWhole = false;
            return;
          }
        }
      } catch (error) {
        // It may fail at this one each time.
        const [first] = missing;
        if (isOfPlace(error) && first !== undefined) this.#leave({ box, entry: first }, NOT_WHOLE);
        throw error;
      }
      // It is gone, or not whole yet. What lies behind it is not kept back by it.
      for (const entry of missing) this.#leave({ box, entry }, NOT_WHOLE);
      from = to;
    }
  }

  /** @returns `undefined` for what is left. */
  #itemOf({ bytes }: Delivery, letter: Letter): CarriedItem | undefined {
    const { box, entry } = letter;
    const { left, name } = box.mailbox;
    const isIt = isCalledAfter(entry.name, bytes);
    if (!isIt && (leftBefore(entry, left)?.tries ?? 0) < MOST_TRIES) {
      this.#leave(letter, NOT_WHOLE);
      return undefined;
    }
    const source = `the box of ${name}`;
    const item = isIt ? itemOf(bytes, source) : { source, error: new PawlError('corrupt', { what: 'envelope' }) };
    this.#letters.set(item, letter);
    return item;
  }

  /**
   * Acknowledges or leaves what was taken or refused, which is committed.
   * @param items those that the outcomes are of, in their order.
   * @returns the outcomes that are to be told one by one.
   */
  async settle(items: readonly object[], outcomes: readonly Outcome[]): Promise<Outcome[]> {
    const removed = new Map<OpenPlace, Letter[]>();
    const told: Outcome[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const letter = this.#letters.get(items[index] ?? this);
      if (letter === undefined) {
        told.push(outcome);
        continue;
      }
      const { box, place } = letter;
      const code = outcome.type === 'refused' ? outcome.error.code : undefined;
      if (isAcknowledged(code, letter)) {
        const letters = removed.get(place) ?? [];
        removed.set(place, letters);
        letters.push(letter);
      } else if (code !== undefined) this.#leave(letter, code);
      if (code !== undefined && isToldTogether(code, box.mailbox)) {
        box.refused.set(code, (box.refused.get(code) ?? 0) + 1);
      } else if (outcome.type !== 'duplicate' && outcome.type !== 'forgotten') {
        told.push(outcome);
      }
    }
    for (const [place, letters] of removed) await this.#remove(place, letters);
    return told;
  }

  #leave({ box, entry }: Omit<Letter, 'place'>, code: string): void {
    const { mailbox } = box;
    const { name, size, version } = entry;
    if (!mailbox.left.has(name)) box.remembered += 1;
    this.#left.push({ box: mailbox.box, name, size, version, code });
    this.#rest = Math.min(this.#rest, pauseAfter((leftBefore(entry, mailbox.left)?.tries ?? 0) + 1));
  }

  /** What the place does not let us remove comes again as a duplicate: it is remembered, and told once. */
  async #remove(place: OpenPlace, letters: readonly Letter[]): Promise<void> {
    // It may have been silent for long, and would be for each batch.
    if (place.keepsAll) return;
    try {
      const kept = await place.place.remove(letters.map(({ entry }) => entry));
      const reasons = new Map(kept.map(({ entry, reason }) => [entry, reason]));
      for (const letter of letters) {
        const reason = reasons.get(letter.entry);
        if (reason === undefined) letter.box.removed.add(letter.entry.name);
        else await this.#cannot('be removed', letter, reason);
      }
    } catch (error) {
      // It comes again, and is found to be there already.
      if (!isOfPlace(error)) throw error;
      place.keepsAll = true;
      await this.#tellFailed(error, place, 'what was read is kept, and comes again');
    }
  }

  /** What the place does not let us do is remembered, and told once. */
  async #cannot(what: string, letter: Letter, reason: string): Promise<void> {
    this.#leave(letter, `cannot ${what}`);
    const { left, name } = letter.box.mailbox;
    if (left.has(letter.entry.name)) return;
    await this.#context.reporter.warn(`an envelope in the box of ${name} cannot ${what}: ${reason}`);
  }

  /** Notes what was left, and which boxes are empty; tells what was wrong in them. */
  async finish(): Promise<void> {
    const gone: Pick<LeftEntry, 'box' | 'name'>[] = [];
    const empty: SettledEntries['empty'][number][] = [];
    for (const { mailbox, isWhole, names, removed } of this.#boxes) {
      for (const entry of mailbox.left.values()) {
        if (removed.has(entry.name) || (isWhole && !names.has(entry.name))) gone.push(entry);
      }
      const isEmpty = isWhole && removed.size === names.size;
      if (mailbox.of === 'session' && isEmpty && !mailbox.isNoted) empty.push(mailbox);
    }
    for (const mailboxes of this.#toLeave) await this.#places.leave(mailboxes);
    await settleEntries(this.#identity, { left: this.#left, gone, empty });
    for (const box of this.#boxes) await this.#tellRefused(box);
  }

  async #tellRefused({ mailbox, refused }: BoxState): Promise<void> {
    const { reporter } = this.#context;
    const all = [...refused.values()].reduce((sum, number) => sum + number, 0);
    if (all === 0) return;
    if (mailbox.of === 'invite') {
      await reporter.notice(
        `${count(all, 'envelope')} in the box of an invite for ${mailbox.name} ${all === 1 ? 'is' : 'are'} of no use: anybody who has seen the invite can put such there`,
      );
      return;
    }
    const strangers = refused.get('not-for-you') ?? 0;
    const broken = all - strangers;
    if (broken > 0)
      await reporter.warn(
        `${count(broken, 'envelope')} in the box of ${mailbox.name} ${broken === 1 ? 'is' : 'are'} damaged: ask them to send again`,
      );
    if (strangers > 0)
      await reporter.warn(
        `${count(strangers, 'message')} in the box of ${mailbox.name} cannot be read by this identity file: is a newer copy of it in use?`,
      );
    this.#exit ||= REFUSED;
  }
}

/** Stands for an error's code. */
const NOT_WHOLE = 'not whole';
/** The exit code for data that cannot be read (README). */
const REFUSED = 65;

function isAcknowledged(code: ErrorCode | undefined, { box: { mailbox, remembered }, entry }: Letter): boolean {
  if (code === undefined || FINAL.has(code)) return true;
  if (mailbox.of !== 'invite') return false;
  // What is left and not remembered is read in each round: strangers could keep back with it all that comes behind.
  return code === 'not-for-you' || (remembered >= MOST_LEFT && !mailbox.left.has(entry.name));
}

function isToldTogether(code: ErrorCode, { of }: Mailbox): boolean {
  return of === 'invite' ? BY_STRANGERS.has(code) : code === 'corrupt' || code === 'not-for-you';
}

function itemOf(bytes: Uint8Array, source: string): CarriedItem {
  try {
    const envelope = decodeEnvelope(bytes);
    // Parts come into a box of their own.
    if (envelope.kind !== 'invite' && envelope.kind !== 'part') return { source, envelope };
    return { source, error: new PawlError('wrong-kind', { expected: 'message', found: envelope.kind }) };
  } catch (error) {
    if (error instanceof PawlError) return { source, error };
    throw error;
  }
}
