import { describe, expect, it } from 'vitest';
import { Base64Decoder, type Decoder, Utf16Decoder } from '../../src/envelope/parts.ts';

/** What is decoded of pieces, and how many characters of the last one were used. */
function decode(decoder: Decoder, ...pieces: readonly string[]) {
  let text = '';
  let [left, isOver] = ['', false];
  for (const [index, piece] of pieces.entries()) {
    const taken = decoder.take(left + piece, index === pieces.length - 1);
    text += Buffer.from(taken.decoded).toString();
    left = (left + piece).slice(taken.used);
    isOver = taken.isOver;
  }
  return { text, left, isOver };
}

function units(text: string): string {
  return Buffer.from(text, 'utf16le').toString('latin1');
}

describe('base64', () => {
  it('is decoded however it is divided, with blanks and padding inside', () => {
    expect(decode(new Base64Decoder(), 'aGV', 'sbG', '8g\r\nd2', '9ybGQ')).toEqual({
      text: 'hello world',
      left: '',
      isOver: false,
    });
    expect(decode(new Base64Decoder(), 'aGVsbG8=', 'IQ=', '=')).toEqual({ text: 'hello!', left: '', isOver: false });
  });

  it('ends at another character, with what it has', () => {
    expect(decode(new Base64Decoder(), 'aGVsbG8\n--b')).toEqual({ text: 'hello', left: '--b', isOver: true });
  });
});

describe('UTF-16', () => {
  it('is decoded however it is divided, in both orders', () => {
    const text = 'Ä b \u{1f600} 中文 -----';
    for (const isBigEndian of [false, true]) {
      const bytes = Buffer.from(units(text), 'latin1');
      const all = (isBigEndian ? bytes.swap16() : bytes).toString('latin1');
      const letters = Array.from(all);
      expect(decode(new Utf16Decoder(isBigEndian), ...letters)).toEqual({ text, left: '', isOver: false });
    }
  });

  it('ends in front of ASCII, or of the other byte order, and not at three letters that look like it', () => {
    expect(decode(new Utf16Decoder(false), units('abc'), '--------', 'x')).toMatchObject({ text: 'abc', isOver: true });
    expect(decode(new Utf16Decoder(false), `${units('abc')}--------`)).toEqual({
      text: 'abc',
      left: '--------',
      isOver: true,
    });
    const other = '\0a\0b\0c\0d';
    expect(decode(new Utf16Decoder(false), units('abc') + other)).toEqual({ text: 'abc', left: other, isOver: true });
    expect(decode(new Utf16Decoder(false), `${units('abc')}------${units('d')}`).isOver).toBe(false);
  });
});
