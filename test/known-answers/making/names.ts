import { toHex } from '../../../src/primitives/index.ts';
import type { Named } from '../bytes.ts';

/** Every envelope and every invite of the file, by its name. */
export class Names {
  readonly #bytes = new Map<string, Uint8Array>();
  readonly #kinds = new Set<string>();

  add(name: string, bytes: Uint8Array): Named {
    if (this.#bytes.has(name)) throw new Error(`there are two ${name}`);
    this.#bytes.set(name, bytes);
    return { name, bytes };
  }

  /** The bytes of a name, for `joined`. */
  readonly bytes = (name: string): Uint8Array => {
    const bytes = this.#bytes.get(name);
    if (bytes === undefined) throw new Error(`no ${name}`);
    return bytes;
  };

  /** The name of some bytes. */
  find(bytes: Uint8Array): Named {
    const spelled = toHex(bytes);
    for (const [name, known] of this.#bytes) if (toHex(known) === spelled) return { name, bytes };
    throw new Error('bytes without a name');
  }

  /** Whether there has been no other of that kind. */
  isFirst(kind: string): boolean {
    const { size } = this.#kinds;
    return this.#kinds.add(kind).size > size;
  }
}
