/**
 * The value of `recv --format`: parses it, and fills it in for each message.
 * Knows nothing of where the records go.
 */
import { InvalidArgumentError } from 'commander';
import { concatAll, fromUtf8, toHex, utf8 } from '../../../primitives/index.ts';
import type { Delivery } from '../../../session/index.ts';
import { escapeInLine, iso, TEXT_INDENT, textLines } from '../../terminal/format.ts';
import { wrap } from '../../terminal/wrap.ts';

/** A parsed format: bytes that stand in every record, and fields. */
export type RecordFormat = readonly (Uint8Array | Field)[];

type Field = keyof typeof FIELDS;

/** What each field is in a pipe or a file. `text` is the only one that may have lines. */
const FIELDS = {
  from: ({ from }: Delivery) => utf8(from),
  verified: ({ verified }: Delivery) => utf8(verified ? 'verified' : 'unverified'),
  time: ({ content }: Delivery) => utf8(iso(content.sentAt)),
  id: ({ id }: Delivery) => utf8(toHex(id)),
  file: ({ content }: Delivery) => utf8(content.type === 'file' ? content.name : ''),
  text: ({ content }: Delivery) => content.bytes,
} as const;

export const FIELD_NAMES = Object.keys(FIELDS) as readonly Field[];

const ESCAPES: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  e: 0x1b,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  '\\': 0x5c,
};

/** A field, a percent sign, an escape as that of printf, or a run of anything else. */
const PIECE =
  /%(?:\{(?<braced>\w+)\}|(?<bare>[A-Za-z]+)|(?<percent>%))|\\(?:x(?<hex>[0-9A-Fa-f]{1,2})|(?<octal>[0-7]{1,3})|(?<letter>[abefnrtv\\]))|(?<plain>[^%\\]+)|(?<wrong>.{1,2})/gsu;

/**
 * Parses a format, as `%from %time %text\n`.
 * @throws commander's `InvalidArgumentError` for an unknown field or escape, and for a format without the text: a text
 * that was delivered is nowhere in the identity file any more.
 */
export function recordFormat(text: string): RecordFormat {
  const pieces = Array.from(text.matchAll(PIECE), ({ groups = {} }): Uint8Array | Field => {
    const { braced, bare = braced, percent, hex, octal, letter, plain, wrong } = groups;
    if (bare !== undefined) return fieldNamed(bare);
    if (percent !== undefined) return utf8('%');
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
    if (octal !== undefined) return Uint8Array.of(Number.parseInt(octal, 8));
    if (letter !== undefined) return Uint8Array.of(ESCAPES[letter] ?? 0);
    if (plain !== undefined) return utf8(plain);
    throw new InvalidArgumentError(
      `there is no ${JSON.stringify(wrong)}: a percent sign is %%, a backslash \\\\, and the escapes are those of printf`,
    );
  });
  if (!pieces.includes('text')) {
    throw new InvalidArgumentError('it has no %text, and what was received would be gone');
  }
  return pieces;
}

function fieldNamed(name: string): Field {
  if (Object.hasOwn(FIELDS, name)) return name as Field;
  const known = FIELD_NAMES.map((field) => `%${field}`).join(', ');
  throw new InvalidArgumentError(`there is no field %${name}: there are ${known}; %{from}s, where a letter follows`);
}

/** A record for a pipe or a file: of text and file name the exact bytes. */
export function recordOf(format: RecordFormat, delivery: Delivery): Uint8Array {
  return concatAll(format.map((piece) => (piece instanceof Uint8Array ? piece : FIELDS[piece](delivery))));
}

/**
 * A record for a terminal: what a sender wrote is escaped, and set off where it goes on in another line, and the next
 * record begins in a line of its own, so that no text can pose as a record.
 * @param columns of the terminal.
 */
export function recordForTerminal(format: RecordFormat, delivery: Delivery, columns: number): string {
  const shown = format.map((piece) => {
    if (piece instanceof Uint8Array) return Buffer.from(piece).toString();
    const words = fromUtf8(FIELDS[piece](delivery)) ?? '';
    return piece === 'text' ? textLines(words).join('\n').slice(TEXT_INDENT) : escapeInLine(words);
  });
  const record = shown.join('');
  return wrap(record.endsWith('\n') ? record : `${record}\n`, columns, TEXT_INDENT);
}
