import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeKey,
  decodeRequest,
  decodeSetup,
  ENDED,
  encodeKey,
  encodeRequest,
  encodeSetup,
  KEY_ANSWER_LENGTH,
  LONGEST_SETUP,
  REQUEST_LENGTH,
} from '../../../src/cli/agent/protocol.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('what is said to an agent', () => {
  it('has one length, and is understood', () => {
    fc.assert(
      fc.property(fc.constantFrom('give' as const, 'peek' as const, 'end' as const), bytes(16), (wants, salt) => {
        const request = encodeRequest({ wants, salt });
        expect(request).toHaveLength(REQUEST_LENGTH);
        expect(decodeRequest(request)).toEqual({ wants, salt });
      }),
    );
  });

  it('is nothing where a byte of its beginning is another, or there are more or fewer', () => {
    const request = encodeRequest({ wants: 'give', salt: new Uint8Array(16) });
    for (let at = 0; at < REQUEST_LENGTH - 16; at++) {
      const other = request.slice();
      other[at] = (other[at] ?? 0) ^ 0x40;
      expect(decodeRequest(other), `byte ${at}`).toBeUndefined();
    }
    for (let length = 0; length < REQUEST_LENGTH; length++)
      expect(decodeRequest(request.subarray(0, length))).toBeUndefined();
    expect(decodeRequest(Uint8Array.of(...request, 0))).toBeUndefined();
  });
});

describe('an answer', () => {
  it('is a key in memory of its own', () => {
    fc.assert(
      fc.property(bytes(32), (key) => {
        const answer = encodeKey(key);
        expect(answer).toHaveLength(KEY_ANSWER_LENGTH);
        const decoded = decodeKey(answer);
        answer.fill(0);
        expect(decoded).toEqual(key);
      }),
    );
  });

  it('is none where it is anything else', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (junk) => decodeKey(junk) === undefined));
    expect(decodeKey(ENDED)).toBeUndefined();
    expect(decodeKey(Uint8Array.of(...encodeKey(new Uint8Array(32)), 0))).toBeUndefined();
  });
});

describe('what an agent is started with', () => {
  const setup = {
    key: new Uint8Array(32).fill(1),
    salt: new Uint8Array(16).fill(2),
    idle: 60_000,
    most: 8 * 3_600_000,
    folder: '/run/user/1000/pawl',
  };

  it('is what it was given', () => {
    const given = encodeSetup(setup);
    expect(given.length).toBeLessThan(LONGEST_SETUP);
    expect(decodeSetup(given)).toEqual(setup);
  });

  it('is nothing where its sender was killed in the midst', () => {
    const given = encodeSetup(setup);
    for (let length = 0; length < given.length; length++)
      expect(decodeSetup(given.subarray(0, length))).toBeUndefined();
  });
});
