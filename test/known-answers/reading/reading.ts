import { expect } from 'vitest';
import { decodeContent, decodeEnvelope, type Envelope } from '../../../src/envelope/index.ts';
import { PawlError } from '../../../src/errors.ts';
import { concat, digest, type Random, toHex } from '../../../src/primitives/index.ts';
import { encodeHeader, type MessageKey, openBody, type RatchetState } from '../../../src/ratchet/index.ts';
import { add, type Context, invite, type Outcome, receive, SECOND, send } from '../../../src/session/index.ts';
import { sendingSession } from '../../../src/session/sending-session.ts';
import { hex } from '../../primitives/hex.ts';
import { joined } from '../bytes.ts';
import { contentOf, written } from '../contents.ts';
import type { Bytes, Chain, Deed, Draws, InviteStep, LoseStep, ReceiveStep, SendStep, Step, Story } from '../format.ts';
import { passOver } from '../pass-over.ts';
import { fieldOf, stateOf } from '../state-of.ts';
import { kept, untouched, withSession } from './kept.ts';
import { expectOpening } from './opening.ts';
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
  /** By public key. */
  readonly #chains = new Map<string, Chain>();

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
        expect(stateOf(await kept(person(step.of).store, step.session))).toEqual(step.state);
        break;
      case 'invite':
        await this.#invite(step, person(step.by));
        break;
      case 'add': {
        const added = add(contextOf(person(step.by), step.now), step.name, this.bytesOf(step.invite));
        expect(await added.then(() => undefined, codeOf)).toBe(step.refused);
        break;
      }
      case 'send':
        await this.#send(step, person(step.by));
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
      default:
        throw new Error(`an unknown step: ${JSON.stringify(step satisfies never)}`);
    }
  }

  async #invite(step: Did<InviteStep>, maker: Reader): Promise<void> {
    const draws = drawing(step.draws);
    const lifetime = step.expires * SECOND - step.now;
    const made = await invite(contextOf(maker, step.now, draws.random), step.for, lifetime);
    draws.end();
    expect([toHex(made.id), toHex(made.invite)]).toEqual([step.id, step.invite]);
    this.#named.set(step.as, made.invite);
    this.#invites.set(step.as, { maker, step });
  }

  async #send(step: Did<SendStep>, sender: Reader): Promise<void> {
    const draws = drawing(step.draws);
    const { envelope, n, id } = await send(contextOf(sender, step.now, draws.random), step.to, contentOf(step.content));
    draws.end();
    expect(toHex(envelope)).toBe(toHex(this.#bytes(step.envelope)));
    expect([n, toHex(id)]).toEqual([step.message.n, step.message.id]);
    this.#named.set(step.as, envelope);

    const { sending, transcript } = await withSession(sender.store, step.session, async (_view, session, state) => ({
      sending: state.sending,
      transcript: session.transcript,
    }));
    if (sending.kind !== 'chain') throw new Error('who has sent has a chain');
    const { self, kem, previousN: pn } = sending;
    expect(step.message.pn).toBe(pn);
    const header = encodeHeader({ dh: self.publicKey, n, pn, ...(kem && { kem }) });
    const decoded = decodeEnvelope(envelope);
    if (decoded.kind === 'invite') throw new Error('an invite was sent');
    const { body } = decoded.message;
    const plaintext = openBody(hex(step.message.messageKey) as MessageKey, body, concat(transcript, header));
    expect(written(decodeContent(plaintext ?? new Uint8Array()))).toEqual(step.content);

    if (step.chain !== undefined) {
      this.#chains.set(step.chain.publicKey, step.chain);
      const { offer, answer } = step.chain;
      if (kem !== undefined) expect([toHex(fieldOf(kem)), toHex(digest(16, fieldOf(kem)))]).toContain(offer ?? answer);
      expect([offer !== undefined, answer !== undefined]).toEqual([kem?.kind === 'offer', kem?.kind === 'answer']);
    }
    const answered = step.opening && this.#invites.get(step.opening.invite);
    if (step.opening && answered) expectOpening(step.opening, envelope, sender, answered.maker, answered.step);
  }

  async #receive(step: Did<ReceiveStep>, receiver: Reader): Promise<void> {
    const { do: _do, by: _by, now, envelope, gap, ...stated } = step;
    const before = await untouched(receiver.store);
    const outcome = await outcomeOf(contextOf(receiver, now), this.bytesOf(envelope), gap);
    expect(wordsFor(outcome)).toEqual(wordsOf(stated));
    if (stated.accepted === undefined) {
      const after = await untouched(receiver.store);
      expect(after.kept).toEqual(before.kept);
      if (stated.reason === undefined) expect(after.forks).toEqual(before.forks);
      else expect([...after.forks.values()]).toContain([...before.forks.values()][0] ?? stated.reason);
      return;
    }
    const { session, chain, n } = stated.accepted;
    const state = await withSession(receiver.store, session, async (view, { id }, state) => {
      const { digest } = await view.keptPosition(id, chain, n);
      expect(digest).toEqual(outcome.type === 'message' ? outcome.id : undefined);
      return state;
    });
    this.#expectChain(state);
  }

  /** Holds what a chain of the peer's has brought to what the peer has stated of it. */
  #expectChain({ rootKey, rootSteps, receiving, nextReceiving }: RatchetState): void {
    const chain = receiving.kind === 'chain' ? this.#chains.get(toHex(receiving.remote)) : undefined;
    if (receiving.kind !== 'chain' || chain === undefined) throw new Error('a chain that nobody has sent on');
    const { header, find } = receiving.header;
    expect([toHex(header), toHex(find)]).toEqual([chain.headerKey, chain.findKey]);
    if (rootSteps !== chain.step) return;
    expect([toHex(rootKey), toHex(nextReceiving.header)]).toEqual([chain.rootKey, chain.nextHeaderKey]);
    if (receiving.n === 0) expect(toHex(receiving.chainKey)).toBe(chain.chainKey);
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

function contextOf({ store }: Reader, now: number, random: Random = nothingToDraw): Context {
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

async function outcomeOf(context: Context, bytes: Uint8Array, gap: number | undefined): Promise<Outcome> {
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(bytes);
  } catch (error) {
    if (error instanceof PawlError) return { type: 'refused', from: undefined, error, source: '' };
    throw error;
  }
  if (envelope.kind === 'invite') throw new Error('an invite is not received');
  const options = { waiting: false, ...(gap !== undefined && { gap }) };
  const { outcomes } = await receive(context, [{ envelope, source: '' }], options);
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error('an envelope without an outcome');
  return outcome;
}

type Stated = Pick<ReceiveStep, 'accepted' | 'duplicate' | 'tooLate' | 'refused' | 'reason'>;

/** An outcome as a step states it, but for the session and the chain. */
function wordsFor(outcome: Outcome): unknown {
  switch (outcome.type) {
    case 'message': {
      const { from, n, late, content, notices } = outcome;
      const lost = notices.find((notice) => notice.kind === 'lost')?.count ?? 0;
      const fork = notices.find((notice) => notice.kind === 'fork')?.reason;
      return { accepted: { from, n, late, lost, content: written(content), ...(fork && { fork }) } };
    }
    case 'duplicate':
      return { duplicate: { from: outcome.from, n: outcome.n } };
    case 'too-late':
      return { tooLate: { from: outcome.from, n: outcome.n } };
    case 'forgotten':
      return { forgotten: true };
    case 'refused': {
      const { code, detail } = outcome.error;
      return { refused: code, ...('reason' in detail && { reason: detail.reason }) };
    }
  }
}

function wordsOf({ accepted, ...stated }: Stated): unknown {
  if (accepted === undefined) return stated;
  const { session: _session, chain: _chain, ...words } = accepted;
  return { accepted: words };
}

function codeOf(error: unknown): string {
  if (error instanceof PawlError) return error.code;
  throw error;
}
