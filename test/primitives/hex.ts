/** The bytes that a hex string spells, as a plain `Uint8Array` of its own memory. */
export function hex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error(`not hex: ${text}`);
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function toHexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** An integer as 32 little-endian bytes, as both curves write them. */
export function littleEndian(value: bigint): Uint8Array {
  return hex(value.toString(16).padStart(64, '0')).reverse();
}

/** The same bytes as a view into the middle of a larger buffer, as slices of a message are. */
export function shifted(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 7).fill(0xa5);
  larger.set(bytes, 3);
  return larger.subarray(3, 3 + bytes.length);
}
