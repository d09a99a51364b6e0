/** Seals and opens single parts, each in buffers of its own: for tests, which compare many. */
import type { SealedPart } from '../src/envelope/index.ts';
import { type OpenedPart, type Part, PartCipher, type PartKeys } from '../src/parts/index.ts';
import type { Random } from '../src/primitives/index.ts';

export function sealPart(
  keys: PartKeys,
  part: Part,
  { partSize, random }: { readonly partSize: number; readonly random: Random },
): { readonly sealed: SealedPart; readonly digest: Uint8Array } {
  return new PartCipher(keys, partSize).seal(part, random);
}

/** @throws `corrupt`. */
export function openPart(keys: PartKeys, part: SealedPart, partSize: number): OpenedPart {
  return new PartCipher(keys, partSize).open(part);
}
