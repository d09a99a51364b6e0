import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, encodeContent, encodeEnvelope, MAX_CONTENT } from '../../src/envelope/index.ts';
import {
  anyEncoded,
  anyEnvelope,
  expectStrictAndTotal,
  filled,
  invite,
  known,
  message,
  nearly,
  opening,
  same,
  sealed,
} from './samples.ts';

const refused = expect.objectContaining({ code: 'corrupt', detail: { what: 'envelope' } });

/** A head and a rest laid out by hand. */
function laidOut(version: number, kind: number, rest: Uint8Array, length = rest.length): Uint8Array {
  const head = Buffer.from('pawl------');
  head.writeUInt8(version, 4);
  head.writeUInt8(kind, 5);
  head.writeUInt32BE(length, 6);
  return Uint8Array.from([...head, ...rest]);
}

describe('envelope', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
      }),
    );
  });

  it('is laid out as the specification says', () => {
    expect(encodeEnvelope(invite())).toEqual(laidOut(1, 16, filled(1321)));
    const { headerNonce, sealedHeader, body } = sealed(1256);
    const rest = Uint8Array.from([...headerNonce, 1256 >> 8, 1256 & 255, ...sealedHeader, ...body]);
    expect(encodeEnvelope(message(1256))).toEqual(laidOut(1, 2, rest));
    const prefix = filled(1208, 8);
    expect(encodeEnvelope(opening(1256))).toEqual(laidOut(1, 1, Uint8Array.from([...prefix, ...rest])));
  });

  it('has room for the largest content', () => {
    const padded = encodeContent({ type: 'text', sentAt: 0, bytes: new Uint8Array(MAX_CONTENT) }).length;
    const largest = encodeEnvelope({
      kind: 'opening',
      prefix: new Uint8Array(1208),
      message: {
        headerNonce: new Uint8Array(24),
        sealedHeader: new Uint8Array(1256),
        body: new Uint8Array(padded + 28),
      },
    });
    expect(same(encodeEnvelope(decodeEnvelope(largest)), largest)).toBe(true);
  });

  it('names the version that it does not know', () => {
    for (const version of [0, 2, 255]) {
      const error = known(() => decodeEnvelope(laidOut(version, 1, filled(1))));
      expect(error).toMatchObject({ code: 'unknown-version', detail: { version } });
    }
  });

  it('refuses other beginnings and kinds', () => {
    expect(() => decodeEnvelope(new Uint8Array(0))).toThrow(refused);
    expect(() => decodeEnvelope(encodeEnvelope(message()).with(0, 0x50))).toThrow(refused);
    for (const kind of [0, 3, 15, 17, 255])
      expect(() => decodeEnvelope(laidOut(1, kind, filled(1321)))).toThrow(refused);
  });

  it('refuses a length over 17 MiB before anything else of it', () => {
    for (const length of [17 * 2 ** 20 + 1, 2 ** 31, 2 ** 32 - 1]) {
      for (const kind of [1, 2, 16]) {
        const error = known(() => decodeEnvelope(laidOut(1, kind, new Uint8Array(0), length)));
        expect(error).toMatchObject({
          code: 'too-large',
          detail: { what: 'envelope', bytes: length, limit: 17 * 2 ** 20 },
        });
      }
    }
    expect(() => decodeEnvelope(laidOut(1, 2, new Uint8Array(0), 17 * 2 ** 20))).toThrow(refused);
  });

  it('refuses invites of another length', () => {
    for (const length of [0, 1320, 1322]) expect(() => decodeEnvelope(laidOut(1, 16, filled(length)))).toThrow(refused);
  });

  it('refuses other lengths of header and body', () => {
    const { headerNonce, sealedHeader, body } = sealed();
    const withFields = (header: Uint8Array, otherBody: Uint8Array) =>
      encodeEnvelope({ kind: 'message', message: { headerNonce, sealedHeader: header, body: otherBody } });
    for (const length of [0, 71, 73, 1159, 1255, 1257]) {
      expect(() => decodeEnvelope(withFields(filled(length), body))).toThrow(refused);
    }
    for (const padded of [-28, 0, 255, 257, 1025, 1087]) {
      expect(() => decodeEnvelope(withFields(sealedHeader, filled(padded + 28)))).toThrow(refused);
    }
    // A header that is said to be longer takes from the body, which is then no longer a padded one.
    const shifted = encodeEnvelope(message(72, 1152))
      .with(34, 1160 >> 8)
      .with(35, 1160 & 255);
    expect(() => decodeEnvelope(shifted)).toThrow(refused);
  });

  it('refuses bytes behind the end', () => {
    fc.assert(
      fc.property(anyEncoded, fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes, more) => {
        expect(() => decodeEnvelope(Uint8Array.from([...bytes, ...more]))).toThrow(refused);
      }),
    );
  });

  it('is strict and total: random bytes', () => {
    const behindHead = fc
      .tuple(fc.nat(3), fc.nat(20), fc.uint8Array({ maxLength: 1400 }))
      .map(([version, kind, rest]) => laidOut(version, kind, rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 50 }), behindHead), (bytes) => {
        expectStrictAndTotal(decodeEnvelope, encodeEnvelope, bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('is strict and total: nearly valid bytes', () => {
    fc.assert(
      fc.property(nearly(anyEncoded), (bytes) => {
        expectStrictAndTotal(decodeEnvelope, encodeEnvelope, bytes);
      }),
      { numRuns: 500 },
    );
  });

  it.each([message(), opening(), invite()])(
    'is strict and total: cut anywhere, any byte changed ($kind)',
    (envelope) => {
      const bytes = encodeEnvelope(envelope);
      for (let offset = 0; offset < bytes.length; offset++) {
        expect(known(() => decodeEnvelope(bytes.subarray(0, offset)))).toMatchObject({ code: 'corrupt' });
        for (const change of [1, 0x80, 0xff]) {
          expectStrictAndTotal(decodeEnvelope, encodeEnvelope, bytes.with(offset, (bytes[offset] ?? 0) ^ change));
        }
      }
    },
  );
});
