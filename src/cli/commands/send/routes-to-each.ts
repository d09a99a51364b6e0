/**
 * Hands over what several contacts get, along the route to each. Different places are reached at the same time, so that a slow
 * one does not keep the others waiting. Contents in parts go after all messages.
 * Encrypts nothing but parts.
 */
import { isPawlError, PawlError } from '../../../errors.ts';
import {
  acknowledgeSent,
  checkContact,
  type OutboxId,
  readEnvelope,
  type SentMessage,
} from '../../../session/index.ts';
import { Carrier, HandOverQueue, stillWaiting } from '../../carrier/hand-over.ts';
import { asTheyCome, byPlace, type Places } from '../../carrier/places.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { acknowledgeOrWarn } from '../../stream/write.ts';
import { carryParts } from './carried-parts.ts';
import { describe, queuedError } from './output.ts';
import type { Parcel, Parcels, Ways } from './to-several.ts';

/** What one contact gets, and what becomes of the messages among it. */
interface Delivery {
  readonly name: string;
  readonly carrier: Carrier;
  readonly parcels: readonly Parcel[];
  readonly messages: readonly SentMessage[];
  /** Those that wait, why, and what is to be said of others of earlier commands. */
  waiting: ReadonlySet<OutboxId>;
  failure?: PawlError;
  earlier?: string;
  /** Another command has forgotten the contact meanwhile, with what was for it. */
  forgotten?: PawlError;
  gone: ReadonlySet<OutboxId>;
}

export class RoutesToEach implements Ways {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #places: Places;

  constructor(context: CommandContext, identity: OpenIdentity, places: Places) {
    this.#context = context;
    this.#identity = identity;
    this.#places = places;
  }

  async deliver(parcels: Parcels): Promise<number> {
    const { reporter } = this.#context;
    const deliveries: Delivery[] = [];
    let exit = 0;
    for (const [name, parcelsOfOne] of parcels) {
      const carrier = await Carrier.for(this.#places, this.#identity, name);
      if (carrier === undefined) {
        // Another command has taken the route away meanwhile, or forgotten the contact.
        const gone = (await this.#waits(parcelsOfOne)) ? undefined : await this.#refusalOf(name);
        const code = await (gone === undefined
          ? reporter.error(new PawlError('no-route', { name }), `what is for ${name} waits`)
          : reporter.error(gone));
        exit ||= code;
        continue;
      }
      const messages = parcelsOfOne.flatMap((parcel) => ('message' in parcel ? parcel.message : []));
      const waiting = new Set(messages.map(({ outboxId }) => outboxId));
      deliveries.push({ name, carrier, parcels: parcelsOfOne, messages, waiting, gone: new Set() });
    }
    const byWay = byPlace(deliveries.map((delivery) => ({ ...delivery.carrier.route, delivery })));
    for await (const _ of asTheyCome(byWay, ({ all }) => this.#handOverAt(all.map(({ delivery }) => delivery))));
    reporter.progress.clear();
    for (const delivery of deliveries) {
      const code = await this.#tell(delivery);
      exit ||= code;
    }
    await this.#tellDone(deliveries);
    const codes = new Map<Delivery, number>();
    const carried = asTheyCome(byWay, async ({ all }) => {
      for (const { delivery } of all) codes.set(delivery, await this.#carryLarge(delivery));
    });
    for await (const _ of carried);
    for (const delivery of deliveries) exit ||= codes.get(delivery) ?? 0;
    return exit;
  }

  async endEarly(parcels: Parcels, paths: readonly string[]): Promise<void> {
    await this.deliver(parcels);
    await this.#context.reporter.warn(
      `sent or waiting already, so leave it out when you send the rest: ${paths.join(', ')}`,
    );
  }

  /** Hands messages over at one place. Where nothing is taken for two contacts, the others wait untried. */
  async #handOverAt(deliveries: readonly Delivery[]): Promise<void> {
    let unreached = 0;
    let failure: PawlError | undefined;
    for (const delivery of deliveries) {
      if (delivery.messages.length === 0) continue;
      if (unreached === MOST_UNREACHED && failure !== undefined) {
        delivery.failure = failure;
        continue;
      }
      try {
        const queue = await this.#handOver(delivery);
        unreached = queue.isReached ? 0 : unreached + 1;
        failure = queue.failure ?? failure;
      } catch (error) {
        // As where another pawl keeps the identity file busy: what went to others is told all the same.
        if (!(error instanceof PawlError)) throw error;
        delivery.failure = error;
      }
    }
  }

  async #handOver(delivery: Delivery): Promise<HandOverQueue> {
    const { name, carrier, messages } = delivery;
    const { reporter } = this.#context;
    const queue = await HandOverQueue.for(this.#identity, name);
    queue.add(messages);
    const handedOver = new Set<OutboxId>();
    for await (const { outboxId } of queue.handOver(carrier)) {
      handedOver.add(outboxId);
      await acknowledgeOrWarn(reporter, () => acknowledgeSent(this.#identity, [outboxId]));
      reporter.progress.update(`handing over to ${carrier.title}`);
    }
    delivery.waiting = new Set(messages.map(({ outboxId }) => outboxId).filter((id) => queue.has(id)));
    if (queue.failure !== undefined) delivery.failure = queue.failure;
    const gone = messages.flatMap(({ outboxId: id }) => (handedOver.has(id) || queue.has(id) ? [] : [id]));
    const forgotten = gone.length > 0 ? await this.#refusalOf(name) : undefined;
    if (forgotten !== undefined) {
      delivery.forgotten = forgotten;
      delivery.gone = new Set(gone);
    }
    if (delivery.waiting.size === 0 && queue.size > 0) delivery.earlier = stillWaiting(queue, name);
    return queue;
  }

  /** Whether a message is in the outbox: that of a contact that has another name by now. */
  async #waits(parcels: readonly Parcel[]): Promise<boolean> {
    for (const parcel of parcels) {
      if (!('message' in parcel)) continue;
      if ((await readEnvelope(this.#identity, parcel.message.outboxId)) !== undefined) return true;
    }
    return false;
  }

  /** Why nothing can be for a name: another command has forgotten the contact. */
  async #refusalOf(name: string): Promise<PawlError | undefined> {
    try {
      await checkContact(this.#identity, name);
      return undefined;
    } catch (error) {
      if (isPawlError(error, 'unknown-contact')) return error;
      throw error;
    }
  }

  /** @returns the exit code of what waits. */
  async #tell({ name, carrier, messages, waiting, failure, earlier, gone, forgotten }: Delivery): Promise<number> {
    const { reporter } = this.#context;
    for (const message of messages) {
      if (gone.has(message.outboxId)) continue;
      const fate = waiting.has(message.outboxId) ? { queued: true } : { handed_to: carrier.title };
      const format = { armored: false, file: undefined, carrier };
      await describe(this.#context, format, { ...message, bytes: message.length, fate });
    }
    if (earlier !== undefined) await reporter.warn(earlier);
    if (forgotten !== undefined) return reporter.error(forgotten);
    if (waiting.size === 0 || failure === undefined) return 0;
    const error = queuedError(carrier, failure);
    return reporter.error(error, error === failure ? `the message for ${name} waits` : undefined);
  }

  /** Says for whom messages were handed over, and where. */
  async #tellDone(deliveries: readonly Delivery[]): Promise<void> {
    const names = new Map<string, string[]>();
    for (const { name, carrier, messages, waiting, forgotten } of deliveries) {
      if (messages.length === 0 || waiting.size > 0 || forgotten !== undefined) continue;
      const there = names.get(carrier.title) ?? [];
      names.set(carrier.title, there);
      there.push(name);
    }
    for (const [title, there] of names) {
      await this.#context.reporter.notice(`handed over to ${title} for ${there.join(', ')}`);
    }
  }

  /** Contents in parts go after all messages. @returns the exit code of what waits, or is given up. */
  async #carryLarge({ name, carrier, parcels }: Delivery): Promise<number> {
    const { reporter } = this.#context;
    let exit = 0;
    for (const parcel of parcels) {
      if (!('content' in parcel)) continue;
      const format = { armored: false, file: undefined, carrier, isOneOfSeveral: true };
      try {
        await carryParts(this.#context, this.#identity, parcel.content, { large: parcel.large, format });
      } catch (error) {
        if (!(error instanceof PawlError)) throw error;
        const code = await reporter.error(error, name);
        exit ||= code;
      }
    }
    return exit;
  }
}

/** After so many contacts for whom a place takes nothing, it is not asked for the others. */
const MOST_UNREACHED = 2;
