import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENVELOPE_HEAD_LENGTH } from '../../src/envelope/head.ts';
import { armor, encodeEnvelope, type Found, Scanner, scan } from '../../src/envelope/index.ts';
import { concat, utf8 } from '../../src/primitives/index.ts';
import { anyEncoded, filled, invite, message, nearly, opening, same, withSpareBits } from './samples.ts';

const first = encodeEnvelope(message(72, 256, 1));
const second = encodeEnvelope(opening(1256, 512, 2));
const third = encodeEnvelope(invite(3));

/** The processor time of this process since then: other processes do not count. */
function millisecondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000;
}

/** What was found, as short as it can be compared: the bytes by name, an error by its code and words. */
function found(...input: readonly (string | Uint8Array)[]): string[] {
  const parts = input.map((part) => (typeof part === 'string' ? utf8(part) : part));
  return [...scan(concat(...parts))].map(nameOf);
}

function nameOf(item: Found): string {
  if ('error' in item) {
    const [what, damage] = Object.values(item.error.detail);
    return `${item.at}: ${item.error.code} ${JSON.stringify(what)}${item.error.code === 'corrupt' && damage ? `, ${damage}` : ''}`;
  }
  const name = Object.entries({ first, second, third }).find(([, bytes]) => same(bytes, item.bytes));
  return `${item.at}: ${name?.[0]}`;
}

const BEGIN = '-----BEGIN PAWL MESSAGE-----';
const CUT = 'corrupt "envelope (cut short)"';
const BLOCK_CUT = 'corrupt "armored block", cut-off';
const NONE = 'byte 0: corrupt "input (no pawl envelope in it)"';
/** What a stream may have between envelopes, and what looks like one. */
const PARTS = [
  '\n',
  'text\n',
  '> pawl\n',
  'pawl',
  'pawl\x01\x02',
  'pawl\x01\x10\0\0\x05\x29',
  'pawl\x01\x02\0\x10\0\x7e',
  'pawl\x02',
  BEGIN,
  `${BEGIN}\n`,
  `${BEGIN} \t\r\n`,
  `${BEGIN}${' '.repeat(1_100)}\n`,
  `${'> '.repeat(600)}\n`,
  '-----',
];

/** What is found in the chunks of an input whose lengths are given, again and again from the first. */
function inChunks(input: Uint8Array, lengths: readonly number[]): Found[] {
  const scanner = new Scanner();
  const got: Found[] = [];
  for (let at = 0, cut = 0; at < input.length; cut++) {
    const length = lengths[cut % lengths.length] ?? 1;
    // A buffer that is written over, as a reader's may be.
    const chunk = Buffer.from(input.subarray(at, at + length));
    got.push(...scanner.push(chunk));
    chunk.fill(0);
    at += length;
  }
  return [...got, ...scanner.end()];
}

/** The lines of the first one's block. */
const LINES = armor(first).split('\n').length - 1;

describe('scan of binary', () => {
  it('finds envelopes back to back, in their order', () => {
    const [a, b] = [first.length, first.length + second.length];
    expect(found(first, second, third)).toEqual(['byte 0: first', `byte ${a}: second`, `byte ${b}: third`]);
  });

  it('finds them with other bytes around', () => {
    const other = 6 + first.length + 1;
    expect(found('here:\n', first, '\n', second, 'bye')).toEqual(['byte 6: first', `byte ${other}: second`]);
  });

  it('gives views that are plain byte strings', () => {
    const [one] = scan(Buffer.from(first));
    expect(one).toStrictEqual({ at: 'byte 0', bytes: first });
  });

  it('reports the last one cut short, wherever the cut is', () => {
    for (let length = 1; length < second.length; length++) {
      const rest = second.subarray(0, length);
      expect(found(rest)).toEqual([`byte 0: ${CUT}`]);
      expect(found(first, rest)).toEqual(['byte 0: first', `byte ${first.length}: ${CUT}`]);
    }
  });

  it('finds the one appended to one that was cut short, wherever the cut was', () => {
    for (let length = ENVELOPE_HEAD_LENGTH; length < second.length; length++) {
      const rest = second.subarray(0, length);
      const after = length + first.length;
      // Of so few missing bytes nobody can tell, and the one in front is left to the decoders.
      const inFront = length < second.length - ENVELOPE_HEAD_LENGTH + 1 ? CUT : 'undefined';
      expect(found(rest, first, third)).toEqual([
        `byte 0: ${inFront}`,
        `byte ${length}: first`,
        `byte ${after}: third`,
      ]);
    }
    for (let length = 1; length < ENVELOPE_HEAD_LENGTH; length++) {
      expect(found(second.subarray(0, length), first).at(-1)).toBe(`byte ${length}: first`);
    }
    expect(found(second.subarray(0, 1000), armor(first))).toEqual([`byte 0: ${CUT}`, expect.stringContaining('first')]);
  });

  it('goes on behind one with a length that cannot be', () => {
    const tooLong = concat(first.subarray(0, 6), Uint8Array.of(255, 255, 255, 255), first.subarray(10));
    expect(found(tooLong, third)).toEqual(['byte 0: too-large "envelope"', `byte ${first.length}: third`]);
    expect(found(first.with(9, 0), third)).toEqual(['byte 0: corrupt "envelope"', `byte ${first.length}: third`]);
  });

  it('names a version or kind that it does not know where an envelope is due', () => {
    expect(found(first.with(4, 2))).toEqual(['byte 0: unknown-version 2']);
    expect(found(first.with(5, 3))).toEqual(['byte 0: corrupt "envelope"']);
    expect(found(first, first.with(4, 0), third)).toEqual([
      'byte 0: first',
      `byte ${first.length}: unknown-version 0`,
      `byte ${2 * first.length}: third`,
    ]);
  });

  it('does not take the word for an envelope', () => {
    const prose = 'pawl\nis a tool, pawl\t1, pawl 2; pawl';
    expect(found(prose, first, 'pawl.')).toEqual([`byte ${prose.length}: first`]);
    for (const text of ['pawl is a tool', 'pawl\n', 'and pawl\x02']) expect(found(text)).toEqual([NONE]);
  });
});

describe('scan of text', () => {
  it('finds blocks with text around, and says in which line they begin', () => {
    const text = `Hello,\n\nhere it is:\n${armor(first)}and then\n\n${armor(third)}\nbye`;
    expect(found(text)).toEqual(['line 4: first', `line ${4 + LINES + 2}: third`]);
    expect(found(armor(first).trimEnd())).toEqual(['line 1: first']);
  });

  const changed: [string, (text: string) => string][] = [
    ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['trailing blanks', (text) => text.replaceAll('\n', ' \t \n')],
    ['leading blanks', (text) => text.replace(/^/gm, '\t  ')],
    ['quoting', (text) => text.replace(/^/gm, '> ')],
    ['repeated quoting', (text) => text.replace(/^/gm, '>> >').replaceAll('\n', '\r\n')],
    ['blank lines', (text) => text.replaceAll('\n', '\n\n')],
    ['a byte-order mark', (text) => `\ufeff${text}`],
    ['a name in front, as chats copy it', (text) => `[12:30] Alice: ${text}`],
  ];
  it.each(changed)('finds a block through %s', (_what, change) => {
    expect(found(change(armor(second)))).toEqual(['line 1: second']);
    expect(found('Text\n', change(armor(first)), 'more\n', change(armor(third)))).toEqual([
      'line 2: first',
      expect.stringContaining('third'),
    ]);
  });

  it('takes no mention of a block for one', () => {
    expect(found(`It begins with ${BEGIN} and so on.\n`, armor(first))).toEqual(['line 2: first']);
    expect(found('-----BEGIN PAWL IDENTITY-----\n', armor(first))).toEqual(['line 2: first']);
  });

  it('names what happened to a block, and goes on behind it', () => {
    const damages: [string, (block: string) => string, string?][] = [
      ['missing', (block) => block.replace(/\n(.{20})./, '\n$1')],
      ['missing', (block) => block.replace(/\n.{64}\n(?=.{64}\n)/, '\n'), 'altered'],
      ['missing', (block) => block.replace(/\n[^-]+/, '\n')],
      ['replaced', (block) => block.replace(/\n(.{20})./, '\n$1?')],
      ['replaced', (block) => block.replace(/\n(.{20})./, '\n$1\ufffd')],
      ['added', (block) => block.replace(/(\n.{64})(?=\n.{64}\n)/, '$1$1')],
      ['altered', (block) => block.replace(/(?<=\n)[^-\n]+\n/g, (line) => line.toUpperCase())],
    ];
    for (const [damage, change, damageWithNames = damage] of damages) {
      const lines = change(armor(first)).split('\n').length;
      expect(found('\n', change(armor(first)), armor(third))).toEqual([
        `line 2: corrupt "armored block", ${damage}`,
        `line ${1 + lines}: third`,
      ]);
      // Also where names are in front of the lines.
      expect(found(change(armor(first)).replace(/^(?=.)/gm, 'Alice Smith> '))).toEqual([
        `line 1: corrupt "armored block", ${damageWithNames}`,
      ]);
    }
  });

  it('says no more than that it was changed where words are in it: they may be of it, or not', () => {
    expect(found(armor(first).replace(/\n(.{30})/, '\n$1 and so on '))).toEqual([
      'line 1: corrupt "armored block", altered',
    ]);
  });

  it('says of a block that it was an invite', () => {
    const details = (text: string) => scan(utf8(text)).map((one) => 'error' in one && one.error.detail);
    expect(details(armor(third).replace(/\n.{64}\n/, '\n'))).toEqual([
      { what: 'armored block', damage: expect.any(String), isInvite: true },
    ]);
    expect(details(armor(third).replace(/.*\n/, ''))).toEqual([
      { what: 'input (no pawl envelope in it)', damage: 'no-begin', isInvite: true },
    ]);
    expect(details(armor(first).replace(/\n.{64}\n/, '\n'))).toEqual([{ what: 'armored block', damage: 'missing' }]);
  });

  it('reports a block without END, at the end and in front of another', () => {
    const noEnd = armor(first).replace(/\n.*\n-----END.*\n/, '\n');
    expect(found(noEnd)).toEqual([`line 1: ${BLOCK_CUT}`]);
    expect(found(noEnd, armor(third))).toEqual([`line 1: ${BLOCK_CUT}`, `line ${LINES - 1}: third`]);
    expect(found(noEnd, second)).toEqual([`line 1: ${BLOCK_CUT}`, expect.stringContaining('second')]);
  });

  it('finds one whose END line alone is missing', () => {
    const noEnd = armor(first).replace(/-----END.*\n/, '');
    expect(found(noEnd)).toEqual(['line 1: first']);
    expect(found(noEnd, armor(third))).toEqual(['line 1: first', `line ${LINES}: third`]);
    // In front of other words nobody can tell where it ends.
    expect(found(noEnd, 'bye\n', armor(third))).toEqual([`line 1: ${BLOCK_CUT}`, `line ${1 + LINES}: third`]);
  });

  it('says so where a BEGIN line is missing', () => {
    expect(found(armor(first).replace(/.*\n/, ''))).toEqual([`${NONE}, no-begin`]);
  });

  it('reports the last block cut short, wherever the cut is', () => {
    const words = BEGIN.length - '-----'.length;
    for (let cut = 1; cut < armor(second).trimEnd().length; cut++) {
      const rest = armor(second).slice(0, cut);
      const isWhole = cut >= armor(second).search(/=*\n-----END/);
      const line = `line ${1 + LINES}: ${isWhole ? 'second' : BLOCK_CUT}`;
      const where = cut <= words ? expect.stringMatching(/^byte [0-9]+: corrupt "envelope \(cut short\)"$/) : line;
      expect(found(armor(first), rest)).toEqual(['line 1: first', where]);
    }
    expect(found(BEGIN)).toEqual([`line 1: ${BLOCK_CUT}`]);
  });

  it('reports labels that do not agree with one another or with what is inside', () => {
    expect(found(armor(first).replace('END PAWL MESSAGE', 'END PAWL INVITE'), armor(third))).toEqual([
      'line 1: corrupt "armored block (its BEGIN and END lines differ)"',
      `line ${1 + LINES}: third`,
    ]);
    expect(found(armor(first).replaceAll('MESSAGE', 'INVITE'), armor(third))).toEqual([
      'line 1: corrupt "armored block", altered',
      `line ${1 + LINES}: third`,
    ]);
  });

  it('reports spare bits, an unknown version and a length over the limit inside a block', () => {
    expect(found(withSpareBits(armor(third)))).toEqual(['line 1: corrupt "armored block", altered']);
    expect(found(armor(first).replace('cGF3bAE', 'cGF3bAI'))).toEqual(['line 1: unknown-version 2']);
    expect(found(armor(first).replace(/cGF3bAEC..../, 'cGF3bAEC////'))).toEqual(['line 1: too-large "envelope"']);
  });

  it('reports nothing for blank input, and one error for input without an envelope', () => {
    expect(found('')).toEqual([]);
    expect(found(' \r\n\t\n')).toEqual([]);
    expect(found('hello')).toEqual([NONE]);
    expect(found(filled(10_000))).toEqual([NONE]);
  });
});

describe('scan of anything', () => {
  it('finds all of a mixture, whatever the order', () => {
    const piece = fc.tuple(anyEncoded, fc.boolean(), fc.constantFrom('', '\n', 'text\n', '> pawl\n'));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const input = pieces.flatMap(([bytes, armored, text]) => [utf8(text), armored ? utf8(armor(bytes)) : bytes]);
        const got = [...scan(concat(...input))].map((one) => ('bytes' in one ? one.bytes : one.error));
        expect(got).toEqual(pieces.map(([bytes]) => bytes));
      }),
    );
  });

  it('finds the good one after whatever is left of a bad one', () => {
    const wreck = fc.oneof(
      nearly(anyEncoded),
      nearly(anyEncoded.map((bytes) => utf8(armor(bytes)))),
      fc.uint8Array({ maxLength: 50 }),
    );
    fc.assert(
      fc.property(wreck, (bytes) => {
        const got = [...scan(concat(bytes, utf8('\n'), third, utf8(armor(first))))].slice(-2);
        expect(got.map(nameOf)).toEqual([expect.stringContaining('third'), expect.stringContaining('first')]);
      }),
      { numRuns: 500 },
    );
  });

  it('finds the same however the stream is cut into chunks', () => {
    const whole = fc.constantFrom(first, second, third);
    const block = whole.map((bytes) => utf8(armor(bytes)));
    const part = fc.oneof(
      whole,
      block,
      nearly(whole),
      nearly(block),
      fc.constantFrom(...PARTS).map((text) => Buffer.from(text, 'latin1')),
    );
    const input = fc.array(part, { maxLength: 6 }).map((parts) => concat(...parts));
    // Small cuts too, so that they fall into the middle of everything.
    const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2_000 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(input, lengths, (bytes, cuts) => {
        expect(inChunks(bytes, cuts)).toEqual(scan(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives an envelope out with its last byte, a block with the last letter of its END line', () => {
    for (const one of [first, second, third, utf8(armor(second))]) {
      const scanner = new Scanner();
      // Of a block, all but the dashes at its end.
      const length = one[0] === 0x2d ? one.length - '-----\n'.length : one.length;
      expect(scanner.push(one.subarray(0, length - 1))).toEqual([]);
      expect(scanner.push(one.subarray(length - 1, length))).toHaveLength(1);
      expect(scanner.push(one.subarray(length))).toEqual([]);
    }
    // Though its last bytes are those that another begins with.
    const last = first.with(-1, 'p'.charCodeAt(0));
    expect(new Scanner().push(last)).toHaveLength(1);
  });

  it('does not wait for the rest of one that another follows', () => {
    const scanner = new Scanner();
    const rest = concat(utf8('pawl'), Uint8Array.of(1, 2, 1, 8, 0, 0x7e));
    expect(scanner.push(rest)).toEqual([]);
    expect(scanner.push(first).map(nameOf)).toEqual([`byte 0: ${CUT}`, 'byte 10: first']);
  });

  const hostile: [string, string][] = [
    ['blanks', ' '],
    ['newlines', '\n'],
    ['quoting', '> '],
    ['BEGIN lines', `${BEGIN}\n`],
    ['BEGIN without end of line', BEGIN],
    ['BEGIN and blanks', BEGIN + ' '.repeat(500)],
    ['BEGIN and short lines', `${BEGIN}\nA\nA\n`],
    ['invites that swallow one another', 'pawl\x01\x10\0\0\x05\x29'],
    ['large messages that swallow one another', 'pawl\x01\x02\0\x10\0\x7e'],
    ['heads without a rest', 'pawl\x01\x01'],
    ['newer versions', 'pawl\x02'],
    [
      'a large message that another could be in',
      `pawl\x01\x02\x01\x08\0\x7e${'pawl\x01\x02\xff\xff\xff\xff'.repeat(20_000)}`,
    ],
  ];
  it.each(hostile)('takes linear time: a quarter of a mebibyte of %s', (_what, unit) => {
    const bytes = Buffer.from(unit.repeat(Math.ceil(2 ** 18 / unit.length)), 'latin1');
    const started = process.cpuUsage();
    const count = [...scan(bytes)].length;
    expect(count).toBeLessThanOrEqual(bytes.length / 4);
    // Far above what it takes (under half a second), far below what quadratic time would.
    expect(millisecondsSince(started)).toBeLessThan(5_000);
  });

  it('takes linear time: a long line in a block, a block without end', () => {
    const started = process.cpuUsage();
    const long = `${BEGIN}\n${'> '.repeat(2 ** 20)}x\n`;
    expect(found(`${long}${BEGIN}\n${' \n'.repeat(2 ** 20)}`)).toEqual([
      `line 1: ${BLOCK_CUT}`,
      `line 3: ${BLOCK_CUT}`,
    ]);
    expect(found(`${BEGIN}\n${`${'A'.repeat(64)}\n`.repeat(2 ** 14)}`)).toHaveLength(1);
    expect(millisecondsSince(started)).toBeLessThan(5_000);
  });
});
