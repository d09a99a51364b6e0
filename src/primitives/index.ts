/**
 * Typed wrappers of node:crypto and noble. Contains no algorithm of our own, and knows nothing of the protocol.
 */
export * from './aead.ts';
export * from './bytes.ts';
export * from './kdf.ts';
export * from './kem.ts';
export * from './random.ts';
export * from './reader.ts';
export * from './signing.ts';
export * from './x25519.ts';
