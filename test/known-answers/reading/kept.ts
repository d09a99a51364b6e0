import type { RatchetState, SessionId, SkippedKey } from '../../../src/ratchet/index.ts';
import type { Session, SessionStore, Transaction } from '../../../src/session/index.ts';
import { sessionName } from '../session-name.ts';
import type { Kept } from '../state-of.ts';

/** What `ask` finds out about the session of that name; `undefined` where there is none. */
export async function about<Answer>(
  store: SessionStore,
  name: string,
  ask: (view: Transaction, session: Session, state: RatchetState) => Promise<Answer>,
): Promise<Answer | undefined> {
  return store.snapshot(async (view) => {
    const session = (await allSessions(view)).find((one) => sessionName(one) === name);
    return session && ask(view, session, await view.ratchetState(session.id));
  });
}

/** All that a store keeps of a session. */
export async function kept(store: SessionStore, name: string): Promise<Kept | undefined> {
  return about(store, name, async (view, { id, lost, fork }, state) => {
    const finished = await finishedChains(view, id);
    const lengths = [...finished.map(({ chain, length }) => [chain, length] as const), ...current(state)];
    const skipped: SkippedKey[] = [];
    const accepted: { chain: number; n: number; digest: Uint8Array }[] = [];
    for (const [chain, length] of lengths) {
      for (let n = 0; n < length; n++) {
        const { messageKey, digest } = await view.keptPosition(id, chain, n);
        if (messageKey !== undefined) skipped.push({ chain, n, messageKey });
        if (digest !== undefined) accepted.push({ chain, n, digest });
      }
    }
    return { state, finished, skipped, accepted, lost, fork };
  });
}

/** What a refused message must leave alone, and what a fork may set. */
interface Untouched {
  readonly kept: unknown;
  /** The fork marks of the sessions. */
  readonly forks: readonly string[];
  /** Whether each session is held. */
  readonly held: readonly boolean[];
}

/** Reads it. What may have outlived its time meanwhile is left out. */
export async function untouched(store: SessionStore): Promise<Untouched> {
  return store.snapshot(async (view) => {
    const sessions = await allSessions(view);
    const forks: string[] = [];
    const records: unknown[] = [await view.contacts(), await awaitedIn(view)];
    for (const { id, fork, held: _held, lost: _lost, ...session } of sessions) {
      const state = await view.ratchetState(id);
      records.push(session, state, await finishedChains(view, id));
      if (fork !== undefined) forks.push(fork.reason);
    }
    return { kept: records, forks, held: sessions.map(({ held }) => held) };
  });
}

/** The contents in parts that are awaited, with their parts. */
export async function awaited(store: SessionStore) {
  return store.snapshot(awaitedIn);
}

async function awaitedIn(view: Transaction) {
  return Promise.all((await view.incoming()).map(async (row) => ({ row, parts: await view.receivedParts(row.id) })));
}

async function allSessions(view: Transaction): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  for (const { id } of await view.contacts()) sessions.push(...(await view.sessions(id)));
  return sessions;
}

async function finishedChains(view: Transaction, id: SessionId) {
  const chains = await view.finishedChains(id);
  return Promise.all(chains.map(({ chain }) => view.finishedChain(id, chain)));
}

/** The chain that is being received, and its next position. */
function current({ receiving }: RatchetState): readonly (readonly [chain: number, n: number])[] {
  return receiving.kind === 'chain' ? [[receiving.chain, receiving.n]] : [];
}
