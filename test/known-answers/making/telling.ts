import { createIdentity } from '../../../src/handshake/index.ts';
import { digest, type Random, toHex, utf8 } from '../../../src/primitives/index.ts';
import { hex } from '../../primitives/hex.ts';
import { joined, type Named, slice } from '../bytes.ts';
import type { Bytes, Content, Hex, Step, Story } from '../format.ts';
import type { Names } from './names.ts';
import { type Mail, Person } from './person.ts';

/** Of an envelope, in front of everything (docs/PROTOCOL.md §7). */
const HEAD = 10;
/** Bytes in common that are worth a slice. */
const MUCH = 64;

/** A story while it is told: its people act by the code, and what they do is written down. */
export class Telling {
  readonly names: Names;
  readonly #name: string;
  readonly #tells: string;
  readonly #after: Telling | undefined;
  readonly #people = new Map<string, Person>();
  readonly #steps: Step[] = [];
  readonly #made = new Map<string, number>();
  readonly #envelopes: Named[] = [];

  /** `after`: the story at whose end this one begins. */
  constructor(name: string, tells: string, { names, after }: { names: Names; after?: Telling }) {
    this.#name = name;
    this.#tells = tells;
    this.#after = after;
    this.names = names;
  }

  /**
   * Somebody new, or one of the people of the story before. `fills`: what the draws consist of, in their order; past them
   * they come from a digest.
   */
  person(name: string, fills: readonly number[] = []): Person {
    const known = this.#after?.known(name);
    if (known !== undefined) return this.#fileOf(known, name);
    const random = drawing(`${this.#name}: ${name}`, fills);
    const person = new Person(this, name, createIdentity(random), random);
    this.#people.set(name, person);
    return person;
  }

  /** One of the people of this story. */
  known(name: string): Person | undefined {
    return this.#people.get(name);
  }

  /** A copy of someone's file: from here on the two go separate ways. */
  copy(of: Person, as: string): Person {
    this.step({ do: 'copy', of: of.name, as });
    return this.#fileOf(of, as);
  }

  /** An envelope that no honest pawl sends; `made` says how it was made, and `envelope` of what parts, where of any. */
  forge(as: string, made: string, envelope: Uint8Array | Bytes, content?: Content): Mail {
    const bytes = envelope instanceof Uint8Array ? envelope : joined(envelope, this.names.bytes);
    const mail = { ...this.names.add(`${this.#name}/${as}`, bytes), content };
    const parts = envelope instanceof Uint8Array ? this.shortened(mail) : envelope;
    this.step({ do: 'forge', as: mail.name, made, envelope: parts });
    return mail;
  }

  /** An envelope in hex; but what it has in common with one before, as many openings have, as a slice of that. */
  shortened({ name, bytes }: Named): Bytes {
    const shared = this.#envelopes.map((known) => ({ other: known, end: commonEnd(known.bytes, bytes) }));
    const [longest] = shared.sort((a, b) => b.end - a.end);
    this.#envelopes.push({ name, bytes });
    if (longest === undefined || longest.end < HEAD + MUCH) return toHex(bytes);
    const { other, end } = longest;
    return [toHex(bytes.subarray(0, HEAD)), ...slice(other, HEAD, end), toHex(bytes.subarray(end))];
  }

  /** A long value: the first of its kind in the file as it is, others as their H_16. */
  firstWhole(kind: string, value: Hex): Hex {
    return this.names.isFirst(kind) ? value : toHex(digest(16, hex(value)));
  }

  /** An envelope or invite of this story or one before. */
  named(name: string): Named {
    return { name, bytes: this.names.bytes(name) };
  }

  step(step: Step): void {
    this.#steps.push(step);
  }

  /** Numbers what `by` makes: `meeting/alice 1`. */
  nameFor(by: string): string {
    const count = (this.#made.get(by) ?? 0) + 1;
    this.#made.set(by, count);
    return `${this.#name}/${by} ${count}`;
  }

  told(): Story {
    const seeds = [...this.#people].map(([name, { identity }]) => [name, toHex(identity.seed)] as const);
    return {
      name: this.#name,
      tells: this.#tells,
      ...(this.#after && { after: this.#after.#name }),
      people: Object.fromEntries(seeds),
      steps: this.#steps,
    };
  }

  #fileOf({ identity, now, store }: Person, name: string): Person {
    const person = new Person(this, name, identity, drawing(`${this.#name}: ${name}`));
    person.now = now;
    person.store.restore(store.data);
    return person;
  }
}

/** Where two envelopes begin to differ, behind their heads. */
function commonEnd(a: Uint8Array, b: Uint8Array): number {
  let end = HEAD;
  while (end < a.length && a[end] === b[end]) end++;
  return end;
}

/** At most 64 bytes at a time, the same in every run. */
export function drawing(label: string, fills: readonly number[] = []): Random {
  let count = 0;
  return (length) => {
    const draw = count++;
    const fill = fills[draw];
    return fill === undefined
      ? digest(length, utf8(`pawl/1 vectors: ${label}: ${draw}`))
      : new Uint8Array(length).fill(fill);
  };
}
