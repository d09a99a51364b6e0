/** Thin typed doors to node:crypto and noble. Nothing here is a primitive of our own. */
export * from './aead.ts';
export * from './bytes.ts';
export * from './kdf.ts';
export * from './kem.ts';
export * from './random.ts';
export * from './reader.ts';
export * from './signing.ts';
export * from './x25519.ts';
