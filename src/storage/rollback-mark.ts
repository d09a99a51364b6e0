import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, withDraft } from '../files/index.ts';
import { concat, equal, hmacSha256, type IdentitySeed, Reader, toHex, uint64, utf8 } from '../primitives/index.ts';

const LENGTH = 8 + 32;

/**
 * How far this machine has seen an identity file go: its generation, kept outside of it, so that an older copy in its
 * place is noticed (docs/PROTOCOL.md §8). Named and sealed by keys of the identity's own: it tells others nothing, and
 * nobody else can set it.
 */
export class Mark {
  readonly #path: string;
  readonly #key: Uint8Array;

  /** @param folder where marks are kept; it is made when one is written. */
  constructor(folder: string, seed: IdentitySeed) {
    this.#key = hmacSha256(seed, utf8('pawl/1 mark'));
    const name = hmacSha256(seed, utf8('pawl/1 mark name'));
    this.#path = join(folder, toHex(name.subarray(0, 16)));
  }

  /** The generation that was marked last; 0 where none was, or where the mark is not ours. */
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
   * Marks a generation that has been committed. One that cannot be written is a protection less and no reason to fail:
   * what it stands for has happened already. The mark may fall behind the file, and never gets ahead of it.
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
