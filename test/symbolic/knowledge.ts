import { argument, ciphertext, encapsulationKey, montgomery, type Term } from './terms.ts';

/** What an attacker knows: everything seen, everything that can be taken apart, everything that can be built of it. */
export class Knowledge {
  /** A quantum computer finds discrete logarithms; it does nothing to a KEM, a hash or an AEAD. */
  readonly quantum: boolean;
  readonly #known: Set<Term>;
  /** Seen, and closed so far: their keys may still become known. */
  readonly #closed: Set<Term>;

  private constructor(quantum: boolean, known: Set<Term>, closed: Set<Term>) {
    this.quantum = quantum;
    this.#known = known;
    this.#closed = closed;
  }

  static nothing(quantum: boolean): Knowledge {
    return new Knowledge(quantum, new Set(), new Set());
  }

  /** The terms that are known as they stand. */
  get known(): ReadonlySet<Term> {
    return this.#known;
  }

  learn(...seen: readonly Term[]): Knowledge {
    const after = new Knowledge(this.quantum, new Set(this.#known), new Set(this.#closed));
    after.#take(seen);
    return after;
  }

  #take(seen: readonly Term[]): void {
    const queue = [...seen];
    while (queue.length > 0) {
      for (let term = queue.pop(); term !== undefined; term = queue.pop()) {
        if (this.#known.has(term)) continue;
        this.#known.add(term);
        if (term.op === 'tuple') queue.push(...term.args);
        else if (term.op === 'signed') queue.push(argument(term, 1));
        else if (term.op === 'identity') queue.push(montgomery(term));
        else if (['sealed', 'ciphertext', 'point'].includes(term.op)) this.#closed.add(term);
      }
      for (const term of this.#closed) {
        const inside = this.#opened(term);
        if (inside === undefined) continue;
        this.#closed.delete(term);
        queue.push(inside);
      }
    }
  }

  /** What is inside of a term, for whoever has the key to it. */
  #opened({ op, args }: Term): Term | undefined {
    const [first, second] = args;
    switch (op) {
      case 'sealed':
        return first !== undefined && this.derives(first) ? args[2] : undefined;
      case 'ciphertext': {
        // Who has the decapsulation key finds the sender's randomness too, and could encapsulate it anew for another key.
        const seed = first?.op === 'encapsulation key' ? first.args[0] : undefined;
        return seed !== undefined && this.derives(seed) ? second : undefined;
      }
      case 'point': {
        if (!this.quantum) return undefined;
        const unknown = args.filter((factor) => !this.#known.has(factor));
        return unknown.length === 1 ? unknown[0] : undefined;
      }
      default:
        return undefined;
    }
  }

  derives(term: Term): boolean {
    if (this.#known.has(term)) return true;
    const { op, args } = term;
    switch (op) {
      case 'word':
        return true;
      case 'secret':
        return false;
      case 'point':
        return this.#multiplies(term);
      case 'kem secret': {
        const [key, randomness] = args;
        if (key === undefined || randomness === undefined) return false;
        const seed = key.args[0];
        const decapsulates = seed !== undefined && key === encapsulationKey(seed) && this.derives(seed);
        return decapsulates ? this.derives(ciphertext(key, randomness)) : args.every((one) => this.derives(one));
      }
      default:
        return args.every((one) => this.derives(one));
    }
  }

  /** From the base point, or from a point that is known, by secrets that are known. */
  #multiplies({ args }: Term): boolean {
    if (args.every((factor) => this.#known.has(factor))) return true;
    for (const { op, args: done } of this.#known) {
      if (op !== 'point') continue;
      const rest = [...args];
      const isPart = done.every((factor) => {
        const at = rest.indexOf(factor);
        if (at >= 0) rest.splice(at, 1);
        return at >= 0;
      });
      if (isPart && rest.every((factor) => this.#known.has(factor))) return true;
    }
    return false;
  }
}
