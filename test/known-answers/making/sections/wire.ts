import {
  armor,
  dearmor,
  decodeContent,
  decodeEnvelope,
  encodeContent,
  encodeEnvelope,
  type WholeContent as Sent,
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
  ];
  return {
    read: read.map((content) => {
      const padded = encodeContent(contentOf(content));
      const length = lengthOf(contentOf(content));
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

function lengthOf(content: Sent): number {
  return 13 + content.bytes.length + (content.type === 'file' ? 1 + utf8(content.name).length : 0);
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
    ['type 3', 'corrupt', plaintext(3, 1, 0, [], 243)],
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
    ['kind 3', 'corrupt', replaced(message, 5, Uint8Array.of(3))],
    ['a message as an opening', 'corrupt', replaced(message, 5, Uint8Array.of(1))],
    ['an opening as a message', 'corrupt', replaced(opening, 5, Uint8Array.of(2))],
    ['a message as an invite', 'corrupt', replaced(message, 5, Uint8Array.of(16))],
    ['an unknown kind, and too large', 'corrupt', ['7061776c0103ffffffff']],
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
  return { refused: told(rows, decodeEnvelope, names.bytes) };
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
    ['version 2 and kind 3', 'unknown-version', message, firstLine(message, 4, Uint8Array.of(2, 3))],
    ['kind 0', 'corrupt', message, firstLine(message, 5, Uint8Array.of(0))],
    ['kind 3', 'corrupt', message, firstLine(message, 5, Uint8Array.of(3))],
    ['kind 3, and too large', 'corrupt', message, firstLine(message, 5, concat(Uint8Array.of(3), tooLarge))],
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
