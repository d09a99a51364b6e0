import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dearmorLines, type Label } from '../../src/envelope/armor.ts';
import { armor, armoredLength, dearmor, encodeEnvelope, longestMessage } from '../../src/envelope/index.ts';
import { NONCE_LENGTH, TAG_LENGTH } from '../../src/primitives/index.ts';
import { anyEncoded, expectStrictAndTotal, invite, known, message, opening, withSpareBits } from './samples.ts';

const refused = expect.objectContaining({ code: 'corrupt' });
const block = armor(encodeEnvelope(message()));

describe('armor', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(anyEncoded, (bytes) => {
        expect(dearmor(armor(bytes))).toEqual(bytes);
      }),
    );
  });

  it('has the length that is told before', () => {
    fc.assert(
      fc.property(anyEncoded, (bytes) => {
        const { length } = armor(bytes);
        const invites = bytes[5] === 16 ? 2 : 0;
        expect(armoredLength(bytes.length)).toBe(length + invites);
      }),
    );
    const sent = opening();
    if (sent.kind !== 'opening') throw new Error('no opening');
    // The longest that there is: one that offers a KEM key.
    const longest = { ...sent.message, sealedHeader: new Uint8Array(56 + TAG_LENGTH + 1184) };
    longest.body = new Uint8Array(256 + NONCE_LENGTH + TAG_LENGTH);
    expect(encodeEnvelope({ ...sent, message: longest })).toHaveLength(longestMessage(256));
  });

  it('is standard base64 in 64 columns between lines that name the kind', () => {
    const bytes = encodeEnvelope(invite());
    const lines = armor(bytes).split('\n');
    expect(lines.at(0)).toBe('-----BEGIN PAWL INVITE-----');
    expect(lines.at(-2)).toBe('-----END PAWL INVITE-----');
    expect(lines.at(-1)).toBe('');
    const base64 = lines.slice(1, -2);
    expect(base64.slice(0, -1).every((line) => line.length === 64)).toBe(true);
    expect(base64.join('')).toBe(Buffer.from(bytes).toString('base64'));
    for (const envelope of [message(), opening()]) {
      expect(armor(encodeEnvelope(envelope))).toMatch(
        /^-----BEGIN PAWL MESSAGE-----\n[\s\S]*\n-----END PAWL MESSAGE-----\n$/,
      );
    }
  });

  it('is refused for what is no envelope, with the version where that is the reason', () => {
    expect(() => armor(new Uint8Array(0))).toThrow(refused);
    expect(() => armor(new Uint8Array(100))).toThrow(refused);
    const newer = encodeEnvelope(message()).with(4, 2);
    expect(known(() => armor(newer))).toMatchObject({ code: 'unknown-version', detail: { version: 2 } });
    const inArmor = block.replace(/^cGF3bAE/m, 'cGF3bAI');
    expect(known(() => dearmor(inArmor))).toMatchObject({ code: 'unknown-version', detail: { version: 2 } });
  });

  /** 1,331 bytes: the base64 ends in `x=`. */
  const spare = armor(encodeEnvelope(invite()));
  const broken: [string, string][] = [
    ['nothing', ''],
    ['no newline at the end', block.slice(0, -1)],
    ['a blank line at the end', `${block}\n`],
    ['text in front', `a\n${block}`],
    ['CRLF', block.replaceAll('\n', '\r\n')],
    ['a trailing blank', block.replace('\n', ' \n')],
    ['quoting', block.replace(/^/gm, '> ')],
    ['a foreign character', block.replace('cGF3', 'cGF*')],
    ['the alphabet of URLs', block.replace(/[+/]/, (character) => (character === '+' ? '-' : '_'))],
    ['a line of 65', block.replace(/^(.{64})\n(.)/m, '$1$2\n')],
    ['its first line lost', block.replace(/\n.{64}\n/, '\n')],
    ['a short line within', block.replace(/(.{32})(.{32})\n/, '$1\n$2\n')],
    ['another END', block.replace('END PAWL MESSAGE', 'END PAWL INVITE')],
    ['the other label', block.replaceAll('MESSAGE', 'INVITE')],
    ['no END', block.slice(0, block.indexOf('-----END'))],
    ['two blocks', block + block],
    ['spare bits', withSpareBits(spare)],
    ['no padding', spare.replace('=\n', '\n')],
    ['padding too many', block.replace('\n-----END', '=\n-----END')],
  ];
  it.each(broken)('has one form only: %s', (_what, text) => {
    expect(text).not.toBe(block);
    expect(() => dearmor(text)).toThrow(refused);
  });

  it('is as strict without the lines', () => {
    const joined = (text: string) => text.split('\n').slice(1, -2).join('');
    const longer = armor(encodeEnvelope(invite()));
    expect(dearmorLines('MESSAGE', joined(block))).toEqual(dearmor(block));
    expect(dearmorLines('INVITE', joined(longer))).toEqual(dearmor(longer));
    const bad: [Label, string][] = [
      ['INVITE', joined(block)],
      ['MESSAGE', joined(longer)],
      ['MESSAGE', ''],
      ['MESSAGE', `${joined(block)}\n`],
      ['MESSAGE', joined(block).replace(/^(.{40})./, '$1*')],
      ['INVITE', joined(withSpareBits(longer))],
      ['INVITE', joined(longer).slice(0, -1)],
    ];
    for (const [label, base64] of bad) expect(() => dearmorLines(label, base64)).toThrow(refused);
  });

  it('is strict and total for anything', () => {
    const edited = fc
      .tuple(anyEncoded.map(armor), fc.nat(), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([text, at, length, put]) => {
        const offset = at % text.length;
        return text.slice(0, offset) + put + text.slice(offset + length);
      });
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), edited);
    fc.assert(
      fc.property(anything, (text) => {
        expectStrictAndTotal(dearmor, armor, text);
      }),
      { numRuns: 500 },
    );
  });

  it('is strict and total: any character changed', () => {
    for (let offset = 0; offset < block.length; offset++) {
      for (const other of ['A', '=', '\n', '-', 'é']) {
        expectStrictAndTotal(dearmor, armor, block.slice(0, offset) + other + block.slice(offset + 1));
      }
    }
  });
});
