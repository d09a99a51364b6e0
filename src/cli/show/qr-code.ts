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
