/**
 * Writes the envelopes of `send` to standard output or a file, acknowledges those that were written, and describes them.
 * Knows nothing of where their texts came from.
 */
import { armor, armoredLength, longestMessage } from '../../../envelope/index.ts';
import type { OutputFile } from '../../../files/index.ts';
import { toHex, utf8 } from '../../../primitives/index.ts';
import { acknowledgeSent, type OutboxId, type Sent } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { acknowledgeOrWarn, BufferedOutput, checkFitsTerminal } from '../../stream/write.ts';
import { iso } from '../../terminal/format.ts';

/** How an envelope is written. */
export interface EnvelopeFormat {
  readonly armored: boolean;
  /** A file for it, instead of standard output. */
  readonly file: OutputFile | undefined;
}

/**
 * Refuses messages whose armor is too much for the terminal that it would go to.
 * @param plaintexts padded.
 * @throws `usage`.
 */
export function checkAmount({ io }: CommandContext, plaintexts: readonly Uint8Array[], { file }: EnvelopeFormat): void {
  if (file !== undefined) return;
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

  constructor(context: CommandContext, identity: OpenIdentity, format: EnvelopeFormat) {
    this.#context = context;
    this.#identity = identity;
    this.#format = format;
    this.#stdout = new BufferedOutput(context.reporter.progress.clearBefore(context.io.output));
  }

  /** The entries of the outbox that have been written, and not acknowledged yet. */
  get written(): readonly OutboxId[] {
    return this.#inFile === undefined ? this.#stdout.written : [this.#inFile];
  }

  /** A transaction has dropped these entries from the outbox. */
  markAcknowledged(ids: readonly OutboxId[]): void {
    this.#stdout.markAcknowledged(ids);
    this.#inFile = undefined;
  }

  /**
   * Writes envelopes, which must be committed, for good. A file holds one.
   * @throws `closed-pipe`, `write-failed`.
   */
  async write(envelopes: readonly Sent[]): Promise<void> {
    const { armored, file } = this.#format;
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
      await describe(this.#context, this.#format, { ...sent, bytes: sent.envelope.length });
    }
  }
}

/** What was written: one envelope, or a content in parts. */
interface Described extends Pick<Sent, 'to' | 'id' | 'n' | 'opening' | 'expiredInvite'> {
  readonly bytes: number;
  readonly parts?: number;
  readonly partSize?: number;
}

/** With `--json`, describes what was written: on standard error where standard output has the envelopes themselves. */
export async function describe(
  { reporter }: CommandContext,
  { file }: EnvelopeFormat,
  { to, id, n, bytes, opening, expiredInvite, parts, partSize }: Described,
): Promise<void> {
  const document = {
    type: 'sent',
    to,
    id: toHex(id),
    n,
    bytes,
    opening,
    ...(expiredInvite !== undefined && { expired_invite: iso(expiredInvite) }),
    ...(parts !== undefined && { parts, part_size: partSize }),
  };
  if (file === undefined) await reporter.documentOnStderr(document);
  else if (reporter.json) await reporter.document(document);
}
