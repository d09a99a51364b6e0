/**
 * Formats on the wire (docs/PROTOCOL.md §7). Each has one strict parser: `encode(decode(x)) = x`.
 * Knows nothing of keys, sessions or files.
 */
export { armor, armoredLength, dearmor } from './armor.ts';
export {
  type Content,
  type ContentHead,
  checkFileName,
  type Descriptor,
  decodeContent,
  decodeWhole,
  encodeContent,
  type FileContent,
  headOf,
  isFileName,
  largestSize,
  MAX_CONTENT,
  textOf,
  type WholeContent,
} from './content.ts';
export {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  type MessageEnvelope,
  type MessageView,
  partHead,
  partSizeOf,
  type SealedPart,
  viewMessage,
} from './envelope.ts';
export {
  ENVELOPE_HEAD_LENGTH,
  longestMessage,
  MAX_REST,
  PART_FIELDS_LENGTH,
  PART_SALT_LENGTH,
  PART_SIZES,
  PART_TAG_LENGTH,
  partLength,
  restLength,
} from './head.ts';
export { type Found, Scanner, scan } from './scan.ts';
