import { describe, expect, it } from 'vitest';
import { similarTo } from '../../../src/cli/terminal/similar.ts';

describe('what is similar', () => {
  it.each([
    ['Alice', ['alice', 'alina', 'bob'], ['alice']],
    ['alcie', ['alice', 'alina', 'bob'], ['alice']],
    ['alic', ['alice'], ['alice']],
    ['alicee', ['alice'], ['alice']],
    ['alise', ['alice', 'alisa'], ['alice', 'alisa']],
    ['bbo', ['bob'], ['bob']],
    ['rob', ['bob', 'robert'], ['bob']],
    ['zoe', ['alice', 'bob'], []],
    ['ab', ['cd'], []],
    ['B', ['b'], ['b']],
    ['x', ['b'], []],
    ['', ['bob'], []],
    ['a'.repeat(10_000), ['bob'], []],
    ['constructor', [], []],
  ])('to %s', (word, names, similar) => expect(similarTo(word, names)).toEqual(similar));
});
