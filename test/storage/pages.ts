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
    pages.push(decryptedPage(file.subarray(start, start + PAGE), start === 0, key));
  }
  return Buffer.concat(pages);
}

/** And every page in its journal: those of before, which a commit that is under way would undo itself with. */
export function decryptedJournal(path: string, key: Uint8Array): Buffer {
  const journal = readFileSync(`${path}-journal`);
  const pages: Buffer[] = [];
  // Behind a header of one sector, each page has its number in front and a checksum behind.
  for (let start = journal.readUInt32BE(20); start + PAGE + 8 <= journal.length; start += PAGE + 8) {
    const number = journal.readUInt32BE(start);
    pages.push(decryptedPage(journal.subarray(start + 4, start + 4 + PAGE), number === 1, key));
  }
  return Buffer.concat(pages);
}

function decryptedPage(page: Buffer, isFirst: boolean, key: Uint8Array): Buffer {
  const end = PAGE - RESERVED;
  const cipher = createDecipheriv('aes-256-cbc', key, page.subarray(end, end + 16)).setAutoPadding(false);
  // The first begins with the salt.
  return cipher.update(page.subarray(isFirst ? 16 : 0, end));
}
