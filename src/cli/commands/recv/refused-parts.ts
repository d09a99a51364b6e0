/**
 * What `recv` says of a flood of parts that it refuses: the first of a content and of a reason is told by itself, and the
 * others in one line for each content. With `--json` each is a document.
 * Refuses nothing itself.
 */
import type { PawlError } from '../../../errors.ts';
import { type IncomingContent, nameOf } from '../../../session/index.ts';
import { count } from '../../terminal/format.ts';
import type { Reporter } from '../../terminal/reporter.ts';

type Content = Pick<IncomingContent, 'from' | 'row'>;

export class RefusedParts {
  readonly #reporter: Reporter;
  /** What was told of each content. */
  readonly #reasons = new Map<Content, Set<PawlError['code']>>();
  /** Those that were not told by themselves. */
  readonly #others = new Map<Content, number>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Takes a part that is refused. @returns whether the caller tells it; any other is told by {@link report}. */
  isToldAlone({ code }: PawlError, content: Content): boolean {
    const reasons = this.#reasons.get(content) ?? new Set();
    this.#reasons.set(content, reasons);
    if (this.#reporter.json || !reasons.has(code)) {
      reasons.add(code);
      return true;
    }
    this.#others.set(content, (this.#others.get(content) ?? 0) + 1);
    return false;
  }

  /** Tells of those that were taken since the last call, and not told. */
  async report(): Promise<void> {
    const others = [...this.#others];
    this.#others.clear();
    for (const [{ from, row }, number] of others) {
      const were = number === 1 ? 'was' : 'were';
      await this.#reporter.warn(
        `${count(number, 'more part')} of ${nameOf(row.descriptor)} from ${from} ${were} refused likewise`,
      );
    }
  }
}
