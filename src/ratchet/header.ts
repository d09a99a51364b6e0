import { PawlError } from '../errors.ts';
import { concat, Reader, readPublicKey, uint, type X25519PublicKey } from '../primitives/index.ts';

/** The header of a message in clear form: 40 bytes on the wire, dh || n || pn (docs/PROTOCOL.md §5). */
export interface Header {
  /** The sender's ratchet key. */
  readonly dh: X25519PublicKey;
  /** The message's position in its chain. */
  readonly n: number;
  /** The length of the sender's chain before this one. */
  readonly pn: number;
}

export function encodeHeader(header: Header): Uint8Array {
  return concat(header.dh, uint(header.n, 4), uint(header.pn, 4));
}

/** @throws `corrupt` unless `bytes` is 40 bytes long, `weak-key` for a ratchet key that `readPublicKey` refuses. */
export function decodeHeader(bytes: Uint8Array): Header {
  const reader = new Reader(bytes, () => {
    throw new PawlError('corrupt', { what: 'message header' });
  });
  const dh = reader.take(32);
  const n = reader.uint(4);
  const pn = reader.uint(4);
  reader.end();
  return { dh: readPublicKey(dh, 'ratchet key'), n, pn };
}
