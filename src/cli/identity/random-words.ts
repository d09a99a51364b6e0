import { wordlist } from '@scure/bip39/wordlists/english.js';
import type { Random } from '../../primitives/index.ts';

/** Ten of 2,048 words are 110 bits: more than anybody can try, before Argon2id makes each try slow. */
const WORDS = 10;

/** A passphrase that can be written down and typed: ten random words of the BIP-39 list, with dashes between them. */
export function randomWords(random: Random): string {
  const bytes = random(2 * WORDS);
  const words = Array.from({ length: WORDS }, (_, i) => {
    // The list has 2^11 words, so each is as likely.
    const index = (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)) % wordlist.length;
    return wordlist[index] ?? '';
  });
  return words.join('-');
}
