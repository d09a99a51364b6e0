import { describe, expect, it } from 'vitest';
import { createIdentity, fingerprint, numericFingerprint, safetyNumber } from '../../src/handshake/index.ts';
import { identityKeyOf, readIdentityKey, utf8 } from '../../src/primitives/index.ts';
import { hex } from '../primitives/hex.ts';
import { repeatable } from '../ratchet/party.ts';
import { alice, bob, mallory } from './people.ts';

describe('an identity', () => {
  it('is a seed of 32 random bytes and its Ed25519 key, which everybody admits', () => {
    const { seed, key } = createIdentity(repeatable('new'));
    expect(seed).toEqual(repeatable('new')(32));
    expect(key).toEqual(identityKeyOf(seed));
    expect(readIdentityKey(key, 'key')).toEqual(key);
  });

  it('has a fingerprint of 32 hex digits of its own', () => {
    const prints = [alice, bob, mallory].map(({ key }) => fingerprint(key));
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(prints).size).toBe(3);
    expect(fingerprint(alice.key)).toBe(prints[0]);
  });
});

describe('the safety number', () => {
  it('is Signal’s: its published vector', () => {
    const ours = hex('0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868');
    const theirs = hex('05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b');
    const number = '300354477692869396892869876765458257569162576843440918079131';
    expect(numericFingerprint(ours, utf8('+14152222222'), theirs, utf8('+14153333333'))).toBe(number);
    expect(numericFingerprint(theirs, utf8('+14153333333'), ours, utf8('+14152222222'))).toBe(number);
    expect(numericFingerprint(ours, utf8('+14153333333'), theirs, utf8('+14152222222'))).not.toBe(number);
  });

  it('is 60 digits in 12 groups of 5, the keys serving as identifiers', () => {
    const number = safetyNumber(alice.key, bob.key);
    expect(number).toMatch(/^\d{5}( \d{5}){11}$/);
    expect(number.replaceAll(' ', '')).toBe(numericFingerprint(alice.key, alice.key, bob.key, bob.key));
  });

  it('is the same on both sides', () => {
    expect(safetyNumber(alice.key, bob.key)).toBe(safetyNumber(bob.key, alice.key));
  });

  it('is another one with somebody in between, for each of the two', () => {
    const numbers = [
      safetyNumber(alice.key, bob.key),
      safetyNumber(alice.key, mallory.key),
      safetyNumber(mallory.key, bob.key),
    ];
    expect(new Set(numbers).size).toBe(3);
  });
});
