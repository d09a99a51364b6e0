import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formForLock,
  formsToTry,
  isShort,
  LONGEST_SECRET,
  lineOf,
  oddityOf,
  randomWords,
} from '../../../src/cli/identity/passphrase.ts';
import { isPawlError } from '../../../src/errors.ts';
import { systemRandom } from '../../../src/primitives/index.ts';

const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Uint8Array.from(Buffer.from(text, encoding));
const texts = (forms: readonly Uint8Array[]) => forms.map((form) => Buffer.from(form).toString());

/** The code of the error, with the flaw if it has one. */
function refusal(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    if (isPawlError(error, 'bad-passphrase')) return error.detail.flaw;
    return (error as { code: string }).code;
  }
}

describe('a passphrase', () => {
  it.each([
    ['words', 'words'],
    ['words\n', 'words'],
    ['words\r\n', 'words'],
    [' words ', ' words '],
    ['words\r', 'words\r'],
  ])('is a line without its newline: %j', (given, line) => {
    expect(texts([lineOf(bytes(given), 'a test')])).toEqual([line]);
  });

  it.each([
    ['', 'empty-passphrase'],
    ['\r\n', 'empty-passphrase'],
    ['words\n\n', 'several-lines'],
    ['words\nnote', 'several-lines'],
    ['\ufeffwords\nnote', 'bom'],
    ['a'.repeat(LONGEST_SECRET + 1), 'long'],
  ])('is none of %j', (given, code) => {
    expect(refusal(() => lineOf(bytes(given), 'a test'))).toBe(code);
  });

  it('may be as long as is read', () => {
    expect(lineOf(new Uint8Array(LONGEST_SECRET).fill(65), 'a test')).toHaveLength(LONGEST_SECRET);
  });
});

describe('a lock', () => {
  it.each([
    ['a byte order mark', bytes('\ufeffwords'), 'bom'],
    ['UTF-16', bytes('\ufeffwords', 'utf16le'), 'utf-16'],
    ['UTF-16, big endian', Uint8Array.of(0xfe, 0xff, 0, 65), 'utf-16'],
    ['UTF-16 without a mark', bytes('words', 'utf16le'), 'nul'],
    ['a NUL', bytes('wor\0ds'), 'nul'],
  ])('is not made of %s', (_, given, flaw) => {
    expect(refusal(() => formForLock(given, 'a test'))).toBe(flaw);
  });

  it('is made of the normal form of a text, and of other bytes as they are', () => {
    expect(texts([formForLock(bytes('cafe\u0301'), 'a test')])).toEqual(['caf\u00e9']);
    expect(formForLock(bytes('caf\xe9', 'latin1'), 'a test')).toEqual(bytes('caf\xe9', 'latin1'));
  });

  it('opens with every form of its text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\0\ufeff]/.test(text)),
        fc.constantFrom('NFC', 'NFD'),
        fc.constantFrom('NFC', 'NFD'),
        (text, made, given) => {
          const lock = formForLock(bytes(text.normalize(made)), 'a test');
          expect(texts(formsToTry(bytes(text.normalize(given))))).toContain(Buffer.from(lock).toString());
        },
      ),
    );
  });
});

describe('the forms to try', () => {
  it('are one where there is nothing else to try', () => {
    for (const given of ['correct horse', 'žluťoučký kůň', 'one two three']) {
      expect(texts(formsToTry(bytes(given)))).toEqual([given]);
    }
    expect(formsToTry(bytes('caf\xe9', 'latin1'))).toEqual([bytes('caf\xe9', 'latin1')]);
  });

  it('begin with what was given, which an older lock may have been made of', () => {
    expect(texts(formsToTry(bytes('cafe\u0301')))).toEqual(['cafe\u0301', 'caf\u00e9']);
    expect(texts(formsToTry(bytes('\ufeffwords')))).toEqual(['\ufeffwords']);
  });

  it('end with the ten words that it may be', () => {
    const words = Buffer.from(randomWords(systemRandom)).toString();
    expect(words).toMatch(/^[a-z]+(-[a-z]+){9}$/);
    expect(texts(formsToTry(bytes(words)))).toEqual([words]);
    for (const given of [
      `${words} `,
      words.toUpperCase(),
      words.replaceAll('-', ' '),
      ` ${words.replaceAll('-', ' - ')}`,
      words.replaceAll('-', '\u2013'),
      words.replaceAll('-', '\u00a0'),
    ]) {
      expect(texts(formsToTry(bytes(given)))).toEqual([given, words]);
    }
  });

  it('have no ten words where one is missing, too many, or none of the list', () => {
    const words = Buffer.from(randomWords(systemRandom)).toString().toUpperCase().split('-');
    for (const given of [words.slice(1), [...words, 'ZOO'], [...words.slice(1), 'PAWL']]) {
      expect(formsToTry(bytes(given.join(' ')))).toHaveLength(1);
    }
  });
});

describe('one that does not fit', () => {
  it.each([
    ['words', undefined],
    ['two words', undefined],
    [' words', 'blank'],
    ['words\t', 'blank'],
    ['words\u00a0', 'blank'],
    ['\ufeffwords ', 'bom'],
  ])('has what may be the mistake: %j', (given, oddity) => {
    expect(oddityOf(bytes(given))).toBe(oddity);
  });

  it('may be no UTF-8', () => {
    expect(oddityOf(bytes('caf\xe9', 'latin1'))).toBe('not-utf8');
  });
});

describe('a short one', () => {
  it('has fewer than twelve characters', () => {
    expect(['hunter2', 'xyzzy plugh', 'ě'.repeat(11)].map((text) => isShort(bytes(text)))).toEqual([true, true, true]);
    expect(['twelve chars', '𝄞'.repeat(12)].map((text) => isShort(bytes(text)))).toEqual([false, false]);
    expect([11, 12].map((length) => isShort(new Uint8Array(length).fill(0xe9)))).toEqual([true, false]);
    expect(isShort(randomWords(systemRandom))).toBe(false);
  });
});
