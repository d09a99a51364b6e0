/**
 * Hands envelopes over: puts them into their boxes, and drops them from the outbox once the place says that they are
 * stored. What cannot be handed over stays in the outbox, and goes with a later command.
 * Does not encrypt.
 */
import { isPawlError, type PawlError } from '../../errors.ts';
import { boxOf, formatRoute, nameOfEnvelope, nameOfPart, type Place } from '../../places/index.ts';
import {
  acknowledgeSent,
  listOutbox,
  listRoutes,
  placeOf,
  readEnvelope,
  routeTo,
  type UnsentEnvelope,
} from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import type { OpenIdentity } from '../identity/open.ts';
import { acknowledgeOrWarn } from '../stream/write.ts';
import { count } from '../terminal/format.ts';
import type { KnownRoute, Places } from './places.ts';

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
  readonly #places: Places;
  readonly #route: KnownRoute;

  private constructor(places: Places, to: string, route: KnownRoute) {
    this.#places = places;
    this.#route = route;
    this.to = to;
    this.title = formatRoute(route.route);
    this.place = placeOf(route.route);
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
    return this.#places.at(this.#route);
  }
}

/**
 * Hands over what earlier commands could not, to one contact.
 * @returns how many envelopes were handed over.
 * @throws what `Carrier.put` throws, for one contact.
 */
export async function handOverEarlier(
  identity: OpenIdentity,
  context: CommandContext,
  carrier: Carrier,
): Promise<number> {
  const { envelopes } = await listOutbox(identity);
  let handedOver = 0;
  for (const entry of envelopes) {
    if (entry.to === carrier.to && (await handOver(context, identity, carrier, entry))) handedOver += 1;
  }
  return handedOver;
}

/**
 * Puts an envelope of the outbox into its box, and drops it from the outbox.
 * @returns whether it was still there, and has a box.
 * @throws what `Carrier.put` throws.
 */
export async function handOver(
  { reporter }: CommandContext,
  identity: OpenIdentity,
  carrier: Carrier,
  { id, box }: Pick<UnsentEnvelope, 'id' | 'box'>,
): Promise<boolean> {
  if (box === undefined) return false;
  const envelope = await readEnvelope(identity, id);
  // Another pawl has handed it over since, or the contact was forgotten.
  if (envelope === undefined) return false;
  await carrier.put(box, envelope);
  await acknowledgeOrWarn(reporter, () => acknowledgeSent(identity, [id]));
  return true;
}

/**
 * Hands over what waits, to all contacts that have a route. Tells how much, and of each place that cannot be reached.
 * @returns the exit code of the first that could not.
 */
export async function handOverAll(context: CommandContext, identity: OpenIdentity, places: Places): Promise<number> {
  let exit = 0;
  const { envelopes } = await listOutbox(identity);
  if (envelopes.every(({ box }) => box === undefined)) return exit;
  const waiting = new Set(envelopes.map(({ to }) => to));
  for (const { name } of await listRoutes(identity)) {
    if (!waiting.has(name)) continue;
    const carrier = await Carrier.for(places, identity, name);
    if (carrier === undefined) continue;
    try {
      const handedOver = await handOverEarlier(identity, context, carrier);
      if (handedOver > 0) {
        await context.reporter.notice(
          `${count(handedOver, 'earlier message')} for ${name} handed over to ${carrier.title}`,
        );
      }
    } catch (error) {
      if (!isOfPlace(error)) throw error;
      exit ||= await context.reporter.error(error, `what waits for ${name}`);
    }
  }
  return exit;
}
