import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../src/primitives/index.ts';
import { deriveFileKey } from '../../src/storage/index.ts';

describe('the key of an identity file', () => {
  it('is Argon2id of passphrase and salt', async () => {
    const key = await deriveFileKey(utf8('correct horse battery staple'), utf8('sixteen byte sal'));
    // Made with @noble/hashes 2.4.0: argon2id, version 0x13, t = 3, m = 65536 KiB, p = 4, 32 bytes.
    expect(toHex(key)).toBe('7d19815288ee3c6eda4ea9b0c1a7a547fcb6e0c96953d57f1d9d743582c32ade');
    expect(Object.getPrototypeOf(key)).toBe(Uint8Array.prototype);
  });
});
