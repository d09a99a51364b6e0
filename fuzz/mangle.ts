/** Damages armored text as mail programs, pasting and editing by hand do. */
import type { Dice } from './dice.ts';

type Edit = (dice: Dice, lines: readonly string[]) => readonly string[];

const STRANGE = ['=', '==', '-', ' ', '\t', '\r', '>', '\0', 'ä', '\u2028', '\ufeff', '\ud800', 'A', '/', '+', '_'];
const LINES = [
  '',
  '>',
  '> > ',
  'text around it',
  '-----BEGIN PAWL MESSAGE-----',
  '-----BEGIN PAWL INVITE-----',
  '-----END PAWL MESSAGE-----',
  '-----END PAWL INVITE-----',
  'A'.repeat(64),
  'A'.repeat(65),
  'A'.repeat(63),
];

const EDITS: readonly Edit[] = [
  (_dice, lines) => lines.map((line) => `${line}\r`),
  (dice, lines) => lines.map((line) => dice.pick(['> ', '>', '> > ', '  ', '\t']) + line),
  (dice, lines) => lines.map((line) => line + (dice.oneIn(4) ? dice.pick([' ', '\t', '  \r']) : '')),
  (dice, lines) => lines.flatMap((line) => (dice.oneIn(4) ? [line, ''] : [line])),
  (dice, lines) => lines.filter(() => !dice.oneIn(lines.length)),
  (dice, lines) => lines.flatMap((line) => (dice.oneIn(lines.length) ? [line, line] : [line])),
  (dice, lines) => lines.flatMap((line) => (dice.oneIn(lines.length) ? [dice.pick(LINES), line] : [line])),
  (dice, lines) => lines.toSpliced(dice.below(lines.length), 1, dice.pick(LINES)),
  (dice, lines) => lines.slice(0, dice.below(lines.length + 1)),
  (dice, lines) => {
    const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
    return lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');
  },
  (dice, lines) => {
    const at = dice.below(lines.length);
    const line = lines[at] ?? '';
    const column = dice.below(line.length + 1);
    const edited = line.slice(0, column) + dice.pick(STRANGE) + line.slice(column + dice.below(2));
    return lines.with(at, edited);
  },
  (_dice, lines) => [lines.join('')],
];

/** The text after one to three edits of its lines. */
export function mangle(dice: Dice, text: string): string {
  let lines: readonly string[] = text.split('\n');
  for (let left = dice.pick([1, 1, 2, 3]); left > 0 && lines.length > 0; left--) lines = dice.pick(EDITS)(dice, lines);
  return lines.join('\n');
}
