import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  MARKUP,
  PART,
  PRINTABLE_PART,
  printable,
  QUOTED,
  QUOTED_PRINTABLE,
  STORED,
  TEXT,
  travelled,
} from '../../fuzz/channels.ts';
import { Dice } from '../../fuzz/dice.ts';
import { armor, dearmor, decodeEnvelope, encodeEnvelope, type Found, Scanner, scan } from '../../src/envelope/index.ts';
import { Window } from '../../src/envelope/window.ts';
import { concat, utf8 } from '../../src/primitives/index.ts';
import { anyEncoded, filled, invite, message, opening, same } from './samples.ts';

const first = encodeEnvelope(message(72, 256, 1));
const second = encodeEnvelope(opening(1256, 512, 2));
const third = encodeEnvelope(invite(3));
const fourth = encodeEnvelope(message(72, 512, 4));

function kept(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'channels', name));
}

function found(...input: readonly (string | Uint8Array)[]): string[] {
  return scan(concat(...input.map((one) => (typeof one === 'string' ? utf8(one) : one)))).map(nameOf);
}

function nameOf(item: Found): string {
  if ('error' in item) return JSON.stringify(item.error.detail);
  return (
    Object.entries({ first, second, third, fourth }).find(([, bytes]) => same(bytes, item.bytes))?.[0] ?? 'another'
  );
}

/** A part of a mail, as programs write it. */
function part(body: string | Uint8Array, ...headers: readonly string[]): string {
  const lines =
    Buffer.from(body)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return [...headers, 'Content-Transfer-Encoding: base64', '', ...lines, ''].join('\r\n');
}

/** A part in quoted-printable. */
function printablePart(body: string | Uint8Array, seed = 'part'): string {
  const lines = printable(new Dice(seed), typeof body === 'string' ? utf8(body) : body, '\r\n');
  return `Content-Transfer-Encoding: quoted-printable\r\n\r\n${lines}\r\n`;
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

describe('a block as it was handed over', () => {
  const block = kept('plain-good.txt').toString();
  const alone = [
    'codefence-glued.txt',
    'end-glued-text2.txt',
    'html-br.txt',
    'nbsp-indent.txt',
    'oneline-body.txt',
    'plain-good.txt',
    'qp-eq3d.txt',
    'utf16le-bom.txt',
  ];
  it.each(alone)('is found: %s', (name) => {
    const got = scan(kept(name));
    expect(got).toEqual([{ at: 'line 1', bytes: dearmor(block) }]);
  });

  it('is found behind another, without a newline between them', () => {
    const two = kept('glued-blocks.txt')
      .toString()
      .split(/(?<=END PAWL MESSAGE-----)/);
    expect(scan(kept('glued-blocks.txt')).map((one) => 'bytes' in one && one.bytes)).toEqual([
      dearmor(`${two[0]}\n`),
      dearmor(`${two[1]}\n`),
    ]);
    expect(found(armor(first).trimEnd() + armor(second).trimEnd(), third)).toEqual(['first', 'second', 'third']);
    expect(found(`see: ${armor(first).trimEnd()} and ${armor(third)}`)).toEqual(['first', 'third']);
  });
});

describe('a block after whatever is done to it', () => {
  const edits = { ...TEXT, QUOTED, ...MARKUP };
  it.each(Object.keys(edits))('is found: %s', (name) => {
    const edit = edits[name as keyof typeof edits];
    for (let seed = 0; seed < 20; seed++) {
      const dice = new Dice(`${name} ${seed}`);
      expect(found(edit(dice, `Hello,\n\n${armor(second)}bye\n${armor(third)}`))).toEqual(['second', 'third']);
    }
  });

  const transfers = { ...QUOTED_PRINTABLE, ...PART, ...PRINTABLE_PART, ...STORED };
  it.each(Object.keys(transfers))('is found: %s', (name) => {
    const edit = transfers[name as keyof typeof transfers];
    for (let seed = 0; seed < 20; seed++) {
      const dice = new Dice(`${name} ${seed}`);
      expect(found(edit(dice, utf8(`Grüße,\n\n${armor(second)}bye\n${armor(third)}`)))).toEqual(['second', 'third']);
    }
  });

  it('is found exactly once after any composition, and however the stream is cut', () => {
    fc.assert(
      fc.property(anyEncoded, fc.string(), fc.integer({ min: 1, max: 3_000 }), (bytes, seed, size) => {
        const { bytes: input, how } = travelled(new Dice(seed), `Hello,\n${armor(bytes)}bye\n`);
        const got = scan(input);
        expect(got, how).toEqual([{ at: expect.any(String), bytes }]);
        const scanner = new Scanner();
        const inChunks: Found[] = [];
        for (let at = 0; at < input.length; at += size) inChunks.push(...scanner.push(input.slice(at, at + size)));
        expect([...inChunks, ...scanner.end()]).toEqual(got);
      }),
      // Always the same ones: of names and base64 in lines of any width, a reading may be right by chance.
      { numRuns: 250, seed: 7 },
    );
  });

  it('is found under escapes of escapes', () => {
    const source = armor(third).replaceAll('\n', '<br>\n').replaceAll('=', '=3D');
    const shown = source.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('=', '=3D');
    expect(found(shown)).toEqual(['third']);
    expect(found(shown.replaceAll('&', '&amp;'))).toEqual(['third']);
  });

  it('is found at any length, with any quoting', () => {
    const large = encodeEnvelope(message(72, 2 ** 16, 4));
    const quoted = armor(large).replaceAll(/^/gm, '> > Alice: ').replaceAll('\n', ' &nbsp; <br>\r\n');
    expect(scan(utf8(quoted))).toEqual([{ at: 'line 1', bytes: large }]);
  });

  it('is given as soon as it is there, also inside of a part', () => {
    const parts = [utf16(`\ufeff${armor(first)}`), utf8(part(`Hello,\n${armor(first)}bye, and see you soon\n`))];
    for (const bytes of parts) {
      const scanner = new Scanner();
      expect(scanner.push(bytes).map(nameOf)).toEqual(['first']);
      expect(scanner.end()).toEqual([]);
    }
  });
});

describe('a mail', () => {
  it('is read whole: text, HTML, attachments in bytes and as text, and mails in it', () => {
    const html = `<p>Hello,</p><pre>${armor(first).replaceAll('\n', '<br>\n')}</pre>`;
    const mail = [
      'Subject: hi\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n',
      part(`Hello,\r\n${armor(first)}`, 'Content-Type: text/plain'),
      '--a\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
      html.replaceAll('=', '=3D'),
      '\r\n--a\r\n',
      part(html, 'Content-Type: text/html'),
      '--a\r\n',
      part(second, 'Content-Type: application/octet-stream; name="a.pawl"'),
      '--a\r\n',
      part(part(armor(third), 'Content-Type: text/plain'), 'Content-Type: message/rfc822'),
      '--a\r\n',
      part(utf16(armor(third))),
      '--a\r\n',
      printablePart(fourth),
      '--a--\r\n',
    ].join('');
    const all = ['first', 'second', 'third', 'fourth'];
    expect(found(mail)).toEqual(all);
    expect(found(mail.replaceAll('\r\n', '\n'))).toEqual(all);
    expect(found(utf16(mail))).toEqual(all);
  });

  it('says where in it something is', () => {
    expect(scan(utf8(`a\n${part(second)}--\n`)).map(({ at }) => at)).toEqual(['part at line 4, byte 0']);
    expect(scan(utf8(`a\n${part(`x\n${armor(second)}`)}--\n`)).map(({ at }) => at)).toEqual(['part at line 4, line 2']);
    expect(scan(utf16(`a\nb\n${armor(second)}`)).map(({ at }) => at)).toEqual(['line 3']);
  });

  it('has each block once, wherever the copies are; a stream of envelopes has what it has', () => {
    expect(found(armor(first), '> again:\n', armor(first).replaceAll(/^/gm, '> '), part(armor(first)))).toEqual([
      'first',
    ]);
    expect(found(part(second), '--\n', armor(second), part(second))).toEqual(['second']);
    expect(found(first, first, armor(first), armor(first))).toEqual(['first', 'first', 'first']);
    expect(found(armor(first), armor(second), armor(first), armor(second))).toEqual(['first', 'second']);
  });

  it('ends a part where its base64 does', () => {
    const whole = part(armor(first)).trimEnd();
    for (const end of ['\n--b--\n', '-', '.', '\nbye!', '\n> '])
      expect(found(whole, end, third)).toEqual(['first', 'third']);
    // Cut short inside of it.
    expect(found(whole.slice(0, 400), '\n--b\n', armor(third))).toEqual([
      '{"what":"armored block","damage":"cut-off"}',
      'third',
    ]);
    expect(found(part(second.subarray(0, 900)), '--b\n', third)).toEqual(['{"what":"envelope (cut short)"}', 'third']);
    // Joined parts, each with its padding.
    const a = utf8(armor(first));
    const joined = `${Buffer.from(a.subarray(0, 100)).toString('base64')}\n${Buffer.from(a.subarray(100)).toString('base64')}`;
    expect(found(`Content-Transfer-Encoding: base64\n\n${joined}\n--\n`)).toEqual(['first']);
    // Headers without a body.
    expect(found('Content-Transfer-Encoding: base64\n', armor(first), '\n\n', third)).toEqual(['first', 'third']);
    expect(
      found(
        `Content-Transfer-Encoding: base64\nX: ${'x'.repeat(5_000)}\n\n${Buffer.from(armor(first)).toString('base64')}\n-`,
        third,
      ),
    ).toEqual(['third']);
  });
});

describe('a part in quoted-printable', () => {
  it('is read where it has bytes, as a mail program has made it', () => {
    const [one, ...more] = scan(kept('attachment-qp.eml'));
    expect(more).toEqual([]);
    expect(one).toMatchObject({ at: 'part at line 9, byte 0' });
    expect(decodeEnvelope((one as { bytes: Uint8Array }).bytes).kind).toBe('message');
  });

  it('is read however it is written, and the stream divided', () => {
    fc.assert(
      fc.property(anyEncoded, fc.string(), fc.integer({ min: 1, max: 300 }), (bytes, seed, size) => {
        const input = utf8(`--b\r\n${printablePart(bytes, seed)}--b--\r\n${armor(fourth)}`);
        const got = scan(input);
        expect(got).toEqual([
          { at: 'part at line 4, byte 0', bytes },
          { at: expect.stringContaining('line'), bytes: fourth },
        ]);
        const scanner = new Scanner();
        const inChunks: Found[] = [];
        for (let at = 0; at < input.length; at += size) inChunks.push(...scanner.push(input.slice(at, at + size)));
        expect([...inChunks, ...scanner.end()]).toEqual(got);
      }),
      { numRuns: 100 },
    );
  });

  it('has the newlines that some encoders leave in bytes, whatever the mail makes of them', () => {
    const bytes = Uint8Array.from(first, (byte, index) => (index > 40 && index % 50 === 0 ? 0x0a : byte));
    const lax = printable(new Dice('lax'), bytes).replaceAll(/=0[aA]/g, '\n');
    expect(lax.match(/[^=\n]\n/g)?.length).toBeGreaterThan(3);
    for (const end of ['\n', '\r\n']) {
      const mail = `Content-Transfer-Encoding: quoted-printable\n\n${lax}\n--b--\n`.replaceAll('\n', end);
      expect(scan(utf8(mail))).toEqual([{ at: 'part at line 3, byte 0', bytes }]);
    }
  });

  it('is read in a part in base64, with one in it', () => {
    expect(found(part(printablePart(second)))).toEqual(['second']);
    expect(found(printablePart(part(second)))).toEqual(['second']);
    expect(found(printablePart(utf16(armor(third))))).toEqual(['third']);
  });

  it('ends where it is none, and hides nothing: a bad escape, a control, other bytes', () => {
    const lines = printable(new Dice('bad'), first);
    const at = lines.indexOf('\n', 300) + 1;
    for (const bad of ['=G1', '==', '=4 1', `=${' '.repeat(77)}\n`, '\x07', '\x80', 'é']) {
      const mail = Buffer.from(
        `Content-Transfer-Encoding: quoted-printable\n\n${lines.slice(0, at)}${bad}${lines.slice(at)}\n\n`,
        'latin1',
      );
      expect(found(mail, second), bad).toEqual(['{"what":"envelope (cut short)"}', 'second']);
      expect(found(mail, armor(third)), bad).toEqual(['{"what":"envelope (cut short)"}', 'third']);
    }
  });

  it('is no envelope that is cut short where a block begins in it', () => {
    for (const before of ['', '-', 'Hello,\n', 'p', '=2D\n']) {
      expect(found(`Content-Transfer-Encoding: quoted-printable\n\n${before}${armor(first)}bye =2D\n`)).toEqual([
        'first',
      ]);
    }
    expect(found('Content-Transfer-Encoding: quoted-printable\n\nHello, =E2=82=AC 5')).toEqual([
      '{"what":"input (no pawl envelope in it)"}',
    ]);
  });
});

describe('what is lost', () => {
  it('is named where bytes were taken for text', () => {
    const taken = '{"what":"envelope","damage":"taken-for-text"}';
    expect(found(Buffer.from(Buffer.from(first).toString()), armor(third))).toEqual([taken, 'third']);
    expect(found(utf16(Buffer.from(first).toString('latin1')), armor(third))).toEqual([taken, 'third']);
    expect(found(utf16(Buffer.from(first).toString('latin1')).swap16())).toEqual([taken]);
    // A few such bytes are ciphertext.
    const by = concat(first.subarray(0, 100), Uint8Array.of(0xef, 0xbf, 0xbd), first.subarray(103));
    expect(scan(by)).toEqual([{ at: 'byte 0', bytes: by }]);
  });
});

describe('hostile text beside a block', () => {
  const openers = [
    '-----BEGIN PAWL MESSAGE-----\n',
    '-----BEGIN PAWL MESSAGE-----\ncGF3bAEC',
    '-----BEGIN PAWL',
    'BEGIN\n',
    'BEGIN<a ',
    '=',
    '&#',
    '&amp',
    '<',
    '<a title="',
    '\\u00',
    'Content-Transfer-Encoding: base64\n',
    'Content-Transfer-Encoding: base64\n\n',
    'Content-Transfer-Encoding: base64\n\nAAAA',
    'Content-Transfer-Encoding: quoted-printable\n',
    'Content-Transfer-Encoding: quoted-printable\n\npawl=01=02=',
    '\xff\xfe',
    '\xfe\xff',
    '\xff\xfea',
    'a\0b\0c\0d\0e\0f\0g\0h\0',
    'a\0b\0c\0d\0e\0f\0g\0h\0i',
    '\0a\0b\0c\0d\0e\0f\0g\0h\0i',
    'pawl\x01\x02',
    'pawl\x01\x10\0\0\x05\x29',
    'pawl\x01\x02\x01\x08\0\x7e',
    'p\0a\0w\0l\0\x01\0',
    '-----END PAWL MESSAGE-----',
    `${'-----BEGIN PAWL MESSAGE-----\n'.repeat(40)}`,
    `B${`${'<a>&xxxxx;aaaa:'.repeat(24)}E`.repeat(9)}`,
  ].map((text) => Buffer.from(text, 'latin1'));
  const blocks: [string, Uint8Array][] = [
    ['a block', utf8(armor(first))],
    ['a quoted one', utf8(armor(first).replaceAll(/^/gm, '> '))],
    ['one in HTML', utf8(armor(first).replaceAll('\n', '<br>'))],
    ['UTF-16', utf16(`\ufeff${armor(first)}`)],
    ['UTF-16 of the other order', utf16(armor(first)).swap16()],
    ['a part', utf8(`\n${part(armor(first))}--\n`)],
    ['a part in bytes', utf8(`\n${part(first)}--\n`)],
    ['a part in quoted-printable', utf8(`\n${printablePart(first)}--\n`)],
    ['bytes', first],
  ];
  it.each(blocks)('does not hide %s', (_what, good) => {
    for (const one of openers) {
      for (const other of openers.slice(openers.indexOf(one) % 4).filter((_, index) => index % 4 === 0)) {
        for (const glue of ['', '\n']) {
          const got = found(one, other, glue, good, other);
          expect(
            got.filter((name) => name === 'first'),
            `${one.toString('latin1')}${other.toString('latin1')}`,
          ).toHaveLength(1);
        }
      }
    }
  });

  it('does not hide it by a BEGIN line that is longer than what is searched at a time', () => {
    const noise = `<a${' '.repeat(55)}>a${'&xxxxxx;'.repeat(40)}>`.repeat(24);
    const line = ['B', ...'EGINPAWLMESSAGE'].join(noise);
    expect(line.length).toBeGreaterThan(2 ** 17);
    expect(found(line, '\n', armor(first))).toEqual(['first']);
    expect(found(line.slice(0, 2 ** 16), third)).toEqual(['third']);
  });

  it('does not make one block of the beginning of one and the end of another', () => {
    const [a, b] = [armor(first).slice(0, 300), armor(encodeEnvelope(message(72, 256, 9))).slice(300)];
    expect(found(a, '\n--b\nContent-Transfer-Encoding: base64\n\nAAAA\n--b\n', b)).not.toContain('another');
    expect(found(a, `\n${part('x')}`, b)).not.toContain('another');
    expect(found(a, utf16('a text in UTF-16'), b)).not.toContain('another');
    expect(found(a, armor(third), b)).toEqual(['{"what":"armored block","damage":"cut-off"}', 'third']);
  });

  it('is not found in ciphertext: byte-order marks, and nothing else, come there by chance', () => {
    const large = encodeEnvelope(message(72, 2 ** 21, 5));
    const marked = concat(large.subarray(0, 1_000), Uint8Array.of(0xff, 0xfe, 0xfe, 0xff), large.subarray(1_004));
    for (const bytes of [large, marked]) {
      expect(scan(concat(bytes, first)).map((one) => 'bytes' in one && one.bytes.length)).toEqual([
        bytes.length,
        first.length,
      ]);
    }
    expect(scan(filled(2 ** 18)).map((one) => 'error' in one && one.error.detail)).toEqual([
      { what: 'input (no pawl envelope in it)' },
    ]);
  });
});

describe('the work of a scan', () => {
  const begin = '-----BEGIN PAWL MESSAGE-----';
  const header = 'Content-Transfer-Encoding: base64\n\n';
  const printableHeader = header.replace('base64', 'quoted-printable');
  let printables = 'x'.repeat(40);
  while (printables.length < 2 ** 17)
    printables = `${printableHeader}${printables.replaceAll('=', '=3D').replace(/^C/, '=43')}\n`;
  const base64 = `cGF3bAECAAABfrfw${'A'.repeat(48)}\n`;
  let nested = 'x'.repeat(40);
  while (nested.length < 2 ** 18) nested = `${header}${Buffer.from(nested).toString('base64')}\n`;
  const units: [string, string][] = [
    ['magics', 'pawl\x01\x02'],
    ['heads', 'pawl\x01\x10\0\0\x05\x29'],
    ['BEGIN lines', `${begin}\n`],
    ['BEGIN lines with noise', `${begin.split('').join('\u00ad<a>=E2')}\n`],
    ['BEGIN and END', `${begin}\n-----END PAWL MESSAGE-----\n`],
    ['halves of BEGIN', 'BEGIN <a>&xxxx;PAWL\naaaa aaaa'],
    ['first letters', 'B E '],
    ['a block that does not end', `${begin}\n${base64.repeat(4_000)}`],
    ['blocks of escapes', `${begin}\n${base64}${'=3D&amp;amp;'.repeat(1_000)}-----END PAWL MESSAGE-----\n`],
    ['blocks of names', `${begin}\n${`A B> ${base64}`.repeat(100)}-----END PAWL MESSAGE-----\n`],
    ['headers', header],
    ['headers that go on', 'Content-Transfer-Encoding: base64\nX: '],
    ['short parts', `${header}QUFB\n-`],
    ['a part', `${header}${base64.repeat(4_000)}-`],
    ['parts in parts', nested],
    ['headers of quoted-printable', printableHeader],
    ['short parts in quoted-printable', `${printableHeader}=41=\n=G`],
    ['a part in quoted-printable', `${printableHeader}${'=41'.repeat(2 ** 16)}`],
    ['breaks and dashes', `${printableHeader}${`=${' '.repeat(76)}\n-----`.repeat(4_000)}`],
    ['parts in quoted-printable in each other', printables],
    ['byte-order marks', '\xff\xfe'],
    ['marks and letters', '\xff\xfea'],
    ['UTF-16', 'a\0b\0c\0d\0e\0f\0g\0h\0'],
    ['UTF-16 and ASCII in turn', 'a\0b\0c\0d\0e\0f\0g\0h\0abcdefgh'],
    ['zeros', '\0'],
  ];
  it.each(units)('is linear: %s', (_what, unit) => {
    const input = Buffer.from(unit.repeat(Math.ceil(2 ** 18 / unit.length)), 'latin1');
    const reads = [vi.spyOn(Window.prototype, 'text'), vi.spyOn(Window.prototype, 'view')];
    try {
      const scanner = new Scanner();
      for (let at = 0; at < input.length; at += 2 ** 14) scanner.push(input.subarray(at, at + 2 ** 14));
      scanner.end();
      const lengths = reads.flatMap(({ mock }) => mock.results.map(({ value }) => Object(value).length));
      const bytes = lengths.reduce((sum, length) => sum + length, 0);
      expect(bytes / input.length).toBeLessThan(16);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
