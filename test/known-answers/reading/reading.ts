import { expect } from 'vitest';
import { decodeContent, decodeEnvelope, encodeContent } from '../../../src/envelope/index.ts';
import { readInvite } from '../../../src/handshake/index.ts';
import type { Link } from '../../../src/parts/index.ts';
import { concat, concatAll, digest, type Random, toHex } from '../../../src/primitives/index.ts';
import {
  encodeHeader,
  type MessageKey,
  openBody,
  type RatchetState,
  type RootKey,
} from '../../../src/ratchet/index.ts';
import {
  add,
  type Context,
  forget,
  invite,
  SECOND,
  type Session,
  send,
  sendAll,
  type Transaction,
} from '../../../src/session/index.ts';
import { sendingSession } from '../../../src/session/select-session.ts';
import { hex } from '../../primitives/hex.ts';
import { joined } from '../bytes.ts';
import { contentOf, written } from '../contents.ts';
import type {
  AddStep,
  Bytes,
  Deed,
  DescriptorFields,
  Draws,
  InviteStep,
  LoseStep,
  Opening,
  ReceiveManyStep,
  ReceiveStep,
  SealStep,
  SendManyStep,
  SendStep,
  SessionsStep,
  State,
  Step,
  Story,
  TakeStep,
} from '../format.ts';
import { partOf, takePart } from '../parts.ts';
import { passOver, takeNumbers } from '../pass-over.ts';
import { sessionsOf } from '../sessions-of.ts';
import { stateOf } from '../state-of.ts';
import { type Beginning, Chains } from './chains.ts';
import { about, awaited, kept, untouched } from './kept.ts';
import { expectOpening } from './opening.ts';
import { codeOf, outcomeOf, outcomesOf, wordsFor, wordsOf } from './outcomes.ts';
import { People, type Reader } from './people.ts';

type Did<Command> = Command & Pick<Deed, 'by' | 'now'>;

/**
 * Follows stories by pawl's own commands, on identity files, from what the stories state and nothing else: it draws what
 * they name, and holds everything that comes out to what they say.
 */
export class Reading {
  readonly #stories: readonly Story[];
  readonly #followed = new Set<string>();
  readonly #people = new People();
  readonly #named = new Map<string, Uint8Array>();
  readonly #invites = new Map<string, { readonly maker: Reader; readonly step: InviteStep }>();
  /** By the name of the message. */
  readonly #descriptors = new Map<string, DescriptorFields>();
  readonly #chains = new Chains();

  constructor(stories: readonly Story[]) {
    this.#stories = stories;
  }

  close(): void {
    this.#people.close();
  }

  /** Follows a story, and first the one that it comes after. */
  async follow(name: string): Promise<void> {
    if (this.#followed.has(name)) return;
    const story = this.#stories.find((one) => one.name === name);
    if (story === undefined) throw new Error(`no story ${name}`);
    this.#followed.add(name);
    if (story.after !== undefined) {
      await this.follow(story.after);
      for (const [person, reader] of this.#people.of(story.after)) this.#people.copy(reader, name, person);
    }
    for (const [person, seed] of Object.entries(story.people)) this.#people.create(name, person, seed);
    for (const [index, step] of story.steps.entries()) {
      try {
        await this.#take(step, (person) => this.#people.get(name, person), name);
      } catch (error) {
        if (error instanceof Error) error.message = `${name}, step ${index} (${step.do}): ${error.message}`;
        throw error;
      }
    }
  }

  async #take(step: Step, person: (name: string) => Reader, story: string): Promise<void> {
    switch (step.do) {
      case 'forge':
        this.#named.set(step.as, this.#bytes(step.envelope));
        break;
      case 'copy':
        this.#people.copy(person(step.of), story, step.as);
        break;
      case 'check':
        expect(await stateIn(person(step.of), step.session)).toEqual(step.state);
        break;
      case 'sessions':
        await expectSessions(step, person(step.of));
        break;
      case 'invite':
        await this.#invite(step, person(step.by));
        break;
      case 'add':
        await this.#add(step, person(step.by));
        break;
      case 'forget':
        await forget(contextOf(person(step.by), step.now), step.name);
        break;
      case 'take numbers':
        await takeNumbers(person(step.by).store, digest(16, this.bytesOf(step.invite)), step.upTo);
        break;
      case 'send':
        await this.#send(step, person(step.by));
        break;
      case 'send many':
        await this.#sendMany(step, person(step.by));
        break;
      case 'cannot send': {
        const content = contentOf({ sentAt: step.now, text: 'not sent' });
        const sent = send(contextOf(person(step.by), step.now), step.to, content);
        expect(await sent.then(() => undefined, codeOf)).toBe(step.refused);
        break;
      }
      case 'lose':
        await lose(step, person(step.by));
        break;
      case 'receive':
        await this.#receive(step, person(step.by));
        break;
      case 'receive many':
        await this.#receiveMany(step, person(step.by));
        break;
      case 'seal':
        this.#seal(step);
        break;
      case 'take':
        await this.#takePart(step, person(step.by));
        break;
      default:
        throw new Error(`an unknown step: ${JSON.stringify(step satisfies never)}`);
    }
  }

  async #invite(step: Did<InviteStep>, maker: Reader): Promise<void> {
    const draws = drawing(step.draws);
    const lifetime = step.expires * SECOND - step.now;
    const { reusable = false } = step;
    const made = await invite(contextOf(maker, step.now, draws.random), step.for, lifetime, { reusable });
    draws.end();
    expect([toHex(made.id), toHex(made.invite)]).toEqual([step.id, step.invite]);
    this.#named.set(step.as, made.invite);
    this.#invites.set(step.as, { maker, step });
  }

  async #add(step: Did<AddStep>, { store }: Reader): Promise<void> {
    const { name, refused, keeps = name, answered = false } = step;
    const before = await untouched(store);
    const adding = add(contextOf({ store }, step.now), name, this.bytesOf(step.invite));
    const added = await adding.then((done) => ({ keeps: done.name, answered: done.answeredBefore }), codeOf);
    expect(added).toEqual(refused ?? { keeps, answered });
    if (answered || refused !== undefined) expect(await untouched(store)).toEqual(before);
  }

  /** Unlike those who made the file, in one unit of work. */
  async #sendMany(step: Did<SendManyStep>, sender: Reader): Promise<void> {
    const { as, to, content, count, r } = step;
    const draws = drawing(Array.from({ length: count }, () => ['r', r] as const));
    const plaintexts = Array.from({ length: count }, () => encodeContent(contentOf(content)));
    const sent = await sendAll(contextOf(sender, step.now, draws.random), to, plaintexts);
    draws.end();
    expect(sent.map(({ n }) => n)).toEqual(sent.map((_, index) => step.n + index));
    for (const [index, { envelope }] of sent.entries()) this.#named.set(`${as}: ${index + 1}`, envelope);
    expect(toHex(digest(16, concatAll(sent.map(({ envelope }) => envelope))))).toBe(step.digest);
    const after = await about(sender.store, step.session, stateOnly);
    expect(after?.sending.kind === 'chain' ? after.sending.n : undefined).toBe(step.n + count);
  }

  async #send(step: Did<SendStep>, sender: Reader): Promise<void> {
    const draws = drawing(step.draws);
    const before = await about(sender.store, step.session, stateOnly);
    const { envelope, n, id } = await send(contextOf(sender, step.now, draws.random), step.to, contentOf(step.content));
    draws.end();
    expect(toHex(envelope)).toBe(toHex(this.#bytes(step.envelope)));
    expect([n, toHex(id)]).toEqual([step.message.n, step.message.id]);
    this.#named.set(step.as, envelope);
    if ('descriptor' in step.content) this.#descriptors.set(step.as, step.content.descriptor);

    const after = await about(sender.store, step.session, stateOnly);
    const transcript = await about(sender.store, step.session, async (_view, session) => session.transcript);
    if (after?.sending.kind !== 'chain' || transcript === undefined) {
      throw new Error('who has sent on a session has a chain');
    }
    const { self, kem, previousN: pn } = after.sending;
    expect(step.message.pn).toBe(pn);
    const header = encodeHeader({ dh: self.publicKey, n, pn, ...(kem && { kem }) });
    const decoded = decodeEnvelope(envelope);
    if (!('message' in decoded)) throw new Error('an invite was sent');
    const { body } = decoded.message;
    const plaintext = openBody(hex(step.message.messageKey) as MessageKey, body, concat(transcript, header));
    expect(written(decodeContent(plaintext ?? new Uint8Array()))).toEqual(step.content);

    const beginning = step.opening && this.#expectOpening(step.opening, envelope, sender);
    if (step.chain === undefined) return;
    this.#chains.expectBegun(step.chain, this.#beforeChain(step, before), after);
    this.#chains.state(step.chain, kem, beginning);
  }

  /** What a root step of the sender's starts from. */
  #beforeChain({ opening }: SendStep, before: RatchetState | undefined) {
    if (opening !== undefined) {
      return { rootKey: hex(opening.SK) as RootKey, remote: readInvite(this.bytesOf(opening.invite)).prekey };
    }
    if (before?.sending.kind !== 'due') throw new Error('a chain begins where it is due');
    return { rootKey: before.rootKey, remote: before.sending.remote };
  }

  /** Holds an opening to what the maker of the invite can compute, and gives what he begins with. */
  #expectOpening(opening: Opening, envelope: Uint8Array, opener: Reader): Beginning {
    const answered = this.#invites.get(opening.invite);
    if (answered === undefined) throw new Error(`no invite ${opening.invite}`);
    const { maker, step } = answered;
    expectOpening(opening, envelope, opener, maker, step);
    const [[, prekey] = ['', '']] = step.draws;
    return { prekey, SK: opening.SK };
  }

  #seal({ of, as, index, last, data, link, r, length, is }: Did<SealStep>): void {
    const described = this.#descriptors.get(of);
    if (described === undefined) throw new Error(`${of} describes nothing`);
    const part = { index, isLast: last === 1, link: hex(link) as Link, data: this.#bytes(data) };
    const envelope = partOf(described, part, r);
    expect([envelope.length, toHex(digest(16, envelope))]).toEqual([length, is]);
    this.#named.set(as, envelope);
  }

  async #takePart({ part, outcome, there, now }: Did<TakeStep>, { store }: Reader): Promise<void> {
    const before = await awaited(store);
    const taken = await takePart(contextOf({ store }, now), this.bytesOf(part));
    expect(taken).toEqual({ outcome, ...(there && { there }) });
    const after = await awaited(store);
    expect(after).toHaveLength(before.length - (there?.complete === true ? 1 : 0));
    if (outcome !== 'new') expect(after).toEqual(before);
  }

  async #receive(step: Did<ReceiveStep>, receiver: Reader): Promise<void> {
    const { store } = receiver;
    const { accepted, reason } = step;
    const before = await untouched(store);
    const stateBefore = accepted && (await about(store, accepted.session, stateOnly));
    const outcome = await outcomeOf(contextOf(receiver, step.now), this.bytesOf(step.envelope), step.gap);
    expect(wordsFor(outcome)).toEqual(wordsOf(step));
    if (accepted === undefined) {
      const after = await untouched(store);
      expect(after.kept).toEqual(before.kept);
      const isBehind = reason === 'answer-to-an-unknown-chain';
      expect(after.held).toEqual(before.held.map((was) => was || isBehind));
      const isFirstFork = reason !== undefined && before.forks.length === 0;
      expect(after.forks).toEqual(isFirstFork ? [reason] : before.forks);
      return;
    }
    const { session, chain, n } = accepted;
    const position = await about(store, session, (view, { id }) => view.keptPosition(id, chain, n));
    expect(position?.digest).toEqual(
      outcome.type === 'message' || outcome.type === 'announced' ? outcome.id : undefined,
    );
    const after = await about(store, session, stateOnly);
    if (after === undefined) throw new Error(`no session ${session}`);
    this.#chains.expectReceived(stateBefore, after);
  }

  /** Unlike those who made the file, in one unit of work. */
  async #receiveMany(step: Did<ReceiveManyStep>, { store }: Reader): Promise<void> {
    const { of, first, last, accepted } = step;
    const names = Array.from({ length: last - first + 1 }, (_, index) => `${of}: ${first + index}`);
    const outcomes = await outcomesOf(
      contextOf({ store }, step.now),
      names.map((name) => this.bytesOf(name)),
    );
    const { session, chain, ...words } = accepted;
    expect(outcomes.map(wordsFor)).toEqual(names.map((_, index) => ({ accepted: { ...words, n: words.n + index } })));
    const digests = await about(store, session, (view, { id }) =>
      Promise.all(names.map(async (_, index) => (await view.keptPosition(id, chain, accepted.n + index)).digest)),
    );
    expect(digests).toEqual(outcomes.map((outcome) => (outcome.type === 'message' ? outcome.id : undefined)));
  }

  #bytes(bytes: Bytes): Uint8Array {
    return joined(bytes, (name) => this.bytesOf(name));
  }

  bytesOf(name: string): Uint8Array {
    const bytes = this.#named.get(name);
    if (bytes === undefined) throw new Error(`${name} has not been named`);
    return bytes;
  }
}

function contextOf({ store }: Pick<Reader, 'store'>, now: number, random: Random = nothingToDraw): Context {
  return { store, random, now: () => now, process: 'here', isRunning: () => true };
}

function nothingToDraw(): never {
  throw new Error('nothing is drawn here');
}

/** Gives the draws that are stated, in their order; `end` holds that there are no more. */
function drawing(draws: Draws): { random: Random; end: () => void } {
  const left = draws.map(([what, bytes]) => ({ what, bytes: hex(bytes) }));
  const random: Random = (length) => {
    const next = left.shift();
    if (next?.bytes.length !== length) throw new Error(`${length} bytes are drawn, and stated is ${next?.what}`);
    return next.bytes;
  };
  return { random, end: () => expect(left).toEqual([]) };
}

async function lose({ now: _, to, count }: Did<LoseStep>, { store }: Reader): Promise<void> {
  const session = await store.snapshot(async (view) => {
    const contact = await view.contactNamed(to);
    return contact && sendingSession(await view.sessions(contact.id));
  });
  if (session === undefined) throw new Error(`no session with ${to}`);
  await passOver(store, session.id, count);
}

async function expectSessions({ with: name, sessions, sends }: SessionsStep, { store }: Reader): Promise<void> {
  const found = await store.snapshot(async (view) => {
    const contact = await view.contactNamed(name);
    return contact === undefined ? [] : view.sessions(contact.id);
  });
  expect(sessionsOf(found)).toEqual({ sessions, sends });
}

/** For `about`. */
async function stateOnly(_view: Transaction, _session: Session, state: RatchetState): Promise<RatchetState> {
  return state;
}

async function stateIn({ store }: Reader, session: string): Promise<State | undefined> {
  const found = await kept(store, session);
  return found && stateOf(found);
}
