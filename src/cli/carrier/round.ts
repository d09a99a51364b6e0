/**
 * One round of fetching: lists the boxes at all places, reads what is new in them as envelopes, and acknowledges or leaves
 * each of them once it is known, and committed, what became of it (docs/PROTOCOL.md §8).
 * Does not decrypt.
 */
import { decodeEnvelope } from '../../envelope/index.ts';
import { type ErrorCode, PawlError } from '../../errors.ts';
import { type Box, boxOf, type Delivery, type Entry, type ListLimits, type Place } from '../../places/index.ts';
import { toHex } from '../../primitives/index.ts';
import {
  type Arrival,
  isResting,
  keyOfRoute,
  type LeftEntry,
  type Mailbox,
  type Mailboxes,
  type Outcome,
  type SettledEntries,
  settleEntries,
} from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import type { OpenIdentity } from '../identity/open.ts';
import type { InputItem, PartArrival } from '../stream/envelopes.ts';
import { count } from '../terminal/format.ts';
import { isOfPlace } from './hand-over.ts';
import type { Places } from './places.ts';

/** The most of one box in one round: what lies in it does not keep others waiting. */
const LIMITS: ListLimits = { entries: 10_000, bytes: 64 * 2 ** 20 };
/** Of the box of an invite, which strangers can fill: each costs a Diffie-Hellman operation. */
const OPENINGS = 200;
/** Entries that are read together: one start of a command, or one request, for all of them. */
const READ_TOGETHER = 256;
const READ_TOGETHER_BYTES = 8 * 2 ** 20;

/** Where an item of a round lies. */
interface Letter {
  readonly box: BoxState;
  readonly entry: Entry;
  readonly place: Place;
}

interface BoxState {
  readonly mailbox: Mailbox;
  /** Whether all that was there was listed. */
  isWhole: boolean;
  /** How many entries were listed that are still there. */
  remaining: number;
  /** The names that were listed. */
  readonly names: Set<string>;
  /** The length of those that were not passed over. */
  bytes: number;
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
  /** The places that could not be reached, which was told: their routes as JSON. */
  readonly failed = new Set<string>();
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

  /** Reads what is new at the places. A place that cannot be reached keeps no other back. */
  async *items(places: readonly Mailboxes[]): AsyncGenerator<CarriedItem[], void, undefined> {
    for (const mailboxes of places) {
      try {
        yield* this.#itemsAt(await this.#places.at(mailboxes), mailboxes);
      } catch (error) {
        if (!isOfPlace(error)) throw error;
        await this.#places.leave(mailboxes);
        this.failed.add(keyOfRoute(mailboxes.route));
        const { reporter } = this.#context;
        this.#exit ||= await reporter.error(error);
      }
    }
  }

  async *#itemsAt(place: Place, { boxes }: Mailboxes): AsyncGenerator<CarriedItem[], void, undefined> {
    const states = new Map<Box, BoxState>();
    for (const mailbox of boxes) {
      states.set(boxOf(mailbox.box), {
        mailbox,
        isWhole: true,
        remaining: 0,
        bytes: 0,
        names: new Set(),
        refused: new Map(),
      });
    }
    const now = this.#context.io.now();
    const listed = new Map<BoxState, Entry[]>();
    const note = (entry: Entry): BoxState | undefined => {
      const state = states.get(entry.box);
      if (state === undefined || state.names.has(entry.name)) return state;
      state.names.add(entry.name);
      state.remaining += 1;
      return state;
    };
    const passOver = (entry: Entry): boolean => {
      const state = note(entry);
      return state !== undefined && isResting(entry, state.mailbox.left, now);
    };
    for await (const entry of place.list([...states.keys()], { ...LIMITS, passOver })) {
      const state = note(entry);
      if (state === undefined) continue;
      state.bytes += entry.size;
      const entries = listed.get(state) ?? [];
      listed.set(state, entries);
      if (state.mailbox.of === 'invite' && entries.length >= OPENINGS) state.isWhole = false;
      else entries.push(entry);
      if (entries.length >= LIMITS.entries || state.bytes >= LIMITS.bytes) state.isWhole = false;
    }
    this.#boxes.push(...states.values());
    // Of one contact, the boxes of older sessions come first.
    for (const state of states.values()) yield* this.#read(place, state, listed.get(state) ?? []);
  }

  async *#read(place: Place, box: BoxState, entries: Entry[]): AsyncGenerator<CarriedItem[], void, undefined> {
    for (let from = 0; from < entries.length; ) {
      let [to, bytes] = [from, 0];
      while (to < entries.length && to - from < READ_TOGETHER && bytes < READ_TOGETHER_BYTES) {
        bytes += entries[to]?.size ?? 0;
        to += 1;
      }
      for await (const delivery of place.read(entries.slice(from, to))) {
        const letter = { box, entry: delivery.entry, place };
        if ('reason' in delivery) {
          await this.#cannot('be read', letter, delivery.reason);
          continue;
        }
        const item = itemOf(delivery, box.mailbox);
        this.#letters.set(item, letter);
        yield [item];
      }
      from = to;
    }
  }

  /**
   * Acknowledges or leaves what was taken or refused, which is committed.
   * @param items those that the outcomes are of, in their order.
   * @returns the outcomes that are to be told one by one.
   */
  async settle(items: readonly object[], outcomes: readonly Outcome[]): Promise<Outcome[]> {
    const removed = new Map<Place, Letter[]>();
    const told: Outcome[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const letter = this.#letters.get(items[index] ?? this);
      if (letter === undefined) {
        told.push(outcome);
        continue;
      }
      const { box, place } = letter;
      const code = outcome.type === 'refused' ? outcome.error.code : undefined;
      if (isAcknowledged(code, box.mailbox)) removed.set(place, [...(removed.get(place) ?? []), letter]);
      else if (code !== undefined) this.#leave(letter, code);
      if (code !== undefined && isToldTogether(code, box.mailbox)) {
        box.refused.set(code, (box.refused.get(code) ?? 0) + 1);
      } else if (outcome.type !== 'duplicate' && outcome.type !== 'forgotten') {
        told.push(outcome);
      }
    }
    for (const [place, letters] of removed) await this.#remove(place, letters);
    return told;
  }

  #leave({ box, entry: { name, size, version } }: Letter, code: string): void {
    this.#left.push({ box: box.mailbox.box, name, size, version, code });
  }

  /** What the place does not let us remove comes again as a duplicate: it is remembered, and told once. */
  async #remove(place: Place, letters: readonly Letter[]): Promise<void> {
    for (const { box } of letters) box.remaining -= 1;
    try {
      const kept = await place.remove(letters.map(({ entry }) => entry));
      for (const { entry, reason } of kept) {
        const letter = letters.find((one) => one.entry === entry);
        if (letter === undefined) continue;
        letter.box.remaining += 1;
        await this.#cannot('be removed', letter, reason);
      }
    } catch (error) {
      // It comes again, and is found to be there already.
      if (!isOfPlace(error)) throw error;
      for (const { box } of letters) box.isWhole = false;
      this.#exit ||= await this.#context.reporter.error(error, 'what was read is kept, and comes again');
    }
  }

  /** What the place does not let us do is remembered, and told once. */
  async #cannot(what: string, letter: Letter, reason: string): Promise<void> {
    this.#leave(letter, `cannot ${what}`);
    const { left, name } = letter.box.mailbox;
    if (left.some((known) => known.name === letter.entry.name)) return;
    await this.#context.reporter.warn(`an envelope in the box of ${name} cannot ${what}: ${reason}`);
  }

  /** Notes what was left, and which boxes are empty; tells what was wrong in them. */
  async finish(): Promise<void> {
    const now = this.#context.io.now();
    const gone: Pick<LeftEntry, 'box' | 'name'>[] = [];
    const empty: SettledEntries['empty'][number][] = [];
    const left = new Set(this.#left.map(({ box, name }) => `${toHex(box)} ${name}`));
    for (const { mailbox, isWhole, remaining, names } of this.#boxes) {
      for (const entry of mailbox.left) {
        const isTaken = !isResting(entry, mailbox.left, now) && !left.has(`${toHex(entry.box)} ${entry.name}`);
        if (isWhole && (isTaken || !names.has(entry.name))) gone.push(entry);
      }
      if (mailbox.of === 'session' && isWhole && remaining === 0 && !mailbox.isNoted) empty.push(mailbox);
    }
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

/** The exit code for data that cannot be read (README). */
const REFUSED = 65;

function isAcknowledged(code: ErrorCode | undefined, { of }: Mailbox): boolean {
  return code === undefined || FINAL.has(code) || (code === 'not-for-you' && of === 'invite');
}

function isToldTogether(code: ErrorCode, { of }: Mailbox): boolean {
  return of === 'invite' ? BY_STRANGERS.has(code) : code === 'corrupt' || code === 'not-for-you';
}

function itemOf({ bytes }: Delivery, { name }: Mailbox): CarriedItem {
  const source = `the box of ${name}`;
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
