/**
 * Encodes QR codes, and draws them on standard output.
 * Knows nothing of what they contain.
 */
import type { CommandContext } from '../context.ts';
import type { Io } from '../terminal/io.ts';
import { localeOf, showsUnicode } from '../terminal/screen.ts';

/** The modules of a QR code, row by row, with its quiet zone. `true` is dark. */
export type QrCode = readonly (readonly boolean[])[];

/** The width of the quiet zone, in modules. */
const QUIET_ZONE = 4;

/** Encodes digits in numeric mode, with an error correction of 15 %. */
export async function qrCodeOfDigits(digits: string): Promise<QrCode> {
  // Few commands need the library.
  const { encodeQR } = await import('qr');
  return encodeQR(digits, 'raw', { encoding: 'numeric', ecc: 'medium', border: QUIET_ZONE });
}

/** Encodes up to 2,953 bytes with the least error correction, to keep the code small: a screen has no damaged modules. */
export async function qrCodeOfBytes(bytes: Uint8Array): Promise<QrCode> {
  const { encodeQR } = await import('qr');
  return encodeQR('-', 'raw', { encoding: 'byte', textEncoder: () => bytes, ecc: 'low', border: QUIET_ZONE });
}

/**
 * Draws two modules above one another with each character, so that modules are square. The characters draw the light
 * modules, because most terminals are light on dark.
 */
function qrCodeLines(code: QrCode): readonly string[] {
  const rows = code.map((row, y) => row.map((isDark, x) => blockOf(!isDark, code[y + 1]?.[x] !== true)).join(''));
  return rows.filter((_, y) => y % 2 === 0);
}

function blockOf(above: boolean, below: boolean): string {
  if (above) return below ? '█' : '▀';
  return below ? '▄' : ' ';
}

/** Lines of the terminal to keep free for the messages and the prompt below the code. */
const BELOW = 3;

/**
 * Draws a QR code on standard output, or warns why it cannot be drawn: the terminal is too small or lacks the characters.
 * To a pipe or a file it is always drawn.
 * @returns whether it was drawn.
 * @throws `closed-pipe`, `write-failed`.
 */
export async function drawQrCode(
  { io, reporter }: Pick<CommandContext, 'io' | 'reporter'>,
  code: QrCode,
): Promise<boolean> {
  const lines = qrCodeLines(code);
  const obstacle = obstacleTo(lines, io);
  if (obstacle !== undefined) {
    await reporter.warn(`no QR code is drawn: ${obstacle}`);
    return false;
  }
  await io.output.write(lines.map((line) => `${colourLine(line, io)}\n`).join(''));
  return true;
}

/** The reason why the lines cannot be drawn, if there is one. */
function obstacleTo(lines: readonly string[], io: Io): string | undefined {
  const { isTerminal, size } = io.output;
  if (!isTerminal) return undefined;
  if (!showsUnicode(io)) return `the characters that it needs are not in the locale ${localeOf(io)}`;
  const [width, height] = [lines[0]?.length ?? 0, lines.length + BELOW];
  if (size === undefined || (width <= size.columns && height <= size.rows)) return undefined;
  return `it needs ${width} columns and ${height} lines, and this terminal has ${size.columns} and ${size.rows}`;
}

/** Sets white on black on a terminal, because not every camera reads an inverted code. */
function colourLine(line: string, { output, environment }: Io): string {
  const { NO_COLOR, TERM } = environment;
  return output.isTerminal && !NO_COLOR && TERM !== 'dumb' ? `\u001b[97;40m${line}\u001b[0m` : line;
}
