/**
 * The rollback mark: the highest generation of an identity file that this machine has seen (docs/PROTOCOL.md §8).
 * Does not know what happens when a file is older than its mark.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, withDraft } from '../files/index.ts';
import { concat, equal, hmacSha256, type IdentitySeed, Reader, toHex, uint64, utf8 } from '../primitives/index.ts';

const LENGTH = 8 + 32;

/**
 * A file outside of the identity file that holds its generation, so that an older copy of the identity file is
 * recognized. Its name and its HMAC are computed with keys from the identity seed: it reveals nothing, and nobody else
 * can forge it.
 */
export class Mark {
  readonly #path: string;
  readonly #key: Uint8Array;

  /** @param folder the folder of the marks. It is created when a mark is written. */
  constructor(folder: string, seed: IdentitySeed) {
    this.#key = hmacSha256(seed, utf8('pawl/1 mark'));
    const name = hmacSha256(seed, utf8('pawl/1 mark name'));
    this.#path = join(folder, toHex(name.subarray(0, 16)));
  }

  /** Reads the marked generation; 0 when there is no mark, or when its HMAC is wrong. */
  read(): number {
    try {
      const bytes = new Uint8Array(readFileSync(this.#path));
      const generation = bytes.subarray(0, 8);
      if (bytes.length !== LENGTH || !equal(bytes.subarray(8), hmacSha256(this.#key, generation))) return 0;
      return new Reader(generation, notOurs).uint64(Number.MAX_SAFE_INTEGER);
    } catch {
      return 0;
    }
  }

  /**
   * Marks a committed generation. Ignores errors: the commit has happened, and without the mark only the protection
   * against a rollback is weaker. The mark may fall behind the file, but is never ahead of it.
   */
  write(generation: number): void {
    if (generation <= this.read()) return;
    const bytes = uint64(generation);
    try {
      makeFolder(dirname(this.#path));
      withDraft(this.#path, (draft, file) => {
        writeFileSync(file, concat(bytes, hmacSha256(this.#key, bytes)));
        renameSync(draft, this.#path);
      });
    } catch {}
  }
}

function notOurs(): never {
  throw new Error('a mark that is not ours');
}
