/**
 * The loop of `recv`: what waits in the inbox is claimed and delivered slice by slice, then each batch of envelopes is
 * decrypted and committed, and its texts are delivered. What was delivered is acknowledged by the next commit.
 * Knows nothing of options as they are typed.
 */
import type { ContentHead } from '../../../envelope/index.ts';
import {
  type Arrival,
  claim,
  countMissing,
  historyReport,
  listWaiting,
  type Outcome,
  receive,
  type WaitingText,
} from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { type Batches, BOUND } from '../../stream/batches.ts';
import type { InputItem, PartArrival } from '../../stream/envelopes.ts';
import { count } from '../../terminal/format.ts';
import { Deliverer, type DeliveryOptions } from './delivery.ts';
import type { PartOptions } from './part-places.ts';
import { PartReceiver } from './parts.ts';
import { reportHeldBack, reportWaiting } from './report.ts';

/** What the input consists of. */
export type Item = InputItem<Arrival | PartArrival>;

export interface ReceiveOptions extends DeliveryOptions, PartOptions {
  /** The most message keys to derive for one gap. */
  readonly maxGap?: number;
  /** Accept messages of this contact only. */
  readonly from?: string;
  /** Tell by the exit code whether there was anything new, and whether messages are missing. */
  readonly exitCode?: true;
  /**
   * Is told what has become of items of the input, which is committed, before any of it is delivered.
   * @returns the outcomes that are to be delivered or told.
   */
  readonly onCommitted?: (items: readonly object[], outcomes: readonly Outcome[]) => Promise<Outcome[]>;
}

/**
 * Receives every envelope of the input. Texts that earlier commands have left in the inbox are delivered first. Where
 * nothing would set them apart from what is in the input they are only told: a file or pipe gets what was asked for.
 * @param input `undefined` where there is none.
 * @returns the exit code; whether there was nothing to receive or deliver; and with `exitCode`, the exit code that tells
 * of news where no error comes first.
 */
export async function receiveAll(
  context: CommandContext,
  identity: OpenIdentity,
  input: Batches<Item> | undefined,
  options: ReceiveOptions,
): Promise<{ exit: number; isEmpty: boolean; news?: number }> {
  const { reporter } = context;
  const deliverer = new Deliverer(context, identity, options);
  const parts = new PartReceiver(context, identity, options);
  // A stream that is in the midst of a large content takes nothing else.
  const delivers = (head: ContentHead) =>
    !(parts.isStreaming && deliverer.isForStream(head)) && deliverer.delivers(head);
  const contactsWithGaps = new Set<string>();
  /** Whom new texts came from, and whether others came that had been received before. */
  const senders = new Set<string>();
  let isRepeated = false;
  const waiting = await listWaiting(identity);
  const isAlongRoute = options.onCommitted !== undefined;
  // An option of its own, or an input with nothing in it: what waits is what is asked for. So it is along a route.
  const isAskedFor = options.output !== undefined || (input !== undefined && !isAlongRoute);
  const isForInput = !options.waiting && isAskedFor;
  const isHeldBack = ({ head }: WaitingText) => isForInput && deliverer.runsTogether(head);
  const heldBack = waiting.filter(isHeldBack);
  const earlier = waiting.filter((text) => !isHeldBack(text) && deliverer.takes(text));
  const left = waiting.filter((text) => !isHeldBack(text) && !deliverer.delivers(text.head));

  const deliverEarlier = async (): Promise<void> => {
    if (input !== undefined && !isAlongRoute && earlier.length > 0) {
      await reporter.notice(`${count(earlier.length, 'earlier text')} first, which waited`);
    }
    for (const slice of slicesOf(earlier)) await deliverSlice(slice);
  };

  const deliverSlice = async (slice: readonly WaitingText[]): Promise<void> => {
    const { settled } = deliverer;
    const claims = await claim(identity, slice, settled);
    deliverer.markSettled(settled);
    for (const { from } of slice) senders.add(from);
    await deliverer.deliverClaimed(claims);
  };

  /** One transaction. It may take fewer envelopes than it is given, so that other commands need not wait for long. */
  const receiveSome = async (items: readonly InputItem<Arrival>[]): Promise<Outcome[]> => {
    const { settled } = deliverer;
    const { outcomes, gaps } = await receive(identity, items.filter(isArrival), {
      settled,
      delivers,
      ...(options.maxGap !== undefined && { gap: options.maxGap }),
      ...(options.from !== undefined && { from: options.from }),
    });
    deliverer.markSettled(settled);
    for (const name of gaps) contactsWithGaps.add(name);
    if (outcomes.some(({ type }) => type === 'announced')) await parts.reload();
    for (const outcome of outcomes) {
      if (outcome.type === 'message' || outcome.type === 'waiting' || outcome.type === 'announced') {
        senders.add(outcome.from);
      }
      isRepeated ||= outcome.type === 'duplicate' && !parts.awaits(outcome.id);
    }
    return inInputOrder(items, outcomes);
  };

  /** Takes the part that is first, or the messages in front of the first part. */
  const receiveFirst = async (batch: Item[]): Promise<void> => {
    const messages: InputItem<Arrival>[] = [];
    for (const item of batch) {
      if (isPart(item)) break;
      messages.push(item);
    }
    if (messages.length === 0) {
      for (const part of batch.splice(0, 1).filter(isPart)) await parts.take(part);
      return;
    }
    const outcomes = await receiveSome(messages);
    const told = await (options.onCommitted?.(messages, outcomes) ?? outcomes);
    // The envelopes are let go before their texts are delivered.
    messages.length = 0;
    batch.splice(0, outcomes.length);
    // What describes a content comes again with each attempt to send the rest of it.
    await deliverer.deliver(told.splice(0).filter((one) => one.type !== 'duplicate' || !parts.awaits(one.id)));
  };

  try {
    await parts.open();
    await deliverEarlier();
    let isIdle = earlier.length === 0;
    for (let batch = await input?.next(); batch !== undefined; batch = await input?.next()) {
      isIdle = false;
      while (batch.length > 0) await receiveFirst(batch);
      if (await input?.isIdle()) await deliverer.acknowledge();
    }
    // Where nothing waits and nothing comes, what has outlived its time is deleted all the same.
    if (isIdle) await deliverSlice([]);
    if (options.partBoxes !== undefined) {
      // It may take long: what was delivered is not to come again.
      await deliverer.acknowledge();
      await parts.fetch(options.partBoxes);
    }
    await parts.finish({ isRepeated });
  } finally {
    await deliverer.acknowledge();
    await parts.close();
  }
  await deliverer.finish({ isTaken: parts.hasOutputFile });
  await reportGaps(context, identity, contactsWithGaps);
  // Along a route it is what another command has taken, which fetches there as well.
  if (isRepeated && !isAlongRoute && senders.size === 0 && !reporter.json && !(await historyReport(identity)).on) {
    await reporter.notice(SHOWN_ONCE);
  }
  await reportHeldBack(context, heldBack);
  await reportWaiting(context, left, { atLength: options.waiting === true });
  const result = {
    exit: deliverer.exit || parts.exit,
    isEmpty: deliverer.isEmpty && waiting.length === 0 && parts.isSilent,
  };
  return options.exitCode ? { ...result, news: await exitCodeFor(identity, senders) } : result;
}

const SHOWN_ONCE =
  'what was received before is not shown again: history is off, so no text is kept (pawl history 30d, for those to come)';

/** Exit codes of `--exit-code`, beside those of errors (README). */
const NOTHING_NEW = 79;
const MESSAGES_MISSING = 80;

/** @param senders the contacts whose new texts were delivered. */
async function exitCodeFor(identity: OpenIdentity, senders: ReadonlySet<string>): Promise<number> {
  if (senders.size === 0) return NOTHING_NEW;
  for (const name of senders) if ((await countMissing(identity, name)) > 0) return MESSAGES_MISSING;
  return 0;
}

/** Divides texts so that each slice is as bounded as a batch of envelopes. */
function* slicesOf(texts: readonly WaitingText[]): Generator<readonly WaitingText[], void, undefined> {
  let slice: WaitingText[] = [];
  let bytes = 0;
  for (const text of texts) {
    slice.push(text);
    bytes += text.head.length;
    if (slice.length < BOUND.items && bytes < BOUND.bytes) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}

/** Tells how many messages of contacts are missing. */
export async function reportGaps(
  context: CommandContext,
  identity: OpenIdentity,
  names: Iterable<string>,
): Promise<void> {
  for (const name of names) {
    const messages = await countMissing(identity, name);
    if (messages === 0) continue;
    await context.reporter.notice(`${count(messages, 'message')} of ${name} missing so far: pawl inspect ${name}`);
  }
}

export function isArrival(item: Item): item is Arrival {
  return 'envelope' in item;
}

export function isPart(item: Item): item is PartArrival {
  return 'part' in item;
}

/** How much memory an item of the input takes, about, in bytes. */
export function lengthOf(item: Item): number {
  if (isPart(item)) return item.part.sealed.length;
  return isArrival(item) ? item.envelope.message.body.length : 0;
}

/** The outcome of an envelope that could not be decoded. */
export function refusal({ source, error }: Exclude<InputItem, { envelope: unknown }>) {
  return { type: 'refused', from: undefined, error, source } as const;
}

/** The outcomes of the decoded envelopes, and between them those of the others, as far as the transaction came. */
export function inInputOrder(items: readonly InputItem<Arrival>[], received: readonly Outcome[]): Outcome[] {
  const outcomes: Outcome[] = [];
  const remaining = received.values();
  for (const item of items) {
    const outcome = isArrival(item) ? remaining.next().value : refusal(item);
    if (outcome === undefined) break;
    outcomes.push(outcome);
  }
  return outcomes;
}
