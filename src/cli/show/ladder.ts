/**
 * Draws the ratchet of a session as text: a ladder with a rung for each root step.
 * Knows nothing of keys: it is given the positions of chains and missing messages.
 */
import type { ChainOnLadder, Ladder } from '../../session/index.ts';
import { count } from '../terminal/format.ts';

/** The most steps that are drawn. Earlier ones are folded into one line. */
const STEPS_SHOWN = 12;
/** Limits of the width in columns. */
const WIDEST = 72;
const NARROWEST = 40;
/** Columns for the numbers of the steps. */
const MARGIN = 6;
/** The most cells for the messages of a chain. In a longer chain a cell stands for several messages. */
const CELLS = 24;

/** The characters of the drawing. */
interface Glyphs {
  readonly upright: string;
  readonly fromUs: string;
  readonly fromThem: string;
  readonly rung: string;
  readonly toThem: string;
  readonly toUs: string;
  readonly fold: string;
  readonly received: string;
  readonly partial: string;
  readonly missing: string;
  readonly kem: string;
}

const UNICODE: Glyphs = {
  upright: '│',
  fromUs: '├',
  fromThem: '┤',
  rung: '─',
  toThem: '▶',
  toUs: '◀',
  fold: '⋮',
  received: '■',
  partial: '▪',
  missing: '·',
  kem: '◆',
};

const ASCII: Glyphs = {
  upright: '|',
  fromUs: '+',
  fromThem: '+',
  rung: '-',
  toThem: '>',
  toUs: '<',
  fold: ':',
  received: '#',
  partial: '+',
  missing: '.',
  kem: '*',
};

export interface Canvas {
  /** The width that is available. */
  readonly columns: number;
  /** Whether other characters than ASCII can be shown. */
  readonly unicode: boolean;
}

/**
 * Draws the ladder. Each rung points from the side that took the root step to the other, and is labelled with the messages
 * of the chain that the step began. The newest step is at the bottom.
 */
export function drawLadder(ladder: Ladder, contact: string, { columns, unicode }: Canvas): string {
  const glyphs = unicode ? UNICODE : ASCII;
  const width = Math.min(Math.max(columns, NARROWEST), WIDEST) - MARGIN - 2;
  const line = (number: string, inside: string) => `${number.padStart(MARGIN - 2)}  ${inside}`.trimEnd();
  const free = (text: string) => `${glyphs.upright}${centre(text, ' ', width)}${glyphs.upright}`;
  const { folded, rungs } = fold(ladder);
  const remaining = MARGIN + width + 1 - 'you'.length - MARGIN + 2;
  return [
    line('', `you${truncate(contact, remaining - 1).padStart(remaining)}`),
    ...(folded === undefined ? [] : [line(glyphs.fold, free(folded))]),
    ...rungs.map(({ step, by, chain, kem }) => {
      const label = [
        ...(chain === undefined ? [] : [chainLabel(chain, glyphs)]),
        ...kem.map((words) => `${glyphs.kem} ${words}`),
      ];
      const rung = centre(label.join(' '), glyphs.rung, width - 1);
      return line(
        String(step),
        by === 'us'
          ? `${glyphs.fromUs}${rung}${glyphs.toThem}${glyphs.upright}`
          : `${glyphs.upright}${glyphs.toUs}${rung}${glyphs.fromThem}`,
      );
    }),
    line('', free(nextStep(ladder, contact, width))),
  ].join('\n');
}

export interface Rung {
  readonly step: number;
  readonly by: 'us' | 'them';
  /** `undefined` for a chain that is not stored any more. */
  readonly chain: ChainOnLadder | undefined;
  /** What the step did to the KEM secret, if anything. */
  readonly kem: readonly string[];
}

/** The last steps as rungs, and a text for the earlier ones. */
export function fold({ steps, chains, next, kem }: Ladder): { folded: string | undefined; rungs: readonly Rung[] } {
  const first = Math.max(1, steps - STEPS_SHOWN + 1);
  const rungs = Array.from({ length: steps - first + 1 }, (_, index): Rung => {
    const step = first + index;
    const chain = chains.find((known) => known.step === step);
    // The sides take turns, and `next` takes the step after the last.
    const by = (steps - step) % 2 === (next === 'us' ? 0 : 1) ? 'them' : 'us';
    const words = [...(step === kem.mixed ? ['KEM mixed'] : []), ...(step === kem.offered ? ['KEM offered'] : [])];
    return { step, by, chain, kem: words };
  });
  const missing = chains.filter(({ step }) => step < first).reduce((sum, chain) => sum + chain.missing.length, 0);
  const folded =
    first === 1
      ? undefined
      : `${first === 2 ? 'step 1' : `steps 1 to ${first - 1}`}${missing > 0 ? `, ${missing} missing` : ''}`;
  return { folded, rungs };
}

/** The text below the last rung. */
export function nextStep({ steps, next }: Ladder, contact: string, width: number): string {
  if (next === 'us') return `your next message: step ${steps + 1}`;
  const rest = `'s answer: step ${steps + 1}`;
  return `${truncate(contact, width - rest.length - 2)}${rest}`;
}

function chainLabel({ length, missing, isOpen }: ChainOnLadder, glyphs: Glyphs): string {
  if (missing.length === 0) return `${count(length, 'message')}${isOpen ? ' so far' : ''}`;
  return `${chainStrip(length, missing, glyphs)} ${length - missing.length} of ${length}`;
}

function chainStrip(length: number, missing: ChainOnLadder['missing'], glyphs: Glyphs): string {
  return chainCells(length, missing)
    .map((cell) => glyphs[cell])
    .join('');
}

export type Cell = 'received' | 'partial' | 'missing';

/** One cell for each message of the chain, or for several: received, missing, or partly received. */
export function chainCells(length: number, missing: ChainOnLadder['missing']): readonly Cell[] {
  const size = Math.ceil(length / CELLS);
  const gaps = new Map<number, number>();
  for (const { n } of missing) gaps.set(Math.floor(n / size), (gaps.get(Math.floor(n / size)) ?? 0) + 1);
  return Array.from({ length: Math.ceil(length / size) }, (_, cell) => {
    const gap = gaps.get(cell) ?? 0;
    if (gap === 0) return 'received';
    return gap === Math.min(size, length - cell * size) ? 'missing' : 'partial';
  });
}

/** A text between two spaces, in the middle of a line of `fill`. */
function centre(text: string, fill: string, width: number): string {
  const spaced = text === '' ? '' : ` ${truncate(text, width - 2)} `;
  const left = Math.floor((width - spaced.length) / 2);
  return spaced.padStart(left + spaced.length, fill).padEnd(width, fill);
}

export function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 2))}..`;
}
