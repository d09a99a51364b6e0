import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/primitives/index.ts';
import { sendingSession } from '../../src/session/sending-session.ts';
import { FileParty, Party, wordFor } from './party.ts';

type Side = 'alice' | 'bob';
const other = (side: Side): Side => (side === 'alice' ? 'bob' : 'alice');

type Action =
  | { readonly do: 'send'; readonly from: Side }
  /** Delivers one of the envelopes sent so far, whichever: early, late, or once more. */
  | { readonly do: 'deliver'; readonly pick: number }
  /** Delivers several in one unit of work. */
  | { readonly do: 'deliver-some'; readonly picks: readonly number[] }
  | { readonly do: 'tamper'; readonly pick: number; readonly at: number }
  /** `by` invites the other, who adds the invite. */
  | { readonly do: 'introduce'; readonly by: Side }
  /** `who` loses all but the identity: contacts and sessions are gone. */
  | { readonly do: 'lose-file'; readonly who: Side }
  /** The process ends, and the next one opens the file again. */
  | { readonly do: 'restart'; readonly who: Side };

interface Message {
  readonly text: string;
  readonly from: Side;
  readonly envelope: Uint8Array;
  readonly session: string;
}

/** What an observer of both sides knows, and so can predict of each delivery. */
class Model {
  readonly parties: Record<Side, Party>;
  readonly messages: Message[] = [];
  /** How often each side has lost its file. */
  readonly lives: Record<Side, number> = { alice: 0, bob: 0 };
  /** For each session, the life of each side in which it began. */
  readonly sessions = new Map<string, Record<Side, number>>();
  /** Texts accepted, by receiver and life. */
  readonly accepted = new Set<string>();
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
    const party = this.parties[from];
    const to = other(from);
    const text = `${from} ${this.messages.length}`;
    party.time += 1_000;
    const known = await party.store.snapshot((view) => view.contactNamed(to));
    if (known === undefined) return expect(party.send(to, text)).rejects.toThrow('unknown-contact');
    const answering = known.invite !== undefined;
    const { envelope } = await party.send(to, text);
    const session = await party.store.snapshot(async (view) => sendingSession(await view.sessions(known.id)));
    const name = toHex(session?.transcript ?? new Uint8Array());
    if (answering) {
      const lives = { [from]: this.lives[from], [to]: this.toAnswer[from] } as Record<Side, number>;
      this.sessions.set(name, lives);
    }
    this.messages.push({ text, from, envelope, session: name });
  }

  /** The word that a delivery must give. */
  expected({ text, from, session }: Message): RegExp {
    const to = other(from);
    const life = this.lives[to];
    if (this.sessions.get(session)?.[to] !== life) return /^refused: (not-for-you|unknown-invite)$/;
    return this.accepted.has(`${to} ${life} ${text}`) ? /^duplicate$/ : new RegExp(`^${text}$`);
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
        if (outcome.type === 'message') {
          expect(outcome.notices.filter(({ kind }) => kind === 'fork' || kind === 'lost')).toEqual([]);
          this.accepted.add(`${side} ${this.lives[side]} ${message.text}`);
        }
      }
      if (outcomes.every(({ type }) => type !== 'message')) expect(await party.dump()).toEqual(before);
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
    if (word === message.text) this.accepted.add(`${party.name} ${this.lives[other(message.from)]} ${message.text}`);
    else expect(word).toMatch(/^refused: |^duplicate$/);
    if (word !== message.text) expect(await party.dump()).toEqual(before);
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
      case 'deliver-some':
        return this.deliver(action.picks);
      case 'tamper':
        return this.tamper(action.pick, action.at);
      case 'introduce':
        return this.introduce(action.by);
      case 'lose-file':
        return this.loseFile(action.who);
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

const side = fc.constantFrom<Side>('alice', 'bob');
const pick = fc.nat({ max: 1_000 });
const talk: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), from: side }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('deliver-some' as const), picks: fc.array(pick, { maxLength: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tamper' as const), pick, at: fc.nat() }) },
);
const restart: fc.Arbitrary<Action> = fc.record({ do: fc.constant('restart' as const), who: side });
const talks = fc.array(talk, { maxLength: 24 });

describe('two parties, whatever the channel does', () => {
  it('read every message once and never doubt one another', async () => {
    await fc.assert(
      fc.asyncProperty(side, talks, async (inviter, actions) => {
        const model = new Model();
        await model.introduce(inviter);
        for (const action of actions) await model.play(action);
        await model.deliver(model.messages.map((_, i) => model.messages.length - 1 - i));
      }),
      { numRuns: 200 },
    );
  });

  it('agree after both have opened at once', async () => {
    await fc.assert(
      fc.asyncProperty(talks, talks, async (before, after) => {
        const model = new Model();
        await model.introduce('alice');
        await model.introduce('bob');
        await model.send('alice');
        await model.send('bob');
        for (const action of before) await model.play(action);
        await model.deliver(model.messages.map((_, i) => i));
        for (const action of after) await model.play(action);
        // Once each has heard the other, both send on the same session.
        for (const from of ['alice', 'bob', 'alice', 'bob'] as const) {
          await model.send(from);
          await model.deliver([model.messages.length - 1]);
        }
        expect(model.messages.at(-1)?.session).toBe(model.messages.at(-2)?.session);
      }),
      { numRuns: 100 },
    );
  });

  it('recover by a new invite from either side after one has lost its file', async () => {
    await fc.assert(
      fc.asyncProperty(side, side, side, talks, talks, async (inviter, loser, healer, before, after) => {
        const model = new Model();
        await model.introduce(inviter);
        for (const action of before) await model.play(action);
        model.loseFile(loser);
        for (const action of after) await model.play(action);
        await model.recover(healer);
        await model.deliver(model.messages.map((_, i) => i));
        await model.recover(other(healer));
      }),
      { numRuns: 150 },
    );
  });

  it('do so on identity files, with restarts in between', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pawl-model-'));
    try {
      const eventful = fc.array(fc.oneof({ weight: 4, arbitrary: talk }, restart), { maxLength: 24 });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(side, eventful, async (inviter, actions) => {
          run += 1;
          const parties = {
            alice: new FileParty('alice', join(folder, `alice-${run}.db`)),
            bob: new FileParty('bob', join(folder, `bob-${run}.db`)),
          };
          const model = new Model(parties);
          await model.introduce(inviter);
          for (const action of actions) await model.play(action);
          await model.deliver(model.messages.map((_, i) => model.messages.length - 1 - i));
          for (const party of Object.values(parties)) party.close();
        }),
        { numRuns: 25 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
