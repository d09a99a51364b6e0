/**
 * Draws the ratchet of a session as an SVG picture, with the same rungs as `drawLadder`.
 * Knows nothing of files.
 */
import type { Ladder } from '../../session/index.ts';
import { escapeInvisible } from '../terminal/format.ts';
import { fold, nextStep, type Rung } from './ladder.ts';

const WIDTH = 720;
const LEFT = 80;
const RIGHT = 640;
const ROW = 36;
const TOP = 56;
const MIDDLE = (LEFT + RIGHT) / 2;

const STYLE = `
    text { font: 14px ui-sans-serif, system-ui, sans-serif; fill: #222; text-anchor: middle }
    .step { fill: #888; text-anchor: end }
    .label { paint-order: stroke; stroke: #fff; stroke-width: 8px; stroke-linejoin: round }
    path { stroke: #888; stroke-width: 1.5; fill: none }
    .us { stroke: #1763c6 }
    .them { stroke: #0a7d4b }
    .head-us { stroke: none; fill: #1763c6 }
    .head-them { stroke: none; fill: #0a7d4b }`;

/** @returns an SVG document. */
export function ladderSvg(ladder: Ladder, contact: string): string {
  const { folded, rungs } = fold(ladder);
  const rows = rungs.length + (folded === undefined ? 1 : 2);
  const height = TOP + rows * ROW + 12;
  const y = (row: number) => TOP + row * ROW + ROW / 2;
  const shift = folded === undefined ? 0 : 1;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(`the ratchet with ${contact}, ${ladder.steps} steps`)}">
  <style>${STYLE}
  </style>
  <rect width="${WIDTH}" height="${height}" fill="#fff"/>
  <text x="${LEFT}" y="28">you</text>
  <text x="${RIGHT}" y="28">${escapeXml(contact)}</text>
  <path d="M${LEFT} ${TOP - 12}V${height - 12}M${RIGHT} ${TOP - 12}V${height - 12}"/>
${[
  ...(folded === undefined ? [] : [textElement(MIDDLE, y(0), 'fold', folded)]),
  ...rungs.map((rung, row) => rungElement(rung, y(row + shift))),
  textElement(MIDDLE, y(rungs.length + shift), 'next', nextStep(ladder, contact, 60)),
].join('\n')}
</svg>
`;
}

function rungElement({ step, by, chain, label }: Rung, y: number): string {
  const [from, to] = by === 'us' ? [LEFT, RIGHT] : [RIGHT, LEFT];
  const back = by === 'us' ? -10 : 10;
  const words = label({ received: '■', partial: '▪', missing: '□', kem: '◆' });
  return [
    `  <g${chain?.fingerprint === undefined ? '' : ` id="chain-${chain.fingerprint}"`}>`,
    `    <text class="step" x="${LEFT - 20}" y="${y + 5}">${step}</text>`,
    `    <path class="${by}" d="M${from} ${y}H${to + back}"/>`,
    `    <path class="head-${by}" d="M${to} ${y}l${back} -5v10z"/>`,
    ...(words === '' ? [] : [`  ${textElement(MIDDLE, y, 'label', words)}`]),
    '  </g>',
  ].join('\n');
}

function textElement(x: number, y: number, className: string, words: string): string {
  return `  <text class="${className}" x="${x}" y="${y + 5}">${escapeXml(words)}</text>`;
}

function escapeXml(words: string): string {
  return escapeInvisible(words)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
