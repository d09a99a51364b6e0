/** What short plaintexts are rounded up to, in bytes: below these Padmé would tell one short answer from another. */
const SMALL = [256, 512, 1024];

/**
 * The length that a plaintext of `length` bytes is padded to (docs/PROTOCOL.md §7): up to 1,024 the next of 256, 512 and
 * 1,024; above, Padmé, which keeps the top ⌊log2 E⌋ + 1 bits below the leading one, so that the overhead stays under
 * 6.25 % and a length tells O(log log length) bits. Padding a padded length changes nothing.
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
