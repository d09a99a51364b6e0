import type { Content as AnyContent, Descriptor } from '../../src/envelope/index.ts';
import { fromUtf8, toHex, utf8 } from '../../src/primitives/index.ts';
import { hex } from '../primitives/hex.ts';
import { joined } from './bytes.ts';
import type { Content } from './format.ts';

/** A content of the file as the code has it. */
export function contentOf(content: Content): AnyContent {
  const { sentAt } = content;
  if ('descriptor' in content) {
    const { name, size, partSize, key } = content.descriptor;
    return { type: 'descriptor', sentAt, name: name ?? undefined, size: size ?? undefined, partSize, key: hex(key) };
  }
  if ('text' in content) return { type: 'text', sentAt, bytes: utf8(content.text) };
  const bytes = joined(content.bytes, () => new Uint8Array());
  return 'file' in content ? { type: 'file', name: content.file, sentAt, bytes } : { type: 'text', sentAt, bytes };
}

/** And back. */
export function written(content: AnyContent): Content {
  if (content.type === 'descriptor') return writtenDescriptor(content);
  const { sentAt, bytes } = content;
  if (content.type === 'file') return { sentAt, file: content.name, bytes: toHex(bytes) };
  const text = fromUtf8(bytes);
  return text === undefined ? { sentAt, bytes: toHex(bytes) } : { sentAt, text };
}

function writtenDescriptor({ sentAt, name, size, partSize, key }: Descriptor): Content {
  return { sentAt, descriptor: { name: name ?? null, size: size ?? null, partSize, key: toHex(key) } };
}
