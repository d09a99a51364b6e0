/** Bytes in a row that are looked for: a leak of a part is a leak. */
const WINDOW = 8;

/**
 * What a leak of `secret` looks like: any 8 aligned bytes of it, as they are, in hex, in base64 or base64url at whatever
 * place they stand in the text that was encoded. Windows of little variety, which occur by themselves, are left out.
 */
export function needlesOf(secret: Uint8Array): Buffer[] {
  const needles: Buffer[] = [];
  for (let start = 0; start + WINDOW <= secret.length; start += WINDOW) {
    const window = Buffer.from(secret.subarray(start, start + WINDOW));
    if (new Set(window).size < WINDOW / 2) continue;
    const hex = window.toString('hex');
    const base64 = [0, 1, 2].map((offset) => base64At(window, offset));
    const base64Url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
    const texts = new Set([hex, hex.toUpperCase(), ...base64, ...base64Url]);
    needles.push(window, ...[...texts].map((text) => Buffer.from(text)));
  }
  return needles;
}

/** The characters that these bytes alone decide, when `offset` bytes of a group of three go before them. */
function base64At(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** The needles found in a text or its lines put together. */
export function found(needles: readonly Buffer[], haystack: Buffer): string[] {
  const joined = Buffer.from(haystack.toString('latin1').replaceAll(/\s/g, ''), 'latin1');
  return needles
    .filter((needle) => haystack.includes(needle) || joined.includes(needle))
    .map((needle) => needle.toString('latin1'));
}
