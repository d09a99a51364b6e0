import {
  armor,
  dearmor,
  decodeContent,
  decodeEnvelope,
  encodeContent,
  encodeEnvelope,
} from '../../../../src/envelope/index.ts';
import { paddedLength } from '../../../../src/envelope/padding.ts';
import type { ErrorCode } from '../../../../src/errors.ts';
import { concat, digest, toBase64, toHex, uint, uint64, utf8 } from '../../../../src/primitives/index.ts';
import { editedBlock, joined, type Named, slice } from '../../bytes.ts';
import { contentOf } from '../../contents.ts';
import type { Bytes, Content, EditedBlock, Part, Refused, Vectors } from '../../format.ts';
import { expectRefusal } from '../../refused.ts';
import type { Names } from '../names.ts';
import { replaced } from '../on-the-way.ts';

type Row = readonly [why: string, code: ErrorCode, bytes: Bytes];

const MAX_CONTENT = 16 * 2 ** 20;
const MAX_REST = 17 * 2 ** 20;
const SALT = '08'.repeat(16);
const TAG = '09'.repeat(8);
const LEAST_PART = 2 ** 16;
const MOST_PART = 2 ** 24;
/** Of a content in parts. */
const KEY = '07'.repeat(32);

/** docs/PROTOCOL.md §7: padded lengths around every step. */
export function padding(): Vectors['padding'] {
  const lengths = [
    13, 256, 257, 512, 513, 1_024, 1_025, 1_088, 1_089, 1_152, 2_048, 2_049, 2_176, 2_177, 4_095, 4_096, 4_097, 65_535,
    65_536, 65_537, 100_013, 1_048_576, 1_048_577, 16_777_216, 16_777_229,
  ];
  return lengths.map((length) => [length, paddedLength(length)] as const);
}

/** Plaintexts of bodies. */
export function contents(): Vectors['contents'] {
  const read: readonly Content[] = [
    { sentAt: 0, text: '' },
    { sentAt: 8.64e15, text: 'über' },
    { sentAt: 1, bytes: 'ff00fe' },
    { sentAt: 1, bytes: [['61', 243]] },
    { sentAt: 1, bytes: [['61', 244]] },
    { sentAt: 1, bytes: [['61', 1_011]] },
    { sentAt: 1, bytes: [['61', 1_012]] },
    { sentAt: 1, bytes: [['61', 5_000]] },
    { sentAt: 1, file: 'a', bytes: [] },
    { sentAt: 1, file: '.-ü', bytes: '00' },
    { sentAt: 1, file: 'n'.repeat(255), bytes: [['61', 1_000]] },
    { sentAt: 1, bytes: [['61', MAX_CONTENT]] },
    { sentAt: 1, file: 'abc', bytes: [['61', MAX_CONTENT - 4]] },
    { sentAt: 1, descriptor: { name: 'film.mkv', size: 5 * 2 ** 30, partSize: 983_040, key: KEY } },
    { sentAt: 8.64e15, descriptor: { name: null, size: null, partSize: LEAST_PART, key: KEY } },
    { sentAt: 0, descriptor: { name: 'n'.repeat(255), size: 0, partSize: MOST_PART, key: KEY } },
    { sentAt: 1, descriptor: { name: 'ü', size: LEAST_PART * (2 ** 32 - 1), partSize: LEAST_PART, key: KEY } },
    { sentAt: 1, descriptor: { name: null, size: 2 ** 53 - 1, partSize: MOST_PART, key: KEY } },
  ];
  return {
    read: read.map((content) => {
      const padded = encodeContent(contentOf(content));
      const length = 13 + Buffer.from(padded).readUInt32BE(9);
      return { content, length, padded: padded.length, digest: toHex(digest(16, padded)) };
    }),
    refused: told(refusedContents(), decodeContent),
    notSent: notSent(),
  };
}

/** Contents of 16 MiB and a byte. */
function notSent(): Vectors['contents']['notSent'] {
  const rows: readonly (readonly [why: string, content: Content])[] = [
    ['a text of 16 MiB and a byte', { sentAt: 1, bytes: [['61', MAX_CONTENT + 1]] }],
    [
      'a file of 16 MiB and a byte, its name and the length of that included',
      { sentAt: 1, file: 'abc', bytes: [['61', MAX_CONTENT - 3]] },
    ],
  ];
  return rows.map(([why, content]) => {
    expectRefusal(why, 'too-large', () => encodeContent(contentOf(content)));
    return { why, code: 'too-large', content };
  });
}

/** A plaintext of type, time and content length, padded by `zeros`. */
function plaintext(type: number, time: number, length: number, content: readonly Part[], zeros: number): Bytes {
  return [toHex(uint(type, 1)), toHex(uint64(time)), toHex(uint(length, 4)), ...content, ['00', zeros]];
}

function file(name: Uint8Array): Bytes {
  return plaintext(2, 1, 1 + name.length, [toHex(uint(name.length, 1)), toHex(name)], 256 - 14 - name.length);
}

function refusedContents(): readonly Row[] {
  const names: readonly (readonly [why: string, name: Uint8Array])[] = [
    ['no name', utf8('')],
    ['the name is .', utf8('.')],
    ['the name is ..', utf8('..')],
    ['the name has a slash', utf8('a/b')],
    ['the name has a backslash', utf8('a\\b')],
    ['the name has a newline', utf8('a\nb')],
    ['the name has U+0085, a control character', utf8('a\u0085b')],
    ['the name is no UTF-8', Uint8Array.of(0xff)],
    ['the name is a surrogate, which is no UTF-8', Uint8Array.of(0xed, 0xa0, 0x80)],
  ];
  return [
    ['nothing', 'corrupt', ''],
    ['the head is cut short', 'corrupt', [['00', 12]]],
    ['type 0', 'corrupt', plaintext(0, 1, 0, [], 243)],
    ['type 4', 'corrupt', plaintext(4, 1, 0, [], 243)],
    ['a descriptor without content', 'corrupt', plaintext(3, 1, 0, [], 243)],
    ...refusedDescriptors(),
    ['the time is 8.64 × 10^15 + 1', 'corrupt', plaintext(1, 8.64e15 + 1, 0, [], 243)],
    ['a byte of padding is missing', 'corrupt', plaintext(1, 1, 1, ['61'], 241)],
    ['padded to 512 where 256 is due', 'corrupt', plaintext(1, 1, 1, ['61'], 498)],
    ['the last byte of the padding is 1', 'corrupt', [...plaintext(1, 1, 1, ['61'], 241), '01']],
    ['the content is longer than what is there', 'corrupt', plaintext(1, 1, 244, [], 243)],
    ['the content is of 16 MiB and a byte', 'corrupt', plaintext(1, 1, 16 * 2 ** 20 + 1, [], 243)],
    ['the name is longer than the content', 'corrupt', plaintext(2, 1, 2, ['0261'], 241)],
    ['a file without content', 'corrupt', plaintext(2, 1, 0, [], 243)],
    ...names.map(([why, name]) => [why, 'corrupt', file(name)] as const),
    ['16 MiB and a byte, all there, and padded as is due', 'corrupt', oversized(1, ['61', MAX_CONTENT + 1])],
    ['the same of a file', 'corrupt', oversized(2, '03616263', ['61', MAX_CONTENT - 3])],
  ];
}

function refusedDescriptors(): readonly Row[] {
  const unknown = 'ff'.repeat(8);
  const size = (bytes: bigint): string => bytes.toString(16).padStart(16, '0');
  const rows: readonly (readonly [why: string, ...fields: readonly string[]])[] = [
    ['S is 65,535', '00', unknown, '0000ffff', KEY],
    ['S is 16 MiB and a byte', '00', unknown, '01000001', KEY],
    ['S is 0, and so is the size', '00', size(0n), '00000000', KEY],
    ['the size is S × (2^32 − 1) and a byte', '00', size(2n ** 48n - 65_535n), '00010000', KEY],
    ['the size is 2^53', '00', size(2n ** 53n), '01000000', KEY],
    ['the size is FF×7 FE', '00', `${'ff'.repeat(7)}fe`, '01000000', KEY],
    ['K has 31 bytes', '00', unknown, '00010000', KEY.slice(2)],
    ['K has 33 bytes', '00', unknown, '00010000', `${KEY}00`],
    ['the name is ..', '022e2e', unknown, '00010000', KEY],
    ['the name has a slash', '03612f62', unknown, '00010000', KEY],
    ['the name is no UTF-8', '01ff', unknown, '00010000', KEY],
    ['the name is longer than the content', 'ff', unknown, '00010000', KEY],
  ];
  return rows.map(([why, ...fields]) => {
    const descriptor = fields.join('');
    const length = descriptor.length / 2;
    return [`a descriptor: ${why}`, 'corrupt', plaintext(3, 1, length, [descriptor], 243 - length)] as const;
  });
}

/** A plaintext of 16 MiB and a byte. */
function oversized(type: number, ...content: readonly Part[]): Bytes {
  const length = 13 + MAX_CONTENT + 1;
  return plaintext(type, 1, MAX_CONTENT + 1, content, paddedLength(length) - length);
}

/** Envelopes that are none. `opening` and `message` are the smallest of their kinds, `invite` is one. */
export function envelopes(names: Names, opening: Named, message: Named): Vectors['envelopes'] {
  const rest = (of: Named) => slice(of, 10, of.bytes.length);
  const all = ({ name, bytes }: Named): Part => [name, 0, bytes.length];
  const rows: readonly Row[] = [
    ['nothing', 'corrupt', ''],
    ['other letters in front', 'corrupt', replaced(message, 0, utf8('Pawl'))],
    ['version 2', 'unknown-version', replaced(message, 4, Uint8Array.of(2))],
    ['version 0', 'unknown-version', replaced(message, 4, Uint8Array.of(0))],
    ['kind 0', 'corrupt', replaced(message, 5, Uint8Array.of(0))],
    ['kind 4', 'corrupt', replaced(message, 5, Uint8Array.of(4))],
    ['a message as a part', 'corrupt', replaced(message, 5, Uint8Array.of(3))],
    ['a message as an opening', 'corrupt', replaced(message, 5, Uint8Array.of(1))],
    ['an opening as a message', 'corrupt', replaced(opening, 5, Uint8Array.of(2))],
    ['a message as an invite', 'corrupt', replaced(message, 5, Uint8Array.of(16))],
    ['an unknown kind, and too large', 'corrupt', ['7061776c0104ffffffff']],
    ['a part of 17 MiB and a byte', 'too-large', part(MAX_REST + 1 - 81)],
    ['a part of 16 MiB and a byte', 'corrupt', part(MOST_PART + 1)],
    ['a part of 65,535', 'corrupt', part(LEAST_PART - 1)],
    ['the last byte of a part is missing', 'corrupt', part(LEAST_PART, LEAST_PART - 1)],
    ['a byte follows a part', 'corrupt', part(LEAST_PART, LEAST_PART + 1)],
    [
      'the rest is of 17 MiB and a byte',
      'too-large',
      ['7061776c0102', toHex(uint(17 * 2 ** 20 + 1, 4)), ...rest(message)],
    ],
    [
      'the rest is of 17 MiB, which no message is',
      'corrupt',
      ['7061776c0102', toHex(uint(17 * 2 ** 20, 4)), ...rest(message)],
    ],
    ['the length is one less', 'corrupt', ['7061776c01020000017d', ...rest(message)]],
    ['the last byte is missing', 'corrupt', slice(message, 0, message.bytes.length - 1)],
    ['a byte follows', 'corrupt', [all(message), '00']],
    ['another envelope follows', 'corrupt', [all(message), all(message)]],
    ['the sealed header is one longer than it can be', 'corrupt', replaced(message, 34, uint(73, 2))],
    ['the sealed header is longer than the rest', 'corrupt', replaced(message, 34, uint(1256, 2))],
  ];
  return { read: partEnvelopes(), refused: told(rows, decodeEnvelope, names.bytes) };
}

/** The smallest and the largest part, with nothing sealed in them. */
function partEnvelopes(): Vectors['envelopes']['read'] {
  const rows = [
    ['the smallest part', LEAST_PART],
    ['a part as pawl makes them', 983_040],
    ['the largest part', MOST_PART],
  ] as const;
  return rows.map(([why, partSize]) => ({ why, bytes: part(partSize), salt: SALT, tag: TAG, partSize }));
}

/** A part of a content with so large parts, and so much of it. */
function part(partSize: number, there = partSize): Bytes {
  return [`7061776c0103${toHex(uint(81 + partSize, 4))}${SALT}${TAG}`, ['00', 57 + there]];
}

/** Envelopes as blocks; and blocks that are not the one there is: `find` stands once in that of `of`, and gives way to `put`. */
export function armored(message: Named, invite: Named): Vectors['armor'] {
  const block = armor(message.bytes);
  const lines = block.split('\n');
  const [second = '', third = '', last = ''] = [lines[2], lines[3], lines.at(-3)];
  const edits: readonly (readonly [why: string, find: string, put: string])[] = [
    ['no newline at the end', '-----END PAWL MESSAGE-----\n', '-----END PAWL MESSAGE-----'],
    ['a line behind', '-----END PAWL MESSAGE-----\n', '-----END PAWL MESSAGE-----\n\n'],
    ['text in front', '-----BEGIN', 'a\n-----BEGIN'],
    ['CR in front of a newline', `${second}\n`, `${second}\r\n`],
    ['a blank at the end of a line', `${second}\n`, `${second} \n`],
    ['a blank line', `${second}\n`, `${second}\n\n`],
    ['a line of 65', `${second}\n${third.slice(0, 1)}`, `${second}${third.slice(0, 1)}\n`],
    ['two lines in one', `${second}\n`, second],
    ['a line in two', second, `${second.slice(0, 32)}\n${second.slice(32)}`],
    ['a foreign character', second, `*${second.slice(1)}`],
    ['no padding', last, last.slice(0, -1)],
    ['padding too many', last, `${last}=`],
    ['a spare bit is 1', last, withSpareBit(last)],
    ['another label at the end', 'END PAWL MESSAGE', 'END PAWL INVITE'],
    ['small letters', 'BEGIN PAWL', 'Begin Pawl'],
  ];
  const refused = edits.map(([why, find, put]) => {
    if (block.split(find).length !== 2) throw new Error(`${find} does not stand once in the block`);
    expectRefusal(why, 'corrupt', () => dearmor(block.replace(find, () => put)));
    return { why, code: 'corrupt' as const, of: message.name, find, put };
  });
  const introduction = armor(encodeEnvelope({ kind: 'invite', invite: invite.bytes }));
  const read = [
    { of: message.name, block },
    { of: invite.name, block: introduction },
  ];
  return { read, refused, edited: editedBlocks(message, { ...invite, bytes: dearmor(introduction) }) };
}

type Edits = EditedBlock['edits'];

/** Blocks in canonical base64 that are wrong otherwise. `message` and `invite` are envelopes. */
function editedBlocks(message: Named, invite: Named): readonly EditedBlock[] {
  const label = (from: string, to: string): Edits =>
    ['BEGIN', 'END'].map((line) => [`${line} PAWL ${from}`, `${line} PAWL ${to}`] as const);
  const tooLarge = uint(17 * 2 ** 20 + 1, 4);
  const refusedBlocks: readonly (readonly [why: string, code: ErrorCode, of: Named, edits: Edits])[] = [
    ['the magic is Pawl', 'corrupt', message, firstLine(message, 0, utf8('Pawl'))],
    ['the magic is pawm', 'corrupt', message, firstLine(message, 0, utf8('pawm'))],
    ['version 0', 'unknown-version', message, firstLine(message, 4, Uint8Array.of(0))],
    ['version 2', 'unknown-version', message, firstLine(message, 4, Uint8Array.of(2))],
    ['version 2 and kind 4', 'unknown-version', message, firstLine(message, 4, Uint8Array.of(2, 4))],
    ['kind 0', 'corrupt', message, firstLine(message, 5, Uint8Array.of(0))],
    ['kind 4', 'corrupt', message, firstLine(message, 5, Uint8Array.of(4))],
    ['kind 4, and too large', 'corrupt', message, firstLine(message, 5, concat(Uint8Array.of(4), tooLarge))],
    ['kind 3, and too large', 'too-large', message, firstLine(message, 5, concat(Uint8Array.of(3), tooLarge))],
    ['kind 3, and a length that no part has', 'corrupt', message, firstLine(message, 5, Uint8Array.of(3))],
    ['kind 1, and a length that no opening has', 'corrupt', message, firstLine(message, 5, Uint8Array.of(1))],
    ['kind 16, and a length that no invite has', 'corrupt', message, firstLine(message, 5, Uint8Array.of(16))],
    ['kind 2, and a length that no message has', 'corrupt', invite, firstLine(invite, 5, Uint8Array.of(2))],
    ['a length that no message has', 'corrupt', message, firstLine(message, 6, uint(383, 4))],
    ['a length that no invite has', 'corrupt', invite, firstLine(invite, 6, uint(1_322, 4))],
    ['a length of 17 MiB, which no message has', 'corrupt', message, firstLine(message, 6, uint(17 * 2 ** 20, 4))],
    ['a length of 17 MiB and a byte', 'too-large', message, firstLine(message, 6, tooLarge)],
    ['the same of an invite', 'too-large', invite, firstLine(invite, 6, tooLarge)],
    ['a message labelled INVITE', 'corrupt', message, label('MESSAGE', 'INVITE')],
    ['an invite labelled MESSAGE', 'corrupt', invite, label('INVITE', 'MESSAGE')],
    ['a message labelled OPENING', 'corrupt', message, label('MESSAGE', 'OPENING')],
    [
      'a message labelled INVITE, of version 2',
      'unknown-version',
      message,
      [...label('MESSAGE', 'INVITE'), ...firstLine(message, 4, Uint8Array.of(2))],
    ],
  ];
  const [lastFull = '', last = ''] = armor(message.bytes).split('\n').slice(-4);
  const refusedEnvelopes: readonly (readonly [why: string, edits: Edits])[] = [
    ['a length that other messages have', firstLine(message, 6, uint(638, 4))],
    ['the last line is missing', [[`${lastFull}\n${last}\n`, `${lastFull}\n`]]],
    ['the sealed header is one longer than it can be', firstLine(message, 34, uint(73, 2))],
  ];
  return [
    ...refusedBlocks.map(([why, code, of, edits]) => {
      expectRefusal(why, code, () => dearmor(editedBlock(armor(of.bytes), edits)));
      return { why, of: of.name, edits, block: code };
    }),
    ...refusedEnvelopes.map(([why, edits]) => {
      const envelope = dearmor(editedBlock(armor(message.bytes), edits));
      expectRefusal(why, 'corrupt', () => decodeEnvelope(envelope));
      return { why, of: message.name, edits, envelope: 'corrupt' as const };
    }),
  ];
}

/** Other bytes at a place within the first line of base64. */
function firstLine(of: Named, at: number, put: Uint8Array): Edits {
  const before = of.bytes.slice(0, 48);
  const after = Uint8Array.from(before);
  after.set(put, at);
  return [[toBase64(before), toBase64(after)]];
}

/** The last line of a block that ends in `x=`, with the lowest of the two spare bits of x set. */
function withSpareBit(line: string): string {
  if (!/[^=]=$/.test(line)) throw new Error('no two spare bits');
  return line.replace(/(.)=$/, (_all, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=`);
}

function told(
  rows: readonly Row[],
  read: (bytes: Uint8Array) => unknown,
  named = (name: string): Uint8Array => {
    throw new Error(`no ${name}`);
  },
): readonly Refused[] {
  for (const [why, code, bytes] of rows) expectRefusal(why, code, () => read(joined(bytes, named)));
  return rows.map(([why, code, bytes]) => ({ why, code, bytes }));
}
