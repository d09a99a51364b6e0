import { describe, expect, it } from 'vitest';
import { visible } from '../../../src/cli/terminal/format.ts';

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String.fromCharCode(first + i));
}

/** The contract's: C0 but newline and tab, DEL, C1, and what overrides the direction of text. */
const ACTING = [
  ...range(0x00, 0x1f).filter((character) => character !== '\n' && character !== '\t'),
  '\x7f',
  ...range(0x80, 0x9f),
  '\u061c',
  '\u200e',
  '\u200f',
  ...range(0x202a, 0x202e),
  ...range(0x2066, 0x2069),
];

describe('visible', () => {
  it.each(ACTING)('spells out %j', (character) => {
    const code = character.charCodeAt(0).toString(16);
    expect(visible(`a${character}${character}b`)).toBe(`a\\u{${code}}\\u{${code}}b`);
  });

  it('disarms what terminals obey', () => {
    expect(visible('\x1b]0;title\x07')).toBe('\\u{1b}]0;title\\u{7}');
    expect(visible('\x1b[2J\x1b[H')).toBe('\\u{1b}[2J\\u{1b}[H');
    expect(visible('\x9b31mred')).toBe('\\u{9b}31mred');
    expect(visible('paid\rnot paid')).toBe('paid\\u{d}not paid');
    expect(visible('photo\u202egpj.exe')).toBe('photo\\u{202e}gpj.exe');
  });

  it.each([
    '',
    'two\nlines\tand a tab',
    'Žluťoučký kůň',
    '你好',
    'مرحبا',
    'שלום',
    '👩‍👩‍👧 🏳️‍🌈',
    '\u00a0\u00ad',
    '\\u{1b}',
  ])('leaves %j as it is', (text) => {
    expect(visible(text)).toBe(text);
  });

  it('changes nothing that is visible already', () => {
    const once = visible(ACTING.join('-'));
    expect(visible(once)).toBe(once);
  });
});
