import { describe, expect, it } from 'vitest';
import { columnsOf, localeOf, showsUnicode } from '../../../src/cli/terminal/screen.ts';
import { CollectedOutput } from '../fake-io.ts';

describe('a screen', () => {
  it('has the columns of the terminal, or 80', () => {
    expect(columnsOf(new CollectedOutput(true, { columns: 132, rows: 24 }))).toBe(132);
    expect(columnsOf(new CollectedOutput(true))).toBe(80);
  });

  it.each([
    [{}, 'UTF-8', true],
    [{ LANG: 'de_DE.UTF-8' }, 'de_DE.UTF-8', true],
    [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, 'C', false],
    [{ LANG: 'C', LC_CTYPE: 'en_US.utf8' }, 'en_US.utf8', true],
    [{ LC_CTYPE: 'C.UTF-8', LC_ALL: 'POSIX' }, 'POSIX', false],
    [{ LC_ALL: '', LANG: 'ru_RU.KOI8-R' }, 'ru_RU.KOI8-R', false],
  ])('has the characters of the locale: %j', (environment, locale, unicode) => {
    expect(localeOf({ environment })).toBe(locale);
    expect(showsUnicode({ environment })).toBe(unicode);
  });
});
