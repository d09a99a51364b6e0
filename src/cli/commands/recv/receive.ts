/**
 * The loop of `recv`: each batch of envelopes is decrypted and committed, then its texts are delivered, then what was
 * delivered is acknowledged.
 * Knows nothing of options as they are typed.
 */
import { type Arrival, countMissing, historyReport, type Outcome, receive } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import type { Batches } from '../../stream/batches.ts';
import type { InputItem } from '../../stream/envelopes.ts';
import { count } from '../../terminal/format.ts';
import { Deliverer, type DeliveryOptions } from './delivery.ts';

/** The messages that share a commit. */
export const BATCH = 256;

export interface ReceiveOptions extends DeliveryOptions {
  /** Deliver nothing but what waits in the inbox: the input is empty. */
  readonly waiting?: true;
  /** The most message keys to derive for one gap. */
  readonly maxGap?: number;
  /** Accept messages of this contact only. */
  readonly from?: string;
  /** Tell by the exit code whether there was anything new, and whether messages are missing. */
  readonly exitCode?: true;
}

/**
 * Receives every envelope of the input. Texts that earlier commands have left in the inbox are delivered first; with
 * `-o` they are only counted, because the file is for what was asked for.
 * @returns the exit code, and whether there was nothing to receive or deliver.
 */
export async function receiveAll(
  context: CommandContext,
  identity: OpenIdentity,
  input: Batches<InputItem<Arrival>>,
  options: ReceiveOptions,
): Promise<{ exit: number; isEmpty: boolean }> {
  const deliverer = new Deliverer(context, identity, options);
  const contactsWithGaps = new Set<string>();
  /** Whom new texts came from, and whether others came that had been received before. */
  const senders = new Set<string>();
  let isRepeated = false;
  /** Texts of earlier commands that still wait; unknown before the first transaction. */
  let waiting: number | undefined;

  /** One transaction. It may take fewer envelopes than it is given, so that other commands need not wait for long. */
  const receiveSome = async (items: readonly InputItem<Arrival>[]): Promise<number> => {
    const { written } = deliverer;
    const reception = await receive(identity, items.filter(isArrival), {
      delivered: written,
      ...(waiting === undefined && {
        earlier: options.output === undefined || options.waiting ? 'deliver' : 'count',
      }),
      ...(options.maxGap !== undefined && { gap: options.maxGap }),
      ...(options.from !== undefined && { from: options.from }),
    });
    deliverer.markAcknowledged(written);
    waiting ??= reception.waiting;
    for (const name of reception.gaps) contactsWithGaps.add(name);
    const { earlier } = reception;
    if (items.length > 0 && earlier.length > 0) {
      await context.reporter.notice(`${count(earlier.length, 'earlier text')} first, which waited`);
    }
    const outcomes = inInputOrder(items, reception.outcomes);
    for (const outcome of [...earlier, ...outcomes]) {
      if (outcome.type === 'message') senders.add(outcome.from);
      isRepeated ||= outcome.type === 'duplicate';
    }
    await deliverer.deliver([...earlier, ...outcomes]);
    return outcomes.length;
  };

  try {
    for await (const batch of input) {
      for (let rest = batch; rest.length > 0 || waiting === undefined; ) rest = rest.slice(await receiveSome(rest));
      if (await input.isIdle()) await deliverer.acknowledge();
    }
  } finally {
    await deliverer.acknowledge();
  }
  await deliverer.finish();
  await reportGaps(context, identity, contactsWithGaps);
  if (isRepeated && senders.size === 0 && !context.reporter.json && !(await historyReport(identity)).on) {
    await context.reporter.notice(SHOWN_ONCE);
  }
  if (waiting !== undefined && waiting > 0 && options.output !== undefined) {
    const verb = waiting === 1 ? 'is' : 'are';
    await context.reporter.notice(`${count(waiting, 'earlier text')} ${verb} waiting: pawl recv --waiting`);
  }
  const result = { exit: deliverer.exit, isEmpty: deliverer.isEmpty && !waiting };
  if (!options.exitCode || result.exit !== 0) return result;
  return { ...result, exit: await exitCodeFor(identity, senders) };
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

async function reportGaps(context: CommandContext, identity: OpenIdentity, names: Iterable<string>): Promise<void> {
  for (const name of names) {
    const messages = await countMissing(identity, name);
    if (messages === 0) continue;
    await context.reporter.notice(`${count(messages, 'message')} of ${name} missing so far: pawl inspect ${name}`);
  }
}

export function isArrival(item: InputItem<Arrival>): item is Arrival {
  return 'envelope' in item;
}

/** The outcome of an envelope that could not be decoded. */
export function refusal({ source, error }: Exclude<InputItem, { envelope: unknown }>) {
  return { type: 'refused', from: undefined, error, source } as const;
}

/** The outcomes of the decoded envelopes, and between them those of the others, as far as the transaction came. */
function inInputOrder(items: readonly InputItem<Arrival>[], received: readonly Outcome[]): readonly Outcome[] {
  const outcomes: Outcome[] = [];
  const remaining = received.values();
  for (const item of items) {
    const outcome = isArrival(item) ? remaining.next().value : refusal(item);
    if (outcome === undefined) break;
    outcomes.push(outcome);
  }
  return outcomes;
}
