import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sanitizeFileName } from '../../../../src/cli/commands/recv/save-file.ts';
import { escapeInvisible } from '../../../../src/cli/terminal/format.ts';
import { isFileName } from '../../../../src/envelope/index.ts';

describe('sanitizeFileName', () => {
  it.each([
    ['photo.jpg', 'photo.jpg'],
    ['a list.txt', 'a list.txt'],
    ['.profile', '_profile'],
    ['...', '_..'],
    ['-rf', '_rf'],
    ['--', '_-'],
    ['gpj.\u202eexe', 'gpj._exe'],
    ['\u200f.profile', '_.profile'],
    ['ärger 👩.txt', 'ärger 👩.txt'],
  ])('%j becomes %j', (name, own) => expect(sanitizeFileName(name)).toBe(own));

  const names = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('.', '-', '/', '\\', '\0', '\n', 'a', '\u202e', '\u2028', '👩', '\ud83d') }),
    )
    .filter(isFileName);

  it('gives every name that can travel one that can, is not hidden, is no option, and shows what it is', () => {
    fc.assert(
      fc.property(names, (name) => {
        const own = sanitizeFileName(name);
        expect(isFileName(own)).toBe(true);
        expect(own).toMatch(/^[^.-]/u);
        expect(escapeInvisible(own)).toBe(own);
        expect(sanitizeFileName(own)).toBe(own);
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });
});
