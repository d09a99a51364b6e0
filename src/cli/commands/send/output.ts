/**
 * Writes the envelopes of `send` to standard output or a file, acknowledges those that were written, and describes them.
 * Knows nothing of where their texts came from.
 */
import { armor, armoredLength, longestMessage } from '../../../envelope/index.ts';
import { isPawlError, type LargeQueued, PawlError } from '../../../errors.ts';
import type { OutputFile } from '../../../files/index.ts';
import { toHex, utf8 } from '../../../primitives/index.ts';
import { acknowledgeSent, type OutboxId, type Sent } from '../../../session/index.ts';
import { type Carrier, HandOverQueue, stillWaiting } from '../../carrier/hand-over.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { acknowledgeOrWarn, BufferedOutput, checkFitsTerminal } from '../../stream/write.ts';
import { iso } from '../../terminal/format.ts';

/** How an envelope is written. */
export interface EnvelopeFormat {
  readonly armored: boolean;
  /** A file for it, instead of standard output. */
  readonly file: OutputFile | undefined;
  /** Puts it where the route to the contact leads, instead. */
  readonly carrier?: Carrier;
  /** Others get the same, so that it is said for whom it was. */
  readonly isOneOfSeveral?: boolean;
}

/**
 * Refuses messages whose armor is too much for the terminal that it would go to.
 * @param plaintexts padded.
 * @throws `usage`.
 */
export function checkAmount(
  { io }: CommandContext,
  plaintexts: readonly Uint8Array[],
  { file, carrier }: EnvelopeFormat,
): void {
  if (file !== undefined || carrier !== undefined) return;
  const characters = plaintexts.reduce((sum, { length }) => sum + armoredLength(longestMessage(length)), 0);
  checkFitsTerminal(io.output, characters, 'use -o FILE, or a pipe');
}

/** Envelopes in the form in which they are written. */
export async function* encoded(
  envelopes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { armored }: EnvelopeFormat,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const envelope of envelopes) yield armored ? utf8(armor(envelope)) : envelope;
}

export class EnvelopeOutput {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #format: EnvelopeFormat;
  readonly #stdout: BufferedOutput<OutboxId>;
  /** The one that is in the file, until it is acknowledged. */
  #inFile: OutboxId | undefined;
  /** Those that were handed over, until they are acknowledged. */
  #handedOver: OutboxId[] = [];
  /** Those that are to be handed over, those of earlier commands too, and those of them that are ours. */
  #queue: HandOverQueue | undefined;
  readonly #ours = new Set<OutboxId>();
  /** When the place has failed first, of the tries that failed since it was tried anew. */
  #failedAt: number | undefined;

  constructor(context: CommandContext, identity: OpenIdentity, format: EnvelopeFormat) {
    this.#context = context;
    this.#identity = identity;
    this.#format = format;
    this.#stdout = new BufferedOutput(context.reporter.progress.clearBefore(context.io.output));
  }

  /** The entries of the outbox that have been written, and not acknowledged yet. */
  get written(): readonly OutboxId[] {
    if (this.#format.carrier !== undefined) return this.#handedOver;
    return this.#inFile === undefined ? this.#stdout.written : [this.#inFile];
  }

  /** A transaction has dropped these entries from the outbox. */
  markAcknowledged(ids: readonly OutboxId[]): void {
    this.#stdout.markAcknowledged(ids);
    this.#inFile = undefined;
    const done = new Set(ids);
    this.#handedOver = this.#handedOver.filter((id) => !done.has(id));
  }

  /**
   * Writes envelopes, which must be committed, for good. A file holds one.
   * @throws `closed-pipe`, `write-failed`.
   */
  async write(envelopes: readonly Sent[]): Promise<void> {
    const { armored, file, carrier } = this.#format;
    if (carrier !== undefined) return this.#carry(carrier, envelopes);
    for (const { envelope, outboxId } of envelopes) {
      const bytes = armored ? utf8(armor(envelope)) : envelope;
      if (file === undefined) await this.#stdout.write(bytes, outboxId);
      else {
        file.write(bytes);
        this.#inFile = outboxId;
      }
    }
    await this.#stdout.flush();
  }

  /**
   * Hands envelopes over, after those that wait. While the place cannot be reached, they wait, too: it is tried again after a
   * while only.
   * @throws `no-boxes`.
   */
  async #carry(carrier: Carrier, envelopes: readonly Sent[]): Promise<void> {
    const { io, reporter } = this.#context;
    this.#queue ??= await HandOverQueue.for(this.#identity, carrier.to);
    const queue = this.#queue;
    for (const { outboxId } of envelopes) this.#ours.add(outboxId);
    queue.add(envelopes);
    if (this.#failedAt !== undefined && Math.abs(io.now() - this.#failedAt) >= RETRY_INTERVAL) {
      this.#failedAt = undefined;
      queue.tryAgain();
    }
    for await (const { outboxId } of queue.handOver(carrier)) {
      if (this.#ours.has(outboxId)) this.#handedOver.push(outboxId);
      else await acknowledgeOrWarn(reporter, () => acknowledgeSent(this.#identity, [outboxId]));
      reporter.progress.update(`handing over to ${carrier.title}`);
    }
    if (queue.failure !== undefined) this.#failedAt ??= io.now();
    // An invite of theirs has expired since: it went on an older session. It stays in the outbox.
    if (envelopes.some(({ box }) => box === undefined)) throw new PawlError('no-boxes', { name: carrier.to });
  }

  /**
   * Says where the envelopes went.
   * @throws `queued` if some of them wait because the place cannot be reached.
   */
  async tellOfCarrier(): Promise<void> {
    const { carrier, isOneOfSeveral } = this.#format;
    const queue = this.#queue;
    if (carrier === undefined || queue === undefined) return;
    const { reporter } = this.#context;
    const done = `handed over to ${carrier.title}${isOneOfSeveral ? ` for ${carrier.to}` : ''}`;
    if (queue.failure === undefined) return reporter.notice(done);
    if ([...this.#ours].some((id) => queue.has(id))) throw queuedError(carrier, queue.failure);
    await reporter.notice(done);
    await reporter.warn(stillWaiting(queue, carrier.to));
  }

  /** Acknowledges what has been written, in a transaction of its own. */
  async acknowledge(): Promise<void> {
    this.#context.reporter.progress.clear();
    // If writing has just failed, what was written before that is still acknowledged.
    await this.#stdout.flush().catch(() => undefined);
    const ids = this.written;
    await acknowledgeOrWarn(this.#context.reporter, () => acknowledgeSent(this.#identity, ids));
    this.markAcknowledged(ids);
  }

  /** Describes each envelope. */
  async describe(envelopes: readonly Sent[]): Promise<void> {
    for (const sent of envelopes) {
      await describe(this.#context, this.#format, {
        ...sent,
        bytes: sent.length,
        fate: this.fateOf(sent.outboxId),
      });
    }
  }

  /** What is said of where an envelope went. */
  fateOf(id: OutboxId): Readonly<Record<string, unknown>> {
    const { carrier } = this.#format;
    if (carrier === undefined) return {};
    return this.#queue?.has(id) ? { queued: true } : { handed_to: carrier.title };
  }
}

/** Milliseconds after which a place that could not be reached is tried again. */
const RETRY_INTERVAL = 60_000;

/** The error of what waits because its place cannot be reached. */
export function queuedError({ to, title }: Carrier, cause: PawlError, large?: LargeQueued): PawlError {
  if (!isPawlError(cause, 'unreachable')) return cause;
  const { reason } = cause.detail;
  return new PawlError('queued', { to, place: title, reason, ...(large && { large }) }, { cause });
}

/** What was written: one envelope, or a content in parts. */
interface Described extends Pick<Sent, 'to' | 'id' | 'n' | 'opening' | 'expiredInvite'> {
  readonly bytes: number;
  /** Where it went, if along a route. */
  readonly fate?: Readonly<Record<string, unknown>>;
  readonly parts?: number;
  readonly partSize?: number;
}

/** With `--json`, describes what was written: on standard error where standard output has the envelopes themselves. */
export async function describe(
  { reporter }: CommandContext,
  { file, carrier }: EnvelopeFormat,
  { to, id, n, bytes, opening, expiredInvite, fate, parts, partSize }: Described,
): Promise<void> {
  const document = {
    type: 'sent',
    to,
    id: toHex(id),
    n,
    bytes,
    opening,
    ...(expiredInvite !== undefined && { expired_invite: iso(expiredInvite) }),
    ...fate,
    ...(parts !== undefined && { parts, part_size: partSize }),
  };
  if (file === undefined && carrier === undefined) await reporter.documentOnStderr(document);
  else if (reporter.json) await reporter.document(document);
}
