/**
 * What `recv` says of envelopes that brought nothing because they came before, or too late: a few one by one, many in one
 * line. With `--json` each is a document at once.
 */
import { toHex } from '../../../primitives/index.ts';
import type { Outcome } from '../../../session/index.ts';
import type { Reporter } from '../../terminal/reporter.ts';

/** The outcome of an envelope that is not read again, or cannot be read any more. */
export type Repeat = Extract<Outcome, { type: 'duplicate' | 'forgotten' | 'too-late' }>;

/** The most that are told one by one, and the most contacts that are named. */
const FEW = 3;

/** Those of one kind that were not told yet. */
interface Group {
  count: number;
  /** The first of them. */
  readonly first: Repeat[];
  readonly names: Set<string>;
}

export class Repeats {
  readonly #reporter: Reporter;
  #groups = new Map<Repeat['type'], Group>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Takes an outcome, to be told by `report`. */
  async add(outcome: Repeat): Promise<void> {
    if (this.#reporter.json) {
      await this.#reporter.document(documentOf(outcome));
      return;
    }
    const group = this.#groups.get(outcome.type) ?? { count: 0, first: [], names: new Set() };
    group.count++;
    if (group.first.length < FEW) group.first.push(outcome);
    if (outcome.from !== undefined) group.names.add(outcome.from);
    this.#groups.set(outcome.type, group);
  }

  /** Tells what was taken since the last call. */
  async report(): Promise<void> {
    const groups = this.#groups;
    this.#groups = new Map();
    for (const [type, group] of groups) {
      const words = group.count > FEW ? [manySentence(type, group)] : group.first.map(sentence);
      for (const one of words) {
        if (type === 'too-late') await this.#reporter.warn(one);
        else await this.#reporter.notice(one);
      }
    }
  }
}

function documentOf(outcome: Repeat) {
  const { type, source } = outcome;
  if (type === 'forgotten') return { type: 'duplicate', source };
  const { from, id, n } = outcome;
  return { type, from, id: toHex(id), n, source };
}

function sentence(outcome: Repeat): string {
  const { type, source } = outcome;
  switch (type) {
    case 'duplicate':
      return `${source}: message ${outcome.n} of ${outcome.from} was received before`;
    case 'too-late':
      return `${source}: message ${outcome.n} of ${outcome.from} came too late: its key is gone`;
    case 'forgotten':
      return `${source}: this conversation was opened here before, and forgotten; it is not opened again`;
  }
}

function manySentence(type: Repeat['type'], { count, names }: Group): string {
  const from = names.size > FEW ? `${names.size} contacts` : [...names].join(', ');
  switch (type) {
    case 'duplicate':
      return `${count} messages of ${from} were received before`;
    case 'too-late':
      return `${count} messages of ${from} came too late: their keys are gone`;
    case 'forgotten':
      return `${count} messages are of conversations that were opened here before, and forgotten; they are not opened again`;
  }
}
