import { PawlError } from '../errors.ts';
import {
  concat,
  ENCAPSULATION_KEY_LENGTH,
  KEM_CIPHERTEXT_LENGTH,
  type KemCiphertext,
  Reader,
  readPublicKey,
  uint,
  type X25519PublicKey,
} from '../primitives/index.ts';
import type { ReceivedKemField } from './rekeying.ts';

/** The header of a message in clear form: 40 bytes on the wire, dh || n || pn (docs/PROTOCOL.md §5), and a KEM field (§6). */
export interface Header {
  /** The sender's ratchet key. */
  readonly dh: X25519PublicKey;
  /** The message's position in its chain. */
  readonly n: number;
  /** The length of the sender's chain before this one. */
  readonly pn: number;
  /** Of a chain that has to do with an exchange of KEM keys; its length tells which field it is. */
  readonly kem?: ReceivedKemField;
}

export function encodeHeader(header: Header): Uint8Array {
  return concat(header.dh, uint(header.n, 4), uint(header.pn, 4), bytesOf(header.kem));
}

/**
 * @param bytes 40 bytes, and behind them nothing, an encapsulation key or a ciphertext.
 * @throws `corrupt` for any other length, `weak-key` for a ratchet key that `readPublicKey` refuses.
 */
export function decodeHeader(bytes: Uint8Array): Header {
  const reader = new Reader(bytes, () => {
    throw new PawlError('corrupt', { what: 'message header' });
  });
  const dh = reader.take(32);
  const n = reader.uint(4);
  const pn = reader.uint(4);
  const kem = readKemField(reader);
  reader.end();
  return { dh: readPublicKey(dh, 'ratchet key'), n, pn, ...(kem && { kem }) };
}

function readKemField(reader: Reader): ReceivedKemField | undefined {
  switch (reader.left) {
    case ENCAPSULATION_KEY_LENGTH:
      return { kind: 'offer', key: reader.rest() };
    case KEM_CIPHERTEXT_LENGTH:
      return { kind: 'answer', ciphertext: reader.rest() as KemCiphertext };
    default:
      return undefined;
  }
}

function bytesOf(field: ReceivedKemField | undefined): Uint8Array {
  if (field === undefined) return NOTHING;
  return field.kind === 'offer' ? field.key : field.ciphertext;
}

const NOTHING = new Uint8Array(0);
