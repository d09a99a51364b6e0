/** What mail, chats, editors and shells do to a text without losing a character of its blocks. */
import type { Dice } from './dice.ts';

type Edit = (dice: Dice, text: string) => string;

const NAMES = ['Alice>', 'Bob |', 'AB>', 'Alice Smith>', 'И́мя>', '[12:30] Alice:'];
const MARKS = ['>', '> ', '>> ', '> > ', '| ', '  ', '\t', '\u00a0\u00a0', '\u200e', '\ufeff '];
const INVISIBLE = ['\u200b', '\u200e', '\u200f', '\u202a', '\u2060', '\ufeff', '\u00ad'];

/** Breaks lines at blanks, and inside words only where a word is longer than a line. */
function wrapped(text: string, width: number): string {
  // Padding stays with what it pads: at the beginning of a line it would be nothing that is base64.
  const pieces = new RegExp(`.{1,${width}}=*`, 'gu');
  return text
    .split('\n')
    .flatMap((line) => {
      const lines = [''];
      for (const word of line.split(' ').flatMap((one) => one.match(pieces) ?? [''])) {
        const last = lines.at(-1) ?? '';
        if (last === '') lines[lines.length - 1] = word;
        else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
        else lines.push(word);
      }
      return lines;
    })
    .join('\n');
}

function everyLine(text: string, change: (line: string) => string): string {
  return text.replace(/[^\r\n]+/g, change);
}

/** Of plain text, in any order and number. */
export const TEXT: Readonly<Record<string, Edit>> = {
  'another width': (dice, text) => wrapped(text, 30 + dice.below(60)),
  'one line': (_dice, text) => text.replaceAll(/\s*[\r\n]+/g, ' '),
  'base64 in one line': (_dice, text) => text.replaceAll(/([A-Za-z0-9+/]{60,})\r?\n(?=[A-Za-z0-9+/])/g, '$1'),
  CRLF: (_dice, text) => text.replaceAll(/\r?\n/g, '\r\n'),
  'CR only': (_dice, text) => text.replaceAll(/\r?\n/g, '\r'),
  'blank lines': (_dice, text) => text.replaceAll('\n', '\n\n'),
  'blanks at the ends': (dice, text) => everyLine(text, (line) => line + dice.pick([' ', '\t', ' \u00a0', ''])),
  'no blanks but U+00A0': (_dice, text) => text.replaceAll(' ', '\u00a0'),
  marks: (dice, text) => {
    const mark = dice.pick(MARKS);
    return everyLine(text, (line) => mark + line);
  },
  invisible: (dice, text) => {
    const often = 20 + dice.below(100);
    // Not between CR and LF, which belong together.
    return Array.from(text, (character) =>
      character !== '\r' && dice.oneIn(often) ? character + dice.pick(INVISIBLE) : character,
    ).join('');
  },
  'longer dashes': (_dice, text) => text.replaceAll('-----', '\u2014\u2014-'),
  fence: (dice, text) =>
    dice.pick(['```\n', '```', '~~~\n', '`', '*']) + text.trimEnd() + dice.pick(['```', '\n```\n', '`']),
};

/** Of plain text, once: of names and times, nothing is known but where the lines are. */
export const QUOTED: Edit = (dice, text) => {
  const name = dice.pick(NAMES);
  return everyLine(text, (line) => `${name} ${line}`);
};

/** Makes HTML of plain text. */
export const MARKUP: Readonly<Record<string, Edit>> = {
  'escapes and breaks': (dice, text) => {
    const space = dice.pick(['&nbsp;', '&#160;', '&#xA0;', ' ']);
    const plus = dice.pick(['+', '&#43;', '&#x2b;', '&plus;']);
    return text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('+', plus)
      .replaceAll(' ', space)
      .replaceAll('=', dice.pick(['=', '&#61;']))
      .replaceAll(/\r?\n|\r/g, dice.pick(['<br>', '<br />\n', '</p>\n<p>', '</div><div style="margin: 0">']));
  },
  'a paragraph': (_dice, text) => `<div dir="ltr"><pre>${text.replaceAll('>', '&gt;')}</pre></div>`,
  JSON: (_dice, text) => JSON.stringify({ body: text }),
};

/** Of bytes, as they travel. MIME allows none of these in another, but a part may have been stored by then. */
export const QUOTED_PRINTABLE = { 'quoted-printable': (_dice: Dice, bytes: Uint8Array) => quotedPrintable(bytes) };
export const PART = {
  'a part in base64': (dice: Dice, bytes: Uint8Array) => {
    const end = dice.pick(['\n', '\r\n']);
    const width = dice.pick([60, 72, 76]);
    const lines =
      Buffer.from(bytes)
        .toString('base64')
        .match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
    const header = dice.pick(['Content-Transfer-Encoding: base64', 'content-transfer-encoding:BASE64']);
    const other = dice.pick([[], ['Content-Disposition: attachment; filename="a.pawl"']]);
    const around = ['--b1', 'Content-Type: text/plain; charset=utf-8', header, ...other, '', ...lines, '--b1--', ''];
    return Buffer.from(around.join(end));
  },
};
/** Not of UTF-16, which is text enough there to be read as it stands. */
export const PRINTABLE_PART = {
  'a part in quoted-printable': (dice: Dice, bytes: Uint8Array) => {
    const end = dice.pick(['\n', '\r\n']);
    const header = dice.pick([
      'Content-Transfer-Encoding: quoted-printable',
      'content-transfer-encoding:Quoted-Printable',
    ]);
    return Buffer.from(['--b1', header, '', printable(dice, bytes, end), '--b1--', ''].join(end));
  },
};

/** Bytes as quoted-printable, with a soft break at any place, and everything escaped that some programs escape. */
export function printable(dice: Dice, bytes: Uint8Array, end = '\n'): string {
  const kept = dice.pick([/[!-<>-~]/, /[A-Za-z0-9]/, /[b-z]/]);
  let [encoded, column] = ['', 0];
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const hex = byte.toString(16).padStart(2, '0');
    const unit = kept.test(character) ? character : `=${dice.oneIn(2) ? hex.toUpperCase() : hex}`;
    if (column + unit.length > 75 || dice.oneIn(50)) {
      encoded += `=${dice.oneIn(9) ? ' ' : ''}${end}`;
      column = 0;
    }
    encoded += unit;
    column += unit.length;
  }
  return encoded;
}

/** As editors and shells store text, and whole mails too. */
export const STORED = { 'UTF-16': utf16 };

function utf16(dice: Dice, bytes: Uint8Array): Uint8Array {
  const plain = Buffer.from(bytes).toString();
  // Without a mark, ASCII has to tell what it is.
  const isPlain = [...bytes].every((byte) => byte < 0x80);
  const text = (isPlain && dice.oneIn(2) ? '' : '\ufeff') + plain;
  const units = Buffer.from(text, 'utf16le');
  return dice.oneIn(2) ? units : units.swap16();
}

function quotedPrintable(bytes: Uint8Array): Uint8Array {
  let [encoded, column] = ['', 0];
  for (const [index, byte] of bytes.entries()) {
    const isBreak = byte === 0x0a || (byte === 0x0d && bytes[index + 1] === 0x0a);
    const next = bytes[index + 1];
    const isLastBlank = (byte === 0x20 || byte === 0x09) && (next === undefined || next === 0x0a || next === 0x0d);
    const isPlain = ((byte >= 0x20 && byte < 0x7f) || byte === 0x09) && byte !== 0x3d && !isLastBlank;
    const unit =
      isPlain || isBreak ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (!isBreak && column + unit.length > 75) {
      encoded += '=\r\n';
      column = 0;
    }
    encoded += unit;
    column = byte === 0x0a ? 0 : column + unit.length;
  }
  return Buffer.from(encoded);
}

/** A text after up to four edits, as a reader gets it; `how` names them. */
export function travelled(dice: Dice, text: string): { readonly bytes: Uint8Array; readonly how: string } {
  const how: string[] = [];
  let plain = text;
  for (let left = dice.below(4); left > 0; left--) plain = applied(dice, TEXT, plain, how);
  if (dice.oneIn(3)) plain = applied(dice, { quoted: QUOTED }, plain, how);
  if (dice.oneIn(3)) plain = applied(dice, MARKUP, plain, how);
  let bytes: Uint8Array = Buffer.from(plain);
  // Quoted-printable within quoted-printable is read where nothing else was done to it.
  const isPrintable = dice.oneIn(4);
  if (isPrintable) bytes = applied(dice, QUOTED_PRINTABLE, bytes, how);
  for (const edit of [isPrintable ? PART : { ...PART, ...PRINTABLE_PART }, STORED, PART]) {
    if (dice.oneIn(4)) bytes = applied(dice, edit, bytes, how);
  }
  return { bytes: new Uint8Array(bytes), how: how.join(', ') };
}

function applied<Value>(
  dice: Dice,
  edits: Readonly<Record<string, (dice: Dice, value: Value) => Value>>,
  value: Value,
  how: string[],
): Value {
  const [name, edit] = dice.pick(Object.entries(edits));
  how.push(name);
  return edit(dice, value);
}
