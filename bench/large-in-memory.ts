import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { MAX_CONTENT } from '../src/envelope/index.ts';
import { meet } from './conversation.ts';
import { type Figure, median } from './measure.ts';

const ROUNDS = 9;

/** The largest content in one message, and beside it what node:crypto alone takes for the same bytes. ms. */
export function largeInMemory(): readonly Figure[] {
  const content = new Uint8Array(MAX_CONTENT).fill(0x61);
  const [alice, bob] = meet(new Uint8Array(100));
  const times = new Map<string, number[]>();
  const time = <Result>(name: string, work: () => Result): Result => {
    const start = performance.now();
    const result = work();
    times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
    return result;
  };
  for (let round = 0; round <= ROUNDS; round++) {
    const [key, nonce] = [randomBytes(32), randomBytes(12)];
    const [ciphertext, tag] = time('node:crypto, encrypt', () => encrypt(key, nonce, content));
    time('node:crypto, decrypt', () => decrypt(key, nonce, ciphertext, tag));
    const envelope = time('encrypt', () => alice.send(content));
    time('decrypt', () => bob.receive(envelope));
  }
  const of = (name: string) => median(times.get(name)?.slice(1) ?? []);
  return ['encrypt', 'decrypt'].flatMap((name) => [
    { name: `node:crypto's ChaCha20-Poly1305, ${name}`, value: of(`node:crypto, ${name}`) },
    { name: `a message, ${name}`, value: of(name), ratio: of(name) / of(`node:crypto, ${name}`) },
  ]);
}

function encrypt(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): [ciphertext: Uint8Array, tag: Uint8Array] {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return [ciphertext, cipher.getAuthTag()];
}

function decrypt(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  decipher.final();
  return plaintext;
}
