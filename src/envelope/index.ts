/**
 * Formats on the wire (docs/PROTOCOL.md §7). Each has one strict parser: `encode(decode(x)) = x`.
 * Knows nothing of keys, sessions or files.
 */
export { armor, armoredLength, dearmor } from './armor.ts';
export {
  type Content,
  type ContentHead,
  decodeContent,
  encodeContent,
  type FileContent,
  headOf,
  isFileName,
  MAX_CONTENT,
  textOf,
} from './content.ts';
export { decodeEnvelope, type Envelope, encodeEnvelope, type MessageView, viewMessage } from './envelope.ts';
export { longestMessage } from './head.ts';
export { type Found, Scanner, scan } from './scan.ts';
