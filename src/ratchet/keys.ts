import { type Branded, hmacSha256, utf8 } from '../primitives/index.ts';

/** 32 bytes: stands behind every chain; replaced at each DH step. */
export type RootKey = Branded<'root key'>;
/** 32 bytes: gives one message key and the next chain key. */
export type ChainKey = Branded<'chain key'>;
/** 32 bytes: seals one body, once. */
export type MessageKey = Branded<'message key'>;
/** 32 bytes: seals the headers of one chain. */
export type HeaderKey = Branded<'header key'>;
/** 32 bytes: tells cheaply whether a header was sealed under the header key that it belongs to. */
export type FindKey = Branded<'find key'>;

export interface HeaderKeys {
  readonly header: HeaderKey;
  readonly find: FindKey;
}

const FIND = utf8('pawl/1 find');

/** A header key with its find key (docs/PROTOCOL.md §5). */
export function headerKeysOf(header: HeaderKey): HeaderKeys {
  return { header, find: hmacSha256(header, FIND) as FindKey };
}
