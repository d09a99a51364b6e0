/**
 * What `recv` says of large contents and their parts: what is complete, what is missing, what is refused, and the exit code
 * that follows.
 * Takes no part itself.
 */
import { PawlError } from '../../../errors.ts';
import { toHex } from '../../../primitives/index.ts';
import { type IncomingContent, nameOf } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import { incomingFields, partsInWords } from '../../show/transfers.ts';
import { explain } from '../../terminal/error-messages.ts';
import { bytesInWords, count, iso } from '../../terminal/format.ts';
import { hostOfMachine } from '../../terminal/process-name.ts';
import { RefusedParts } from './refused-parts.ts';

export class PartWords {
  readonly #context: CommandContext;
  readonly #refused: RefusedParts;
  /** Parts of no content that is known, and those that were there. */
  readonly #strange: { count: number; first: string } = { count: 0, first: '' };
  #exit = 0;
  /** How often something was told. */
  #told = 0;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#refused = new RefusedParts(context.reporter);
  }

  /** The exit code of the first thing that went wrong. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether there was nothing to tell. */
  get isSilent(): boolean {
    return this.#told === 0;
  }

  /** A content is complete. @param path `undefined` for what went into a stream. */
  async tell(content: IncomingContent, path: string | undefined): Promise<void> {
    const { reporter, io } = this.#context;
    const { from, verified, log, row } = content;
    reporter.progress.clear();
    this.#told += 1;
    const { messageId, n, late, descriptor } = row;
    if (reporter.json) {
      const document = {
        type: 'message',
        from,
        verified,
        id: toHex(messageId),
        n,
        late,
        sent_at: iso(descriptor.sentAt),
        ...(descriptor.name !== undefined && { file: descriptor.name }),
        ...(path !== undefined && { path }),
        bytes: log.bytes,
      };
      if (path === undefined) await reporter.documentOnStderr(document);
      else await reporter.document(document);
      return;
    }
    const size = bytesInWords(log.bytes);
    if (path !== undefined) await reporter.notice(`wrote ${path} (${size}) from ${from}`);
    else if (io.errors.isTerminal) await reporter.notice(`${nameOf(descriptor)} (${size}) from ${from} is complete`);
  }

  /** Parts of a content are missing. */
  async tellProgress(content: IncomingContent): Promise<void> {
    const { reporter } = this.#context;
    const { from, log, row } = content;
    this.#told += 1;
    if (reporter.json) await reporter.document({ type: 'incoming', ...incomingFields(content) });
    else await reporter.notice(`${nameOf(row.descriptor)} from ${from}: ${partsInWords(log)}`);
  }

  /** A content waits at its place, or here. @param title the place. @param why why it is not fetched, if not for want of an option. */
  async tellWaits(content: IncomingContent, title: string, why?: string): Promise<void> {
    const { reporter } = this.#context;
    this.#told += 1;
    if (reporter.json) {
      await reporter.document({ type: 'incoming', ...incomingFields(content) });
      return;
    }
    const { name, size } = content.row.descriptor;
    const words = size === undefined ? '' : ` (${bytesInWords(size)})`;
    const way = name === undefined ? '-o FILE' : '--out-dir DIR';
    const what = `${nameOf(content.row.descriptor)}${words} from ${content.from}`;
    if (content.log.isComplete) await reporter.notice(`all of ${what} is here: pawl recv --waiting --out-dir DIR`);
    else await reporter.notice(`${what} waits at ${title}: ${why ?? `pawl recv --fetch ${way}`}`);
  }

  /** Another machine collects a content. */
  async tellElsewhere(content: IncomingContent): Promise<void> {
    const { reporter } = this.#context;
    this.#told += 1;
    if (reporter.json) {
      await reporter.document({ type: 'incoming', ...incomingFields(content) });
      return;
    }
    const { from, place, log, row } = content;
    const host = hostOfMachine(place?.host ?? '');
    await reporter.notice(
      `${nameOf(row.descriptor)} from ${from} is collected on ${host}, where ${partsInWords(log)}; if that machine is gone, --force begins anew here`,
    );
  }

  /** Another process takes the parts of a content. */
  async tellTaken(error: PawlError, { row, from }: IncomingContent): Promise<void> {
    await this.#context.reporter.notice(`${explain(error).message}: ${nameOf(row.descriptor)} from ${from}`);
  }

  /** A part of no content that is awaited came: see {@link reportStrange}. */
  addStrange(source: string): void {
    if (this.#strange.count++ === 0) this.#strange.first = source;
  }

  /** @param options.isRepeated whether messages came that had been received before. */
  async reportStrange({ isRepeated }: { readonly isRepeated: boolean }): Promise<void> {
    const { reporter } = this.#context;
    const { count: strangers, first } = this.#strange;
    if (strangers > 0) {
      const where = strangers === 1 ? first : `${first}, and ${count(strangers - 1, 'part')} more`;
      // The input began with a message that was received before: these are its parts, most likely.
      if (isRepeated) await reporter.notice(`${count(strangers, 'part')} of what is not awaited any more: ${first}`);
      else await this.refuse(new PawlError('unknown-part', {}), where);
    }
  }

  /** A part of a content is refused: see {@link report}. */
  async refusePart(error: PawlError, source: string, content: IncomingContent): Promise<void> {
    if (this.#refused.isToldAlone(error, content)) await this.refuse(error, `${source}, from ${content.from}`);
  }

  /** Tells of the parts that were refused, and not told one by one. */
  report(): Promise<void> {
    return this.#refused.report();
  }

  /** @param where what the error is about. */
  async refuse(error: PawlError, where: string): Promise<void> {
    const { reporter } = this.#context;
    reporter.progress.clear();
    this.#told += 1;
    const { message, hint, exit } = explain(error);
    if (reporter.json) await reporter.document({ type: 'refused', code: error.code, source: where, message, hint });
    else await reporter.error(error, where);
    this.#exit ||= exit;
  }
}
