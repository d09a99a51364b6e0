/**
 * Padding of plaintexts, which hides their exact length (docs/PROTOCOL.md §7).
 * Computes lengths only; content.ts adds and checks the zeros.
 */

/** Padded lengths of short plaintexts, in bytes. Padmé would distinguish short answers by their length. */
const SMALL = [256, 512, 1024];

/**
 * Computes the padded length of a plaintext. Up to 1,024 bytes it is the next of 256, 512 and 1,024. Above that it is
 * Padmé, which keeps the top ⌊log2 E⌋ + 1 bits below the leading one: the overhead stays under 6.25 %, and a length
 * reveals O(log log length) bits. A padded length is its own padded length.
 * @param length bytes: an integer below 2^31.
 */
export function paddedLength(length: number): number {
  const small = SMALL.find((size) => length <= size);
  if (small !== undefined) return small;
  const exponent = floorLog2(length);
  const step = 2 ** (exponent - floorLog2(exponent) - 1);
  return Math.ceil(length / step) * step;
}

function floorLog2(value: number): number {
  return 31 - Math.clz32(value);
}
