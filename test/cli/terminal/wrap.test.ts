import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOfCharacter, cut, wrap } from '../../../src/cli/terminal/wrap.ts';

/** What a terminal makes of a text: the columns that each row begins with blanks in, and how many it fills. */
function rowsOf(text: string, columns: number): { indent: number; width: number; isBroken: boolean }[] {
  return text.split('\n').flatMap((line) => {
    const rows = [{ indent: /^ */.exec(line)?.[0].length ?? 0, width: 0, isBroken: false }];
    for (const character of line) {
      const last = rows.at(-1) as { width: number };
      const added =
        character === '\t' ? Math.min(8 - (last.width % 8), columns - last.width) : columnsOfCharacter(character);
      if (last.width + added > columns) rows.push({ indent: 0, width: added, isBroken: true });
      else last.width += added;
    }
    return rows;
  });
}

const HEADING = 'alice2, 2026-11-26 22:31:';
const anyCharacter = fc.oneof(
  fc.constantFrom(' ', '\t', 'a', 'é', '\u0301', '你', '👩', '\u200d', '\ufe0f', '가', 'ﷺ', '\ud800', HEADING),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
);
const anyLine = fc.array(anyCharacter, { maxLength: 120 }).map((parts) => parts.join('').replaceAll(/[\n\r]/g, ''));

describe('wrap', () => {
  it('leaves nothing for the terminal to break, sets every piece off, and keeps the text but the blanks at breaks', () => {
    fc.assert(
      fc.property(anyLine, fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 6 }), (text, columns, indent) => {
        const wrapped = wrap(`  ${text}`, columns, indent);
        const limit = Math.max(columns, indent + 2);
        const rows = rowsOf(wrapped, limit);
        expect(rows.filter(({ isBroken }) => isBroken)).toEqual([]);
        for (const row of rows.slice(1)) expect(row.indent).toBeGreaterThanOrEqual(indent);
        const solid = (words: string) => words.replaceAll(/[ \t\n]/g, '');
        expect(solid(wrapped)).toBe(solid(text));
      }),
    );
  });

  it.each([
    ['short', 80, 'short'],
    ['', 80, ''],
    ['a'.repeat(10), 10, 'a'.repeat(10)],
    ['a'.repeat(11), 10, `${'a'.repeat(10)}\n  a`],
    ['one two three', 10, 'one two\n  three'],
    ['one two', 3, 'one\n  tw\n  o'],
    [`a ${'b'.repeat(9)}`, 10, `a\n  ${'b'.repeat(8)}\n  b`],
    ['exactly at ten', 10, 'exactly at\n  ten'],
    ['  kept  inside', 12, '  kept \n  inside'],
    ['你好你好你好', 10, '你好你好你\n  好'],
    ['a你好你好你好', 10, 'a你好你好\n  你好'],
    ['e\u0301'.repeat(10), 10, 'e\u0301'.repeat(10)],
    ['👩‍👩‍👧x', 6, '👩‍👩‍👧\n  x'],
    // A heart that the selector makes an emoji, and a key.
    ['\u2764\ufe0f\u2764\ufe0fx', 4, '\u2764\ufe0f\u2764\ufe0f\n  x'],
    ['1\ufe0f\u20e31\ufe0f\u20e3x', 4, '1\ufe0f\u20e31\ufe0f\u20e3\n  x'],
    ['two\nlines here', 8, 'two\nlines\n  here'],
    ['a\tb', 8, 'a\n  b'],
    ['a\tb', 9, 'a\tb'],
  ])('%j in %d columns', (text, columns, pieces) => expect(wrap(text, columns, 2)).toBe(pieces));
});

describe('cut', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['你好', 3, '你'],
    ['ae\u0301b', 2, 'ae\u0301'],
    ['', 3, ''],
  ])('%j to %d columns', (text, columns, rest) => expect(cut(text, columns)).toBe(rest));
});

describe('the columns of a character', () => {
  /** Python has tables of its own: `W` and `F` are wide, and it knows what is assigned. */
  const program = `import unicodedata
for code in range(0x110000):
    character = chr(code)
    category = unicodedata.category(character)
    if category in ('Cn', 'Cs', 'Cc', 'Co'): continue
    wide = unicodedata.east_asian_width(character) in 'WF'
    print(code, 0 if category in ('Mn', 'Me') else 2 if wide else 1)`;
  const printed = execFileSync('python3', ['-c', program], { maxBuffer: 2 ** 24 });
  const known = printed
    .toString()
    .trimEnd()
    .split('\n')
    .map((row) => row.split(' ').map(Number) as [number, number]);
  const differing = known
    .map(([code, columns]) => ({ code, columns, ours: columnsOfCharacter(String.fromCodePoint(code)) }))
    .filter(({ columns, ours }) => columns !== ours);

  it('are never fewer than in the Unicode tables of another program', () => {
    const hex = (code: number) => code.toString(16);
    // Of what is invisible, only what joins characters and breaks lines.
    const fewer = differing.filter(({ columns, ours }) => ours < columns).map(({ code }) => hex(code));
    expect(fewer.filter((code) => !/^(200[b-d]|206[0-4]|e00[2-7].)$/.test(code))).toEqual([]);
  });

  it('are seldom more', () => {
    const more = differing.filter(({ columns, ours }) => ours > columns);
    expect(more.length).toBeLessThan(0.01 * known.length);
    for (const letter of 'aé§ЖΩאمกñ…—“│→') expect(columnsOfCharacter(letter)).toBe(1);
  });
});
