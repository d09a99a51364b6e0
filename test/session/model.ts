import { expect } from 'vitest';
import { toHex } from '../../src/primitives/index.ts';
import { LIMITS, type RatchetState } from '../../src/ratchet/index.ts';
import { DAY, type Outcome } from '../../src/session/index.ts';
import { sendingSession } from '../../src/session/select-session.ts';
import { expectSame } from '../ratchet/party.ts';
import { Party, START, wordFor } from './party.ts';

export type Side = 'alice' | 'bob';
export const other = (side: Side): Side => (side === 'alice' ? 'bob' : 'alice');

export type Action =
  | { readonly do: 'send'; readonly from: Side }
  /** Delivers one of the envelopes sent so far, whichever: early, late, or once more. */
  | { readonly do: 'deliver'; readonly pick: number }
  /** Sends, and what was sent arrives at once. */
  | { readonly do: 'say'; readonly from: Side }
  /** Delivers several in one unit of work. */
  | { readonly do: 'deliver-some'; readonly picks: readonly number[] }
  | { readonly do: 'tamper'; readonly pick: number; readonly at: number }
  /** `by` invites the other, who adds the invite. */
  | { readonly do: 'introduce'; readonly by: Side }
  /** `who` loses all but the identity: contacts and sessions are gone. */
  | { readonly do: 'lose-file'; readonly who: Side }
  /** A day passes for both: long enough that a KEM key is offered with the next chain. */
  | { readonly do: 'wait' }
  /** The process ends, and the next one opens the file again. */
  | { readonly do: 'restart'; readonly who: Side };

/** A message, with the session that it was sent on. */
export interface Message {
  /** Of each another. */
  readonly text: string;
  /** What a delivery of it is called: its text. */
  readonly word: string;
  readonly from: Side;
  readonly envelope: Uint8Array;
  readonly session: string;
  /** The root step that began its chain. */
  readonly step: number;
}

/** What an observer of both sides knows, and so can predict of each delivery. */
export class Model {
  readonly parties: Record<Side, Party>;
  readonly messages: Message[] = [];
  /** How often each side has lost its file. */
  readonly lives: Record<Side, number> = { alice: 0, bob: 0 };
  /** For each session, the life of each side in which it began. */
  readonly sessions = new Map<string, Record<Side, number>>();
  /** Texts accepted, by receiver and life. */
  readonly accepted = new Set<string>();
  /** The last root step of the peer's, by receiver and session. */
  readonly heard = new Map<string, number>();
  /** KEM secrets that both sides have mixed, by session and root step. */
  readonly mixes = new Set<string>();
  /** In which life of the inviter the invite was made that a side will answer next. */
  readonly toAnswer: Partial<Record<Side, number>> = {};

  constructor(parties: Record<Side, Party> = { alice: new Party('alice'), bob: new Party('bob') }) {
    this.parties = parties;
  }

  async introduce(by: Side): Promise<void> {
    const guest = other(by);
    const invite = await this.parties[by].invite(guest);
    await this.parties[guest].add(by, invite);
    this.toAnswer[guest] = this.lives[by];
  }

  async send(from: Side): Promise<void> {
    const text = `${from} ${this.messages.length}`;
    await this.encrypt(from, text, () => this.parties[from].send(other(from), text));
  }

  /** @returns what `seal` has returned; `undefined` where there is no contact. */
  protected async encrypt<Sealed extends Pick<Message, 'envelope'>>(
    from: Side,
    text: string,
    seal: () => Promise<Sealed>,
    word = text,
  ): Promise<{ readonly message: Message; readonly sealed: Sealed } | undefined> {
    const party = this.parties[from];
    const to = other(from);
    party.time += 1_000;
    const known = await party.store.snapshot((view) => view.contactNamed(to));
    if (known === undefined) {
      await expect(seal()).rejects.toThrow('unknown-contact');
      return undefined;
    }
    const answering = known.invite !== undefined;
    const sealed = await seal();
    const { name, step } = await party.store.snapshot(async (view) => {
      const session = sendingSession(await view.sessions(known.id));
      if (session === undefined) throw new Error('something was sent');
      return { name: toHex(session.transcript), step: (await view.ratchetState(session.id)).rootSteps };
    });
    if (answering) {
      const lives = { [from]: this.lives[from], [to]: this.toAnswer[from] } as Record<Side, number>;
      this.sessions.set(name, lives);
    }
    const message = { text, word, from, envelope: sealed.envelope, session: name, step };
    this.messages.push(message);
    return { message, sealed };
  }

  /** The word that a delivery must give. */
  expected({ text, word, from, session, step }: Message): RegExp {
    const to = other(from);
    const life = this.lives[to];
    if (this.sessions.get(session)?.[to] !== life) return /^refused: (not-for-you|unknown-invite)$/;
    if (!this.accepted.has(`${to} ${life} ${text}`)) return new RegExp(`^${word}$`);
    // A chain that is not among the last is forgotten as soon as nothing of it is missing.
    const chainsSince = ((this.heard.get(`${to} ${session}`) ?? 0) - step) / 2;
    return chainsSince > LIMITS.recentChains ? /^duplicate$|^refused: not-for-you$/ : /^duplicate$/;
  }

  async deliver(picks: readonly number[]): Promise<void> {
    const picked = picks.map((pick) => this.messages[pick % this.messages.length]).filter((m) => m !== undefined);
    for (const side of ['alice', 'bob'] as const) {
      const messages = picked.filter(({ from }) => from !== side);
      if (messages.length === 0) continue;
      const party = this.parties[side];
      const before = await party.dump();
      const outcomes = await party.receive(messages.map(({ envelope }) => envelope));
      expect(outcomes).toHaveLength(messages.length);
      for (const [i, outcome] of outcomes.entries()) {
        const message = messages[i] as Message;
        expect(wordFor(outcome)).toMatch(this.expected(message));
        if (isAccepted(outcome)) {
          expect(outcome.notices.filter(({ kind }) => kind === 'fork' || kind === 'lost')).toEqual([]);
          this.accept(side, message);
        }
      }
      if (!outcomes.some(isAccepted)) expectSame(await party.dump(), before);
    }
    await this.#expectAgreement();
  }

  protected accept(side: Side, { text, session, step }: Message): void {
    this.accepted.add(`${side} ${this.lives[side]} ${text}`);
    this.heard.set(`${side} ${session}`, Math.max(step, this.heard.get(`${side} ${session}`) ?? 0));
  }

  /** Where both have taken the same root steps of a session, the keys are the same, and so is the last mix. */
  async #expectAgreement(): Promise<void> {
    const [ours, theirs] = [await statesOf(this.parties.alice), await statesOf(this.parties.bob)];
    for (const [session, one] of ours) {
      const peer = theirs.get(session);
      if (peer?.rootSteps !== one.rootSteps) continue;
      expect([toHex(peer.rootKey), peer.rekeying.mixed.step]).toEqual([toHex(one.rootKey), one.rekeying.mixed.step]);
      if (one.rekeying.mixed.step > 0) this.mixes.add(`${session} ${one.rekeying.mixed.step}`);
    }
  }

  async tamper(pick: number, at: number): Promise<void> {
    const message = this.messages[pick % this.messages.length];
    if (message === undefined) return;
    // Behind the head of ten bytes, so that it is still an envelope.
    const forged = Uint8Array.from(message.envelope);
    const position = 10 + (at % (forged.length - 10));
    forged[position] = (forged[position] ?? 0) ^ (1 << (at % 8));
    const party = this.parties[other(message.from)];
    const before = await party.dump();
    // The prefix of an opening is not bound to the messages behind it: they may be read without it.
    const word = await party.read(forged).catch((error) => `refused: ${error.code}`);
    if (word === message.word) this.accept(other(message.from), message);
    else expect(word).toMatch(/^refused: |^duplicate$/);
    if (word !== message.word) expectSame(await party.dump(), before);
  }

  /** Not so often that invites expire, or missing messages are given up. */
  wait(): void {
    if (this.parties.alice.time > START + 27 * DAY) return;
    for (const party of Object.values(this.parties)) party.time += DAY + 3_600_000;
  }

  loseFile(who: Side): void {
    const party = this.parties[who];
    party.store = party.freshStore();
    this.lives[who] += 1;
    delete this.toAnswer[who];
  }

  async play(action: Action): Promise<void> {
    switch (action.do) {
      case 'send':
        return this.send(action.from);
      case 'deliver':
        return this.deliver([action.pick]);
      case 'say':
        await this.send(action.from);
        return this.deliver([this.messages.length - 1]);
      case 'deliver-some':
        return this.deliver(action.picks);
      case 'tamper':
        return this.tamper(action.pick, action.at);
      case 'introduce':
        return this.introduce(action.by);
      case 'lose-file':
        return this.loseFile(action.who);
      case 'wait':
        return this.wait();
      case 'restart':
        return this.parties[action.who].restart();
    }
  }

  /** Whatever happened: a new invite by `by`, and both can talk and are heard. */
  async recover(by: Side): Promise<void> {
    await this.introduce(by);
    for (const from of [other(by), by, other(by), by]) {
      await this.send(from);
      await this.deliver([this.messages.length - 1]);
      expect(this.accepted).toContain(`${other(from)} ${this.lives[other(from)]} ${this.messages.at(-1)?.text}`);
    }
  }
}

function isAccepted(outcome: Outcome): outcome is Extract<Outcome, { type: 'message' | 'announced' }> {
  return outcome.type === 'message' || outcome.type === 'announced';
}

async function statesOf(party: Party): Promise<ReadonlyMap<string, RatchetState>> {
  return party.store.snapshot(async (view) => {
    const sessions = (await Promise.all((await view.contacts()).map(({ id }) => view.sessions(id)))).flat();
    const states = sessions.map(
      async ({ id, transcript }) => [toHex(transcript), await view.ratchetState(id)] as const,
    );
    return new Map(await Promise.all(states));
  });
}
