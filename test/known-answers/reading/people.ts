import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity, type OwnIdentity } from '../../../src/handshake/index.ts';
import { createIdentityFile, type FileKey, openIdentityFile, type SqliteStore } from '../../../src/storage/index.ts';
import { hex } from '../../primitives/hex.ts';

const LOCK = { key: new Uint8Array(32).fill(1) as FileKey, salt: new Uint8Array(16).fill(2) };

/** Somebody whose story is read: an identity file. */
export interface Reader {
  readonly identity: OwnIdentity;
  readonly path: string;
  readonly store: SqliteStore;
}

/** The people of the stories that are read, by story and name, and their files in one folder. */
export class People {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pawl-known-answers-'));
  readonly #people = new Map<string, Reader>();

  create(story: string, name: string, seed: string): void {
    const identity = createIdentity(() => hex(seed));
    const path = this.#newPath();
    createIdentityFile(path, LOCK, { name: 'somebody', identity, createdAt: 0 });
    this.#open(story, name, identity, path);
  }

  copy(of: Reader, story: string, name: string): void {
    const path = this.#newPath();
    copyFileSync(of.path, path);
    this.#open(story, name, of.identity, path);
  }

  of(story: string): readonly [name: string, person: Reader][] {
    const prefix = `${story}: `;
    return [...this.#people].flatMap(([key, person]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), person]] : [],
    );
  }

  get(story: string, name: string): Reader {
    const person = this.#people.get(`${story}: ${name}`);
    if (person === undefined) throw new Error(`no ${name} in ${story}`);
    return person;
  }

  /** Closes the files, and deletes them. */
  close(): void {
    for (const { store } of this.#people.values()) store.close();
    rmSync(this.#folder, { recursive: true });
  }

  #newPath(): string {
    return join(this.#folder, `${this.#people.size}.db`);
  }

  #open(story: string, name: string, identity: OwnIdentity, path: string): void {
    const store = openIdentityFile(path, LOCK, { wait: 0 });
    this.#people.set(`${story}: ${name}`, { identity, path, store });
  }
}
