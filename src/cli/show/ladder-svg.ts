/**
 * Draws the ratchet of a session as an SVG picture, with the same steps as `drawLadder`: an arrow for each, with words above
 * it, and below it the messages of the other side. No line runs through words.
 * Knows nothing of files.
 */
import type { Ladder } from '../../session/index.ts';
import { count, escapeInvisible } from '../terminal/format.ts';
import { type Cell, chainCells, fold, nextStep, type Rung, truncate } from './ladder.ts';

// Pixels of the picture, which scales.

const WIDTH = 760;
/** Where the two sides stand, and what is between them. */
const SIDES = { us: 130, them: 630 } as const;
const MIDDLE = (SIDES.us + SIDES.them) / 2;
const TOP = 58;
/** From the top of a row to its arrow, and from there to the next row. */
const ABOVE = 32;
const BELOW = 14;
const FOLD_HEIGHT = 46;
/** Room below the last row for what the cells mean. */
const LEGEND_HEIGHT = 34;
const LEGEND_PITCH = 120;
const BOTTOM = 20;
/** A cell stands for a message, or for several. */
const CELL = 11;
const PITCH = 15;

/** Characters that fit in their places. */
const LONGEST_NAME = 28;
const LONGEST_NEXT = 52;

interface Colours {
  readonly paper: string;
  readonly ink: string;
  readonly faint: string;
  readonly side: string;
  readonly us: string;
  readonly them: string;
  readonly missing: string;
}

const LIGHT: Colours = {
  paper: '#fff',
  ink: '#1f2328',
  faint: '#656d76',
  side: '#8c959f',
  us: '#0969da',
  them: '#1a7f37',
  missing: '#cf222e',
};
const DARK: Colours = {
  paper: '#0d1117',
  ink: '#e6edf3',
  faint: '#8d96a0',
  side: '#6e7681',
  us: '#58a6ff',
  them: '#3fb950',
  missing: '#ff7b72',
};

/** Without variables of CSS, which librsvg does not know. */
function inColours({ paper, ink, faint, side, us, them, missing }: Colours): string {
  return `
    .paper { fill: ${paper} } text { fill: ${ink} } .faint { fill: ${faint} } .side { stroke: ${side} }
    .us { stroke: ${us} } .fill-us { fill: ${us} } .them { stroke: ${them} } .fill-them { fill: ${them} }
    .missing { stroke: ${missing} }`;
}

const STYLE = `
    text { font: 14px system-ui, sans-serif; text-anchor: middle }
    .name { font-weight: 600; font-size: 15px } .small { font-size: 12px }
    .start { text-anchor: start } .end { text-anchor: end }
    path { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round } .side { stroke-width: 1.5 }
    .fold { stroke-dasharray: 0.1 6; stroke-width: 2.5 } .next { stroke-dasharray: 5 6 }
    .missing { fill: none; stroke-width: 1.5; stroke-dasharray: 2.5 1.5 } .partial { fill-opacity: 0.35 }${inColours(LIGHT)}
    @media (prefers-color-scheme: dark) {${inColours(DARK)} }`;

/** A part of the drawing, from the top down. */
interface Row {
  readonly height: number;
  readonly draw: (top: number) => readonly string[];
}

/** @returns an SVG document. */
export function ladderSvg(ladder: Ladder, contact: string): string {
  const { folded, rungs } = fold(ladder);
  const cells = new Set(rungs.flatMap(cellsOf));
  const rows: readonly Row[] = [
    ...(folded === undefined ? [] : [foldRow(folded)]),
    ...rungs.map(rungRow),
    nextRow(ladder, contact),
    ...(cells.size > 1 || cells.has('missing') ? [legendRow(cells)] : []),
  ];
  let top = TOP;
  const drawn = rows.flatMap((row) => {
    const lines = row.draw(top);
    top += row.height;
    return lines;
  });
  const height = top + BOTTOM;
  const title = escapeXml(`The ratchet with ${contact}: ${count(ladder.steps, 'step')}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${title}">
  <title>${title}</title>
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${height}" rx="10"/>
${[words(SIDES.us, 36, 'name', 'you'), nameOf(contact), ...drawn].map((line) => `  ${line}`).join('\n')}
</svg>
`;
}

/** In the middle above its side, or, where it is long, up to the margin. */
function nameOf(contact: string): string {
  const name = truncate(contact, LONGEST_NAME);
  const isLong = name.length > LONGEST_NAME / 2;
  return isLong ? words(WIDTH - 20, 36, 'name end', name) : words(SIDES.them, 36, 'name', name);
}

/** The steps that are not drawn: the sides are dotted beside them. */
function foldRow(folded: string): Row {
  return {
    height: FOLD_HEIGHT,
    draw: (top) => [
      ...sidesFrom(top, FOLD_HEIGHT, 'side fold'),
      words(MIDDLE, top + FOLD_HEIGHT / 2 + 5, 'faint', folded),
    ],
  };
}

function rungRow(rung: Rung): Row {
  const { step, by, chain, kem } = rung;
  const cells = cellsOf(rung);
  const height = ABOVE + BELOW + (cells.length > 0 ? CELL : 0);
  const start = by === 'us' ? SIDES.us + 14 : SIDES.them - 14;
  return {
    height,
    draw: (top) => {
      const y = top + ABOVE;
      return [
        `<g${chain?.fingerprint === undefined ? '' : ` id="chain-${chain.fingerprint}"`}>`,
        ...sidesFrom(top, height, 'side'),
        words(SIDES.us - 22, y + 5, 'faint end', String(step)),
        ...arrow(by, y, by),
        words(MIDDLE, y - 9, chain === undefined ? 'faint' : '', messagesOf(chain)),
        ...(kem.length === 0 ? [] : [words(start, y - 9, `small ${by === 'us' ? 'start' : 'end'}`, kem.join(', '))]),
        ...cells.map((cell, index) => cellAt(cell, MIDDLE + (index - cells.length / 2) * PITCH, y + BELOW - 4)),
        '</g>',
      ];
    },
  };
}

/** Of ours none: how many have arrived is not known. */
function cellsOf({ by, chain }: Rung): readonly Cell[] {
  return chain === undefined || by === 'us' ? [] : chainCells(chain.length, chain.missing);
}

function messagesOf(chain: Rung['chain']): string {
  if (chain === undefined) return 'count no longer kept';
  const { length, missing, isOpen } = chain;
  if (length === 0) return 'no messages';
  if (missing.length > 0) return `${length - missing.length} of ${count(length, 'message')}, ${missing.length} missing`;
  return `${count(length, 'message')}${isOpen ? ' so far' : ''}`;
}

function nextRow(ladder: Ladder, contact: string): Row {
  const height = ABOVE + BELOW;
  return {
    height,
    draw: (top) => [
      ...sidesFrom(top, height, 'side'),
      ...arrow(ladder.next, top + ABOVE, 'side next'),
      words(MIDDLE, top + ABOVE - 9, 'faint', nextStep(ladder, contact, LONGEST_NEXT)),
    ],
  };
}

/** What the cells mean that are drawn. */
function legendRow(drawn: ReadonlySet<Cell>): Row {
  const entries = Object.entries(MEANINGS).filter(([cell]) => drawn.has(cell as Cell)) as [Cell, string][];
  return {
    height: LEGEND_HEIGHT,
    draw: (top) =>
      entries.flatMap(([cell, meaning], index) => {
        const x = MIDDLE + (index - entries.length / 2) * LEGEND_PITCH + 20;
        return [cellAt(cell, x, top + 17), words(x + CELL + 7, top + 27, 'faint small start', meaning)];
      }),
  };
}

const MEANINGS: Readonly<Record<Cell, string>> = { received: 'received', partial: 'some missing', missing: 'missing' };

function sidesFrom(top: number, height: number, className: string): readonly string[] {
  return [SIDES.us, SIDES.them].map((x) => `<path class="${className}" d="M${x} ${top}V${top + height}"/>`);
}

/** From the one side to the other. */
function arrow(by: 'us' | 'them', y: number, className: string): readonly string[] {
  const [from, to, back] = by === 'us' ? [SIDES.us, SIDES.them - 2, -9] : [SIDES.them, SIDES.us + 2, 9];
  return [
    `<path class="${className}" d="M${from} ${y}H${to}"/>`,
    `<path class="${className.replace(' next', '')}" d="M${to + back} ${y - 5}L${to} ${y}L${to + back} ${y + 5}"/>`,
    ...(className === by ? [`<circle class="fill-${by}" cx="${from}" cy="${y}" r="4"/>`] : []),
  ];
}

function cellAt(cell: Cell, x: number, y: number): string {
  if (cell === 'missing')
    return `<rect class="missing" x="${x + 0.75}" y="${y + 0.75}" width="${CELL - 1.5}" height="${CELL - 1.5}" rx="2"/>`;
  return `<rect class="fill-them${cell === 'partial' ? ' partial' : ''}" x="${x}" y="${y}" width="${CELL}" height="${CELL}" rx="2.5"/>`;
}

function words(x: number, y: number, className: string, text: string): string {
  return `<text${className === '' ? '' : ` class="${className}"`} x="${x}" y="${y}">${escapeXml(text)}</text>`;
}

function escapeXml(text: string): string {
  return escapeInvisible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
