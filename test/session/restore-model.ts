import { PawlError } from '../../src/errors.ts';
import { toHex } from '../../src/primitives/index.ts';
import { DAY, goOnAfterRestore } from '../../src/session/index.ts';
import { wordFor } from './party.ts';
import { RestorableParty, type Snapshot } from './snapshots.ts';

export type Side = 'alice' | 'bob';
export const other = (side: Side): Side => (side === 'alice' ? 'bob' : 'alice');

export type Step =
  | { readonly do: 'send'; readonly from: Side; readonly count: number }
  /** The oldest that was never delivered, nor lost. */
  | { readonly do: 'deliver'; readonly to: Side }
  /** Any message of any age, maybe once more. */
  | { readonly do: 'deliver-any'; readonly pick: number }
  | { readonly do: 'lose'; readonly to: Side }
  /** A day passes for both: long enough that a KEM key is offered with the next chain. */
  | { readonly do: 'wait' }
  | { readonly do: 'introduce'; readonly by: Side };

/** A message, and what only its sender knows of it. */
export interface Message {
  readonly from: Side;
  readonly text: string;
  readonly envelope: Uint8Array;
  readonly session: string;
  /** The header key of its chain, and of its sender's next one. */
  readonly header: string;
  readonly next: string;
  readonly dh: string;
  readonly n: number;
  readonly pn: number;
  readonly id: string;
  /** The DH key of the chain that it answers, if it answers one. */
  readonly answers: string | undefined;
  /** Sent after the restore, by whichever side. */
  readonly afterwards: boolean;
}

/** What a side's file remembers: of the messages it accepted, and of the chains it began. */
interface Memory {
  readonly accepted: readonly Message[];
  readonly chains: ReadonlySet<string>;
}

export interface Event {
  readonly to: Side;
  readonly message: Message;
  readonly word: string;
  /** The rule by which the receiver saw a fork, in a message that was refused or accepted. */
  readonly fork: string | undefined;
  /** What an observer of both sides sees the message contradict, of what the receiver's file remembers. */
  readonly contradiction: string | undefined;
  readonly afterwards: boolean;
}

/** Two people, a channel that loses and repeats, and one file that is replaced by an older copy of itself. */
export class RestoreModel {
  readonly parties: Record<Side, RestorableParty> = {
    alice: new RestorableParty('alice'),
    bob: new RestorableParty('bob'),
  };
  readonly messages: Message[] = [];
  readonly events: Event[] = [];
  readonly refusedToSend: string[] = [];
  restored: Side | undefined;
  /** The sessions of the copy that was put back. */
  #sessions: ReadonlySet<string> = new Set();
  readonly #onTheWay: Record<Side, Message[]> = { alice: [], bob: [] };
  readonly #memory: Record<Side, Memory> = {
    alice: { accepted: [], chains: new Set() },
    bob: { accepted: [], chains: new Set() },
  };

  copy(side: Side): () => boolean {
    const snapshot: Snapshot = this.parties[side].copy();
    const memory = this.#memory[side];
    return () => {
      const matters = isNewer(this.parties[side].copy(), snapshot);
      this.parties[side].restore(snapshot);
      this.#memory[side] = memory;
      this.restored = side;
      this.#sessions = new Set(snapshot.sessions.map(({ transcript }) => toHex(transcript)));
      return matters;
    };
  }

  async goOn(side: Side): Promise<void> {
    await goOnAfterRestore(this.parties[side].context);
  }

  async introduce(by: Side): Promise<void> {
    const invite = await this.parties[by].invite(other(by));
    await this.parties[other(by)].add(by, invite);
  }

  /** @returns the message, or the code of the refusal. */
  async send(from: Side): Promise<Message | string> {
    const party = this.parties[from];
    const text = `${from} ${this.messages.length}`;
    party.time += 1_000;
    const before = new Set(party.copy().sessions.map(({ state }) => state));
    let sent: Awaited<ReturnType<RestorableParty['send']>>;
    try {
      sent = await party.send(other(from), text);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      this.refusedToSend.push(error.code);
      return error.code;
    }
    const session = party.copy().sessions.find(({ state }) => !before.has(state));
    if (session?.state.sending.kind !== 'chain') throw new Error('something was sent');
    const { sending, receiving, nextSending } = session.state;
    const message: Message = {
      from,
      text,
      envelope: sent.envelope,
      session: toHex(session.transcript),
      header: toHex(sending.header.header),
      next: toHex(nextSending.header),
      dh: toHex(sending.self.publicKey),
      n: sent.n,
      pn: sending.previousN,
      id: toHex(sent.id),
      answers: receiving.kind === 'chain' ? toHex(receiving.remote) : undefined,
      afterwards: this.restored !== undefined,
    };
    const { accepted, chains } = this.#memory[from];
    this.#memory[from] = { accepted, chains: new Set([...chains, message.dh]) };
    this.messages.push(message);
    this.#onTheWay[other(from)].push(message);
    return message;
  }

  async deliver(message: Message): Promise<Event> {
    const to = other(message.from);
    const waiting = this.#onTheWay[to];
    this.#onTheWay[to] = waiting.filter((one) => one !== message);
    const [outcome] = await this.parties[to].receive([message.envelope]);
    if (outcome === undefined) throw new Error('each envelope has an outcome');
    const fork =
      outcome.type === 'refused' && outcome.error.code === 'fork'
        ? (outcome.error as PawlError<'fork'>).detail.reason
        : outcome.type === 'message'
          ? outcome.notices.find((notice) => notice.kind === 'fork')?.reason
          : undefined;
    const contradiction = contradictionOf(message, this.#memory[to]);
    const event = { to, message, word: wordFor(outcome), fork, contradiction, afterwards: this.restored !== undefined };
    this.events.push(event);
    if (outcome.type === 'message') {
      const { accepted, chains } = this.#memory[to];
      this.#memory[to] = { accepted: [...accepted, message], chains };
    }
    return event;
  }

  async play(step: Step): Promise<void> {
    switch (step.do) {
      case 'send':
        for (let i = 0; i < step.count; i++) await this.send(step.from);
        return;
      case 'deliver': {
        const [message] = this.#onTheWay[step.to];
        if (message !== undefined) await this.deliver(message);
        return;
      }
      case 'deliver-any': {
        const message = this.messages[step.pick % this.messages.length];
        if (message !== undefined) await this.deliver(message);
        return;
      }
      case 'lose':
        this.#onTheWay[step.to].shift();
        return;
      case 'wait':
        for (const party of Object.values(this.parties)) party.time += DAY;
        return;
      case 'introduce':
        return this.introduce(step.by);
    }
  }

  /** How the restored side came to send a message after the restore. */
  originOf({ afterwards, session, answers }: Message): string {
    if (!afterwards) return 'in a message of before';
    if (!this.#sessions.has(session)) return 'in a session that was accepted anew';
    const heard = this.events.find((event) => event.afterwards && event.message.dh === answers);
    if (heard === undefined) return 'in a session that was not held';
    return `let go by a message of ${heard.message.afterwards ? 'after' : 'before'} the restore`;
  }

  /** Message keys that were used for two texts. */
  positionsUsedTwice(): readonly string[] {
    const ids = new Map<string, string>();
    return this.messages.flatMap(({ session, dh, n, id }) => {
      const position = `${session} ${dh} ${n}`;
      const known = ids.get(position);
      ids.set(position, id);
      return known === undefined || known === id ? [] : [position];
    });
  }

  /** Everything that is on its way arrives, in the order in which it was sent. */
  async settle(): Promise<void> {
    for (const to of ['alice', 'bob'] as const) {
      for (const message of this.#onTheWay[to]) await this.deliver(message);
    }
  }

  /** Each says something, and is heard or not. @returns whether both were. */
  async exchange(first: Side): Promise<boolean> {
    let heard = true;
    for (const from of [first, other(first)]) {
      const message = await this.send(from);
      heard = typeof message !== 'string' && (await this.deliver(message)).word === message.text && heard;
    }
    return heard;
  }
}

/** Whether something would be lost for the conversation if `copy` took the place of `present`. */
function isNewer(present: Snapshot, copy: Snapshot): boolean {
  return (
    present.sessions.length !== copy.sessions.length ||
    present.sessions.some(({ id, state }) => {
      const before = copy.sessions.find((session) => session.id === id);
      return before?.state !== state;
    })
  );
}

/** What `message` shows to be wrong, to one who remembers what the receiver does, and knows what the senders did. */
function contradictionOf(message: Message, { accepted, chains }: Memory): string | undefined {
  const known = accepted.filter(({ session }) => session === message.session);
  const chain = known.filter(({ header }) => header === message.header);
  if (chain.some(({ dh, n, id }) => dh === message.dh && n === message.n && id !== message.id)) return 'two texts';
  if (chain.some(({ dh }) => dh !== message.dh)) return 'two keys';
  if (known.some(({ header, pn }) => header === message.next && message.n >= pn)) return 'past the end';
  if (known.some(({ next, n }) => next === message.header && n >= message.pn)) return 'shorter';
  if (message.answers !== undefined && !chains.has(message.answers)) return 'unknown chain';
  return undefined;
}
