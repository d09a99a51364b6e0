/**
 * What pawl uses of node:crypto in newer versions of Node than the oldest that it runs on, whose types the rest of it
 * is checked with. `hasRawKeys` and `hasNodeKem` look for it before it is used.
 */
export {};

declare module 'crypto' {
  interface RawPrivateKey {
    readonly format: 'raw-private' | 'raw-seed';
    readonly asymmetricKeyType: 'x25519' | 'ed25519' | 'ml-kem-768';
    readonly key: Uint8Array;
  }
  interface RawPublicKey {
    readonly format: 'raw-public';
    readonly asymmetricKeyType: 'x25519' | 'ed25519' | 'ml-kem-768';
    readonly key: Uint8Array;
  }
  interface KeyObject {
    export(options: { readonly format: 'raw-public' }): Buffer;
  }
  function createPrivateKey(key: RawPrivateKey): KeyObject;
  function createPublicKey(key: RawPublicKey): KeyObject;
  function encapsulate(key: KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
  function decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer;
}
