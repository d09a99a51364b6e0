/**
 * Contents that travel in parts, as pure functions (docs/PROTOCOL.md §7.1): the keys of a content, sealing and opening a
 * part, and the rules that tell which parts belong together.
 * Knows no file and no session.
 */
export { isDataOf, PartLog, type PartRecord, type PartVerdict, partsOf, refuseOther, type Whole } from './part-log.ts';
export {
  cipherOf,
  deriveKeys,
  FIRST_LINK,
  isOf,
  type Link,
  newContentKey,
  nextLink,
  type OpenedPart,
  type Part,
  PartCipher,
  type PartKeys,
  partBox,
  partDigest,
} from './sealing.ts';
