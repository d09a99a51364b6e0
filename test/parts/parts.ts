import {
  deriveKeys,
  FIRST_LINK,
  type Link,
  nextLink,
  type Part,
  type PartKeys,
  partDigest,
} from '../../src/parts/index.ts';
import type { Random } from '../../src/primitives/index.ts';
import { repeatable } from '../ratchet/party.ts';

/** Far less than a descriptor may say: nothing in the code of parts depends on it. */
export const SMALL = 16;

export const constant: Random = (length) => new Uint8Array(length).fill(7);

export function keysOf(name = 'content'): PartKeys {
  return deriveKeys(repeatable(name)(32));
}

/** A content in parts, as an honest sender makes them. @param partSize of the content. */
export function partsOf(content: Uint8Array, partSize = SMALL): readonly Part[] {
  const count = Math.max(Math.ceil(content.length / partSize), 1);
  let link: Link = FIRST_LINK;
  return Array.from({ length: count }, (_, index) => {
    const data = content.subarray(index * partSize, (index + 1) * partSize);
    const part = { index, isLast: index === count - 1, link, data };
    link = nextLink(link, partDigest(part));
    return part;
  });
}
