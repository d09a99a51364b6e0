import { expect, it } from 'vitest';
import { bytesInWords } from '../../../src/cli/terminal/format.ts';

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1.0 kB'],
  [65_537, '65.5 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [16 * 2 ** 20, '16.8 MB'],
])('%d bytes are %s', (bytes, words) => expect(bytesInWords(bytes)).toBe(words));
