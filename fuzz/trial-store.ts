/**
 * A store whose transactions are always rolled back, so that each input meets the same state. It also checks that a
 * refused message changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FindEntry } from '../src/ratchet/index.ts';
import type { SessionStore, Transaction } from '../src/session/index.ts';
import { demand } from './target.ts';

/** Aborts a transaction and carries its result out. */
class Undone<Result> extends Error {
  readonly result: Result;

  constructor(result: Result) {
    super('undone');
    this.result = result;
  }
}

export type Changes = 'anything' | 'forks' | 'nothing';

export class TrialStore<Watched> implements SessionStore {
  readonly #inner: SessionStore;
  readonly #changes: (result: Watched) => Changes;
  /** Whether the next transaction compares the state before and after, which is slow. */
  compare = false;

  /** @param changes what a transaction with this result may change. */
  constructor(inner: SessionStore, changes: (result: Watched) => Changes) {
    this.#inner = inner;
    this.#changes = changes;
  }

  async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    try {
      await this.#inner.transaction(async (transaction) => {
        const before = this.compare ? await dump(transaction) : undefined;
        const result = await work(transaction);
        const changes = this.#changes(result as unknown as Watched);
        if (before !== undefined && changes !== 'anything') {
          const after = await dump(transaction);
          const same =
            changes === 'forks'
              ? isDeepStrictEqual(withoutForks(before), withoutForks(after))
              : isDeepStrictEqual(before, after);
          demand(same, 'what is refused changes nothing');
        }
        throw new Undone(result);
      });
      throw new Error('a trial is always undone');
    } catch (error) {
      if (error instanceof Undone) return error.result;
      throw error;
    }
  }

  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#inner.snapshot(work);
  }
}

type Dump = Awaited<ReturnType<typeof dump>>;

async function dump(view: Transaction) {
  const contacts = await view.contacts();
  const sessions = (await Promise.all(contacts.map(({ id }) => view.sessions(id)))).flat();
  return {
    contacts,
    sessions,
    invites: await view.invites(),
    inbox: await view.inbox(),
    incoming: await view.incoming(),
    finds: await findsOf(view),
    states: await Promise.all(sessions.map(({ id }) => view.ratchetState(id))),
    missing: await Promise.all(sessions.map(({ id }) => view.missingMessages(id))),
  };
}

async function findsOf(view: Transaction): Promise<FindEntry[]> {
  const entries: FindEntry[] = [];
  await view.findEntry((entry) => {
    entries.push(entry);
    return false;
  });
  return entries;
}

/** An answer to a chain that was never begun also holds the sessions of its contact (docs/PROTOCOL.md §8). */
function withoutForks(all: Dump) {
  return { ...all, sessions: all.sessions.map((session) => ({ ...session, fork: undefined, held: false })) };
}
