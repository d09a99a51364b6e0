/**
 * Hands envelopes over: puts them into their boxes, and drops them from the outbox once the place says that they are
 * stored. What cannot be handed over stays in the outbox, and goes with a later command.
 * Does not encrypt.
 */
import { isPawlError, type PawlError } from '../../errors.ts';
import { boxOf, formatRoute, nameOfEnvelope, nameOfPart, type Place } from '../../places/index.ts';
import {
  acknowledgeSent,
  keyOfRoute,
  listOutbox,
  listRoutes,
  type OutboxId,
  placeOf,
  readEnvelope,
  routeTo,
  type SentMessage,
  type UnsentEnvelope,
} from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import type { OpenIdentity } from '../identity/open.ts';
import { acknowledgeOrWarn } from '../stream/write.ts';
import { explain } from '../terminal/error-messages.ts';
import { count } from '../terminal/format.ts';
import { asTheyCome, byPlace, type KnownRoute, type Places, type Troubles } from './places.ts';

/** The errors that say that a place cannot be had now. */
export function isOfPlace(error: unknown): error is PawlError {
  return (
    isPawlError(error, 'unreachable') ||
    isPawlError(error, 'other-place') ||
    isPawlError(error, 'untrusted-route') ||
    isPawlError(error, 'no-addon')
  );
}

/** Carries envelopes to the place of one contact. */
export class Carrier {
  readonly to: string;
  /** What the place is called, without credentials. */
  readonly title: string;
  /** What it is called where it is stored that something is there. */
  readonly place: string;
  /** Of its route: `keyOfRoute`. */
  readonly key: string;
  readonly route: KnownRoute;
  readonly #places: Places;

  private constructor(places: Places, to: string, route: KnownRoute) {
    this.#places = places;
    this.route = route;
    this.to = to;
    this.title = formatRoute(route.route);
    this.place = placeOf(route.route);
    this.key = keyOfRoute(route.route);
  }

  /** The one for a contact that has a route; `undefined` for any other name. */
  static async for(places: Places, identity: OpenIdentity, to: string): Promise<Carrier | undefined> {
    const route = await routeTo(identity, to);
    return route && new Carrier(places, to, route);
  }

  /**
   * Puts an envelope into a box.
   * @param box 16 bytes.
   * @throws `untrusted-route`, `unreachable`, `other-place`, `no-addon`.
   */
  async put(box: Uint8Array, envelope: Uint8Array): Promise<void> {
    const place = await this.#place();
    await place.put(boxOf(box), nameOfEnvelope(envelope), envelope);
  }

  /** Puts a part of a large content into the box of that content. It is called by its index. */
  async putPart(box: Uint8Array, index: number, envelope: Uint8Array): Promise<void> {
    const place = await this.#place();
    await place.put(boxOf(box), nameOfPart(index), envelope);
  }

  #place(): Promise<Place> {
    return this.#places.at(this.route);
  }
}

/** An envelope of the outbox that is to be handed over. */
export interface Queued extends Pick<SentMessage, 'outboxId' | 'to' | 'box' | 'length'> {
  /** The envelope, or it is read from the outbox. */
  readonly envelope?: Uint8Array;
}

/** What is to be handed over to one contact. All of it is in the outbox. */
export class HandOverQueue {
  readonly #identity: OpenIdentity;
  readonly #left = new Map<OutboxId, Queued>();
  #failure: PawlError | undefined;
  /** Of the smallest that could not be handed over, in bytes. */
  #failed = Number.POSITIVE_INFINITY;
  #isReached = true;

  constructor(identity: OpenIdentity) {
    this.#identity = identity;
  }

  /** With what earlier commands have left for a contact. */
  static async for(identity: OpenIdentity, to: string): Promise<HandOverQueue> {
    const queue = new HandOverQueue(identity);
    queue.addUnsent((await earlierEnvelopes(identity)).filter((envelope) => envelope.to === to));
    return queue;
  }

  /** Why something is left; of several reasons the first. */
  get failure(): PawlError | undefined {
    return this.#failure;
  }

  /** Whether the place has taken something since it has failed, or has not failed. */
  get isReached(): boolean {
    return this.#isReached;
  }

  get size(): number {
    return this.#left.size;
  }

  has(id: OutboxId): boolean {
    return this.#left.has(id);
  }

  /** Adds what is in the outbox. */
  addUnsent(unsent: readonly UnsentEnvelope[]): void {
    this.add(unsent.map(({ id: outboxId, ...envelope }) => ({ outboxId, ...envelope })));
  }

  /** Adds envelopes, those of earlier commands first. What has no box stays in the outbox. */
  add(envelopes: readonly Queued[]): void {
    for (const { envelope, ...queued } of envelopes) {
      if (queued.box === undefined) continue;
      const isNext = envelope !== undefined && this.#isTriedNow(queued);
      this.#left.set(queued.outboxId, isNext ? { ...queued, envelope } : queued);
    }
  }

  /** Lets `handOver` try again what has failed. */
  tryAgain(): void {
    this.#failure = undefined;
    this.#failed = Number.POSITIVE_INFINITY;
    this.#isReached = true;
  }

  /**
   * Puts envelopes into their boxes, in their order, but large ones behind all others. A place that fails at one may have no
   * room for so much: what is smaller is still tried. Where that fails, too, the place does.
   * @returns each of them that the place says is stored: it is to be acknowledged.
   */
  async *handOver(
    carrier: Pick<Carrier, 'put'>,
    signal?: AbortSignal,
  ): AsyncGenerator<Omit<Queued, 'envelope'>, void, undefined> {
    if (this.#failed === 0) return;
    let hasTaken = false;
    const isLarge = ({ length }: Queued) => Number(length > LARGE);
    for (const queued of [...this.#left.values()].sort((a, b) => isLarge(a) - isLarge(b))) {
      if (signal?.aborted) return;
      const { envelope: given, ...entry } = queued;
      if (entry.box === undefined || !this.#isTriedNow(entry)) continue;
      const envelope = given ?? (await readEnvelope(this.#identity, entry.outboxId));
      try {
        // Without one, another pawl has handed it over, or the contact was forgotten.
        if (envelope !== undefined) await carrier.put(entry.box, envelope);
      } catch (error) {
        if (!isOfPlace(error)) throw error;
        this.#left.set(entry.outboxId, entry);
        this.#failure ??= error;
        const isOfAll = !this.#isReached || error.code !== 'unreachable';
        this.#failed = isOfAll ? 0 : Math.min(this.#failed, entry.length);
        this.#isReached = false;
        continue;
      }
      this.#left.delete(entry.outboxId);
      if (envelope === undefined) continue;
      hasTaken = true;
      this.#isReached = true;
      yield entry;
    }
    // What has failed last may be what there is no room for.
    if (hasTaken && this.#failed > 0) this.#isReached = true;
    else if (!this.#isReached) this.#failed = 0;
  }

  /** What is about as large as one that has failed is not tried, while it may be the place that fails. */
  #isTriedNow({ length }: Pick<Queued, 'length'>): boolean {
    return length < (this.#isReached ? this.#failed : this.#failed / 2);
  }
}

/** Says that what a place did not take, while it takes others, still waits for a contact. */
export function stillWaiting({ size, failure }: HandOverQueue, to: string): string {
  const why = failure === undefined ? '' : `: ${explain(failure).message}`;
  return `${count(size, 'earlier message')} for ${to} still ${size === 1 ? 'waits' : 'wait'}${why}`;
}

/** In bytes: an envelope that is larger keeps no smaller one waiting. */
const LARGE = 2 ** 16;

/** The envelopes that earlier commands have left, which go along a route. */
async function earlierEnvelopes(identity: OpenIdentity): Promise<readonly UnsentEnvelope[]> {
  return (await listOutbox(identity)).envelopes.filter(({ box }) => box !== undefined);
}

/**
 * Hands over what waits, to all contacts that have a route. Tells how much, and of each place that fails.
 * @returns the exit code of one that fails.
 */
export async function handOverAll(
  context: CommandContext,
  identity: OpenIdentity,
  places: Places,
  { troubles = places.troubles, signal }: { readonly troubles?: Troubles; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const earlier = await earlierEnvelopes(identity);
  if (earlier.length === 0) return 0;
  const waiting = new Set(earlier.map(({ to }) => to));
  const routes = (await listRoutes(identity)).filter(({ name, isForInvite }) => !isForInvite && waiting.has(name));
  let exit = 0;
  const codes = asTheyCome(byPlace(routes), ({ key, all }) => {
    const names = all.map(({ name }) => name);
    return handOverAt(context, identity, { places, key, names, earlier, troubles, signal });
  });
  for await (const code of codes) exit ||= code;
  return exit;
}

interface AtPlace {
  readonly places: Places;
  /** Of its routes. */
  readonly key: string;
  /** The contacts there. */
  readonly names: readonly string[];
  readonly earlier: readonly UnsentEnvelope[];
  readonly troubles: Troubles;
  readonly signal: AbortSignal | undefined;
}

/** Hands over at one place. Where nothing is taken for two contacts, the others are not tried. @returns the exit code. */
async function handOverAt(
  { reporter }: CommandContext,
  identity: OpenIdentity,
  { places, key, names, earlier, troubles, signal }: AtPlace,
): Promise<number> {
  let exit = 0;
  let unreached = 0;
  for (const name of names) {
    if (unreached === 2 || signal?.aborted) break;
    const carrier = await Carrier.for(places, identity, name);
    // Another command has changed the route.
    if (carrier?.key !== key) continue;
    const queue = new HandOverQueue(identity);
    queue.addUnsent(earlier.filter(({ to }) => to === name));
    let handedOver = 0;
    for await (const { outboxId } of queue.handOver(carrier, signal)) {
      await acknowledgeOrWarn(reporter, () => acknowledgeSent(identity, [outboxId]));
      handedOver += 1;
    }
    if (handedOver > 0) {
      await reporter.notice(`${count(handedOver, 'earlier message')} for ${name} handed over to ${carrier.title}`);
    }
    if (queue.failure !== undefined && !signal?.aborted) {
      const told = await troubles.tell(queue.failure, `what waits for ${name}`);
      exit ||= told;
    }
    unreached = queue.isReached ? 0 : unreached + 1;
  }
  return exit;
}
