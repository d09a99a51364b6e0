/**
 * The rollback mark: the highest generation of an identity that this machine has seen (docs/PROTOCOL.md §8).
 * Does not know what happens when an identity is older than its mark.
 */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, makeFolder, reasonOf, withDraft } from '../files/index.ts';
import { concat, equal, hmacSha256, type IdentitySeed, Reader, toHex, uint64, utf8 } from '../primitives/index.ts';

const HMAC_LENGTH = 32;
/** Of the generation, and of what is marked of a commit beside it. */
const GENERATION_LENGTH = 8;
const COMMIT_LENGTH = 16 + 8;

/** What is marked of a commit where other machines commit as well. */
export interface MarkedCommit {
  /** 16 random bytes. */
  readonly id: Uint8Array;
  /** How often all sessions had been held until then. */
  readonly holds: number;
}

/** What is known of a mark: nothing where there is none. */
export interface MarkReading {
  /** The highest generation that was marked. */
  readonly generation?: number;
  /** That commit, if it was marked. */
  readonly commit?: MarkedCommit | undefined;
  /** Why the mark could not be read. */
  readonly trouble?: string;
}

/**
 * A file that holds the generation of an identity, apart from the identity itself, so that an older copy of that is
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

  /** Reads the mark, and waits for nothing that has its name. One whose HMAC is wrong, as after a power cut while it was written, counts as none. */
  read(): MarkReading {
    try {
      const bytes = readWithoutWaiting(this.#path);
      const end = Math.max(0, bytes.length - HMAC_LENGTH);
      const body = bytes.subarray(0, end);
      const isOurs = end === GENERATION_LENGTH || end === GENERATION_LENGTH + COMMIT_LENGTH;
      if (!isOurs || !equal(bytes.subarray(end), hmacSha256(this.#key, body))) return {};
      const reader = new Reader(body, notOurs);
      const generation = reader.uint64(Number.MAX_SAFE_INTEGER);
      if (reader.left === 0) return { generation };
      return { generation, commit: { id: reader.take(16), holds: reader.uint64(Number.MAX_SAFE_INTEGER) } };
    } catch (cause) {
      return codeOf(cause) === 'ENOENT' ? {} : { trouble: reasonOf(cause) };
    }
  }

  /**
   * Marks a committed generation. The mark may fall behind the identity, but is never ahead of it. In a folder of another
   * user, which root writes to, the mark is given to that user.
   * @returns why it could not be written. The commit has happened, so that is no error.
   */
  write(generation: number, commit?: MarkedCommit): string | undefined {
    if (!isAhead({ generation, commit }, this.read())) return undefined;
    const body =
      commit === undefined ? uint64(generation) : concat(uint64(generation), commit.id, uint64(commit.holds));
    try {
      makeFolder(dirname(this.#path));
      withDraft(this.#path, (draft, file) => {
        writeFileSync(file, concat(body, hmacSha256(this.#key, body)));
        giveTo(file, dirname(this.#path));
        renameSync(draft, this.#path);
      });
      return undefined;
    } catch (cause) {
      return reasonOf(cause);
    }
  }
}

/** Whether a commit is newer than what is marked. Of another one that all sessions were held for since, the generation says nothing. */
function isAhead(next: MarkReading, marked: MarkReading): boolean {
  const [holds, markedHolds] = [next.commit?.holds ?? 0, marked.commit?.holds ?? 0];
  const isOfCommits = next.commit !== undefined && marked.commit !== undefined;
  if (isOfCommits && holds !== markedHolds) return holds > markedHolds;
  return (next.generation ?? -1) > (marked.generation ?? -1);
}

/** Opening a pipe would wait for its other end. Throws what the system throws. */
function readWithoutWaiting(path: string): Uint8Array {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new Uint8Array(readFileSync(file));
  } finally {
    closeSync(file);
  }
}

/** Gives a file the owner of the folder, where that is another one. Only root can; for others it stays theirs. */
function giveTo(file: number, folder: string): void {
  const { uid, gid } = statSync(folder);
  if (fstatSync(file).uid === uid) return;
  try {
    fchownSync(file, uid, gid);
  } catch {}
}

function notOurs(): never {
  throw new Error('a mark that is not ours');
}
