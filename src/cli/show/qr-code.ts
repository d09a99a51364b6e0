import type { CommandContext } from '../context.ts';
import type { Io } from '../terminal/io.ts';

/** The modules of a QR code, row by row, dark where `true`; with its quiet zone of four modules around. */
export type QrCode = readonly (readonly boolean[])[];

const QUIET = 4;

/** A QR code of digits, in the numeric mode that holds most of them; it bears 15 % of damage. */
export async function qrCodeOfDigits(digits: string): Promise<QrCode> {
  // Loaded where it is wanted: it hardly ever is.
  const { encodeQR } = await import('qr');
  return encodeQR(digits, 'raw', { encoding: 'numeric', ecc: 'medium', border: QUIET });
}

/** A QR code of up to 2,953 bytes as they are, as small as can be: a screen is not damaged. */
export async function qrCodeOfBytes(bytes: Uint8Array): Promise<QrCode> {
  const { encodeQR } = await import('qr');
  return encodeQR('-', 'raw', { encoding: 'byte', textEncoder: () => bytes, ecc: 'low', border: QUIET });
}

/**
 * Draws it with two modules above one another in a character, so that they are square. What is drawn is the light ones,
 * as a terminal writes light on dark.
 */
export function qrCodeLines(code: QrCode): readonly string[] {
  const rows = code.map((row, y) => row.map((isDark, x) => blockOf(!isDark, code[y + 1]?.[x] !== true)).join(''));
  return rows.filter((_, y) => y % 2 === 0);
}

function blockOf(above: boolean, below: boolean): string {
  if (above) return below ? '█' : '▀';
  return below ? '▄' : ' ';
}

/** Lines of a terminal that are left for what is said below, and the next prompt. */
const BELOW = 3;

/**
 * Draws a QR code on standard output: all of it or nothing, and says why. A pipe or a file gets it whatever its size.
 * @returns whether it was drawn.
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
  await io.output.write(lines.map((line) => `${inColours(line, io)}\n`).join(''));
  return true;
}

function obstacleTo(lines: readonly string[], { output, environment }: Io): string | undefined {
  if (!output.isTerminal) return undefined;
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || 'UTF-8';
  if (!/utf-?8/i.test(locale)) return `the characters that it needs are not in the locale ${locale}`;
  const { size } = output;
  const [width, height] = [lines[0]?.length ?? 0, lines.length + BELOW];
  if (size === undefined || (width <= size.columns && height <= size.rows)) return undefined;
  return `it needs ${width} columns and ${height} lines, and this terminal has ${size.columns} and ${size.rows}`;
}

/** White on black, whatever the colours of the terminal are: a camera does not read every negative. */
function inColours(line: string, { output, environment }: Io): string {
  const { NO_COLOR, TERM } = environment;
  return output.isTerminal && !NO_COLOR && TERM !== 'dumb' ? `\u001b[97;40m${line}\u001b[0m` : line;
}
