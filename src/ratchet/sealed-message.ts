/** A message as the ratchet hands it over; `envelope` gives it its place on the wire (docs/PROTOCOL.md §7). */
export interface SealedMessage {
  /** 24 bytes: 16 random ones and the 8 of the find tag. */
  readonly headerNonce: Uint8Array;
  /** The sealed header: header || 16-byte digest of `body` || 16-byte tag; 72 bytes, or more with a KEM field. */
  readonly sealedHeader: Uint8Array;
  /** 12-byte nonce || ciphertext || 16-byte tag. */
  readonly body: Uint8Array;
}
