import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';

const PAGE = 4096;
/** At the end of each page: 16 bytes of IV, 64 of tag. */
const RESERVED = 80;

/** Every page of a file of SQLCipher 4, decrypted by hand: what a thief of the key could read. */
export function decryptedPages(path: string, key: Uint8Array): Buffer {
  const file = readFileSync(path);
  const pages: Buffer[] = [];
  for (let start = 0; start < file.length; start += PAGE) {
    const end = start + PAGE - RESERVED;
    const cipher = createDecipheriv('aes-256-cbc', key, file.subarray(end, end + 16)).setAutoPadding(false);
    // Page 1 begins with the salt.
    pages.push(cipher.update(file.subarray(start === 0 ? 16 : start, end)));
  }
  return Buffer.concat(pages);
}
