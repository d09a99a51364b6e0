import type { WholeContent as Sent } from '../../src/envelope/index.ts';
import { fromUtf8, toHex, utf8 } from '../../src/primitives/index.ts';
import { joined } from './bytes.ts';
import type { Content } from './format.ts';

/** A content of the file as the code has it. */
export function contentOf(content: Content): Sent {
  const { sentAt } = content;
  if ('text' in content) return { type: 'text', sentAt, bytes: utf8(content.text) };
  const bytes = joined(content.bytes, () => new Uint8Array());
  return 'file' in content ? { type: 'file', name: content.file, sentAt, bytes } : { type: 'text', sentAt, bytes };
}

/** And back. */
export function written(content: Sent): Content {
  const { sentAt, bytes } = content;
  if (content.type === 'file') return { sentAt, file: content.name, bytes: toHex(bytes) };
  const text = fromUtf8(bytes);
  return text === undefined ? { sentAt, bytes: toHex(bytes) } : { sentAt, text };
}
