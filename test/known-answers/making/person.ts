import { isDeepStrictEqual } from 'node:util';
import { decodeEnvelope } from '../../../src/envelope/index.ts';
import { type ErrorCode, type ForkReason, PawlError } from '../../../src/errors.ts';
import type { OwnIdentity } from '../../../src/handshake/index.ts';
import { FIRST_LINK, type Link, nextLink, partDigest } from '../../../src/parts/index.ts';
import { concatAll, digest, type Random, toHex } from '../../../src/primitives/index.ts';
import { add, type Context, forget, invite, type Outcome, receive, SECOND, send } from '../../../src/session/index.ts';
import { RestorableStore } from '../../session/snapshots.ts';
import type { StoredSession } from '../../storage/memory/data.ts';
import { joined, type Named } from '../bytes.ts';
import { contentOf, written } from '../contents.ts';
import type { Accepted, Bytes, Command, Content, Deed, Draws, Hex, ReceiveStep } from '../format.ts';
import { partOf, takePart } from '../parts.ts';
import { passOver, takeNumbers } from '../pass-over.ts';
import { sessionName } from '../session-name.ts';
import { sessionsOf } from '../sessions-of.ts';
import { stateOf } from '../state-of.ts';
import { type Explanation, explained } from './explained.ts';
import type { Telling } from './telling.ts';

/** When every story begins, unix milliseconds. */
export const NOW = 1_900_000_000_000;

/** An envelope that can be received, and what it says. */
export interface Mail extends Named {
  readonly content: Content | undefined;
}

/** The envelopes of one `send many`, which are named NAME: 1, NAME: 2 and so on. */
export interface Many {
  readonly name: string;
  readonly mails: readonly Mail[];
}

/** A part, and what the one behind it is made of. */
export interface SealedMail extends Named {
  readonly index: number;
  readonly next: Link;
}

export interface ToSeal {
  readonly data: Bytes;
  readonly last?: 0 | 1;
  readonly after?: SealedMail;
}

/** One of the people of a story. A method is a command, what must come of it, and a step that is written down. */
export class Person {
  readonly name: string;
  readonly identity: OwnIdentity;
  readonly store: RestorableStore;
  /** Unix milliseconds. */
  now = NOW;
  readonly #telling: Telling;
  readonly #random: Random;

  constructor(telling: Telling, name: string, identity: OwnIdentity, random: Random) {
    this.#telling = telling;
    this.name = name;
    this.identity = identity;
    this.#random = random;
    this.store = new RestorableStore(name, identity);
  }

  /** Makes an invite for `contact`. `expires`: unix seconds. */
  async invite(contact: string, expires: number, { reusable = false } = {}): Promise<Named> {
    const drawn: Uint8Array[] = [];
    const made = await invite(this.#context(drawn), contact, expires * SECOND - this.now, { reusable });
    const named = this.#telling.names.add(this.#telling.nameFor(this.name), made.invite);
    const [prekey, seed] = drawn.map(toHex) as [string, string];
    const draws: Draws = [
      ['prekey', prekey],
      ['KEM seed', seed],
    ];
    const bytes = { id: toHex(made.id), invite: toHex(made.invite) };
    const kind = reusable ? ({ reusable } as const) : {};
    this.#step({ do: 'invite', for: contact, ...kind, expires, draws, as: named.name, ...bytes });
    return named;
  }

  async add(name: string, theirs: Named, refused?: ErrorCode): Promise<void> {
    const code = await add(this.#context(), name, theirs.bytes).then(() => undefined, codeOf);
    expectSame(code, refused);
    this.#step({ do: 'add', name, invite: theirs.name, ...(refused && { refused }) });
  }

  /** Adds an invite of an identity that is known as `keeps`. `answered`: a session was opened with it before. */
  async addKnown(name: string, theirs: Named, { keeps, answered = false }: { keeps: string; answered?: boolean }) {
    const added = await add(this.#context(), name, theirs.bytes);
    expectSame([added.name, added.answeredBefore], [keeps, answered]);
    const other = { ...(keeps !== name && { keeps }), ...(answered && ({ answered } as const)) };
    this.#step({ do: 'add', name, invite: theirs.name, ...other });
  }

  async forget(name: string): Promise<void> {
    await forget(this.#context(), name);
    this.#step({ do: 'forget', name });
  }

  /** The numbers of a reusable invite up to `upTo` are taken by users who do not appear. */
  async takeNumbers({ name, bytes }: Named, upTo: number): Promise<void> {
    await takeNumbers(this.store, digest(16, bytes), upTo);
    this.#step({ do: 'take numbers', invite: name, upTo });
  }

  async say(to: string, text: string): Promise<Mail> {
    return this.send(to, { sentAt: this.now, text });
  }

  async send(to: string, content: Content): Promise<Mail> {
    const { sessions, contacts } = this.store.data;
    const drawn: Uint8Array[] = [];
    const { envelope, id } = await send(this.#context(drawn), to, contentOf(content));
    const after = this.store.data.sessions.find((one) => hasSent(sessions, one));
    if (after === undefined) throw new Error('nothing was sent');
    const before = sessions.find(({ id: one }) => one === after.id);
    const answered = contacts.find((contact) => contact.id === after.contact)?.invite;
    const opened = before === undefined && answered ? this.#telling.names.find(answered.bytes) : undefined;
    const mail = { ...this.#telling.names.add(this.#telling.nameFor(this.name), envelope), content };
    const { draws, ...values } = this.#shortened(
      explained({ self: this.identity, before, after, drawn, invite: opened, id }),
    );
    const session = sessionName(after);
    const bytes = this.#telling.shortened(mail);
    this.#step({ do: 'send', to, content, draws, as: mail.name, session, ...values, envelope: bytes });
    return mail;
  }

  /** Sends the same text `count` times on a chain that has begun, with the same draw each time. */
  async sayMany(to: string, text: string, count: number): Promise<Many> {
    const content = { sentAt: this.now, text };
    const r = this.#random(32);
    const before = this.store.data.sessions;
    const name = this.#telling.nameFor(this.name);
    const mails: Mail[] = [];
    const positions: number[] = [];
    while (mails.length < count) {
      const drawn: Uint8Array[] = [];
      const { envelope, n } = await send(
        this.#context(drawn, () => Uint8Array.from(r)),
        to,
        contentOf(content),
      );
      if (drawn.length !== 1) throw new Error('no chain may begin here');
      mails.push({ ...this.#telling.names.add(`${name}: ${mails.length + 1}`, envelope), content });
      positions.push(n);
    }
    const after = this.store.data.sessions.find((one) => hasSent(before, one));
    if (after === undefined) throw new Error('nothing was sent');
    const session = sessionName(after);
    const all = toHex(digest(16, concatAll(mails.map(({ bytes }) => bytes))));
    const [n = 0] = positions;
    this.#step({ do: 'send many', to, content, count, r: toHex(r), as: name, session, n, digest: all });
    return { name, mails };
  }

  async cannotSend(to: string, refused: ErrorCode): Promise<void> {
    const content = contentOf({ sentAt: this.now, text: 'not sent' });
    const code = await send(this.#context(), to, content).then(() => undefined, codeOf);
    expectSame(code, refused);
    this.#step({ do: 'cannot send', to, refused });
  }

  /** Sends messages on the chain of the newest session, of which nobody ever sees one. */
  async lose(to: string, count: number): Promise<void> {
    await passOver(this.store, this.session().id, count);
    this.#step({ do: 'lose', to, count });
  }

  /** `fork`: what the message is held against, though it is read. */
  async reads(mail: Mail, { gap, fork }: { gap?: number; fork?: ForkReason } = {}): Promise<void> {
    const before = this.store.data.sessions;
    const outcome = await this.#outcomeOf(mail, gap);
    if (outcome.type !== 'message' && outcome.type !== 'announced') throw unexpected(mail, outcome);
    const session = this.store.data.sessions.find((one) => hasReceived(before, one));
    const accepted = acceptedOf(outcome, session);
    expectSame([accepted.content, accepted.fork], [mail.content, fork]);
    this.#received(mail, { ...(gap && { gap }), accepted });
  }

  /** Seals a part of the content that a message of theirs describes. `after`: the part before it. */
  seals({ name, content }: Mail, { data, last = 0, after }: ToSeal): SealedMail {
    if (content === undefined || !('descriptor' in content)) throw new Error(`${name} describes nothing`);
    const r = toHex(this.#random(32));
    const [index, link] = after === undefined ? [0, FIRST_LINK] : [after.index + 1, after.next];
    const part = { index, isLast: last === 1, link, data: joined(data, this.#telling.names.bytes) };
    const envelope = partOf(content.descriptor, part, r);
    const sealed = this.#telling.names.add(this.#telling.nameFor(this.name), envelope);
    const fields = { index, last, data, link: toHex(link), r };
    const made = { as: sealed.name, length: envelope.length, is: toHex(digest(16, envelope)) };
    this.#step({ do: 'seal', of: name, ...fields, ...made });
    return { ...sealed, index, next: nextLink(link, partDigest(part)) };
  }

  /** `outcome`: what must become of the part. */
  async takes(part: Named, outcome: string): Promise<void> {
    const taken = await takePart(this.#context(), part.bytes);
    expectSame([part.name, taken.outcome], [part.name, outcome]);
    this.#step({ do: 'take', part: part.name, ...taken });
  }

  /** Reads some of many messages, counted from 1, one after the other. */
  async readsMany({ name, mails }: Many, first: number, last: number): Promise<void> {
    const texts: Accepted[] = [];
    for (const mail of mails.slice(first - 1, last)) {
      const before = this.store.data.sessions;
      const outcome = await this.#outcomeOf(mail);
      if (outcome.type !== 'message') throw unexpected(mail, outcome);
      texts.push(
        acceptedOf(
          outcome,
          this.store.data.sessions.find((session) => hasReceived(before, session)),
        ),
      );
    }
    const [accepted] = texts;
    if (accepted === undefined) throw new Error('nothing was read');
    expectSame(
      texts,
      texts.map((_, index) => ({ ...accepted, n: accepted.n + index })),
    );
    this.#step({ do: 'receive many', of: name, first, last, accepted });
  }

  /** The ledger of a reusable invite knows the opening, whose session is gone. */
  async hasForgotten(mail: Named): Promise<void> {
    const outcome = await this.#outcomeOf(mail);
    if (outcome.type !== 'forgotten') throw unexpected(mail, outcome);
    this.#received(mail, { forgotten: true });
  }

  async seesAgain(mail: Named): Promise<void> {
    const outcome = await this.#outcomeOf(mail);
    if (outcome.type !== 'duplicate') throw unexpected(mail, outcome);
    this.#received(mail, { duplicate: { from: outcome.from, n: outcome.n } });
  }

  async getsTooLate(mail: Named): Promise<void> {
    const outcome = await this.#outcomeOf(mail);
    if (outcome.type !== 'too-late') throw unexpected(mail, outcome);
    this.#received(mail, { tooLate: { from: outcome.from, n: outcome.n } });
  }

  async refuses(mail: Named, refused: ErrorCode, reason?: ForkReason): Promise<void> {
    const outcome = await this.#outcomeOf(mail);
    if (outcome.type !== 'refused') throw unexpected(mail, outcome);
    const { code, detail } = outcome.error;
    expectSame([code, 'reason' in detail ? detail.reason : undefined], [refused, reason]);
    this.#received(mail, { refused, ...(reason && { reason }) });
  }

  async seesFork(mail: Named, reason: ForkReason): Promise<void> {
    await this.refuses(mail, 'fork', reason);
  }

  /** Writes down all that is kept of a session. */
  check(session = this.session()): void {
    this.#telling.step({ do: 'check', of: this.name, session: sessionName(session), state: stateOf(session) });
  }

  /** Writes down which sessions there are with a contact, how idle they are, and which is sent on. */
  async checkSessions(name: string): Promise<void> {
    const sessions = await this.store.snapshot(async (view) => {
      const contact = await view.contactNamed(name);
      return contact === undefined ? [] : view.sessions(contact.id);
    });
    this.#telling.step({ do: 'sessions', of: this.name, with: name, ...sessionsOf(sessions) });
  }

  /** The session that began last. */
  session(): StoredSession {
    const session = this.store.data.sessions.at(-1);
    if (session === undefined) throw new Error(`${this.name} has no session`);
    return session;
  }

  #shortened({ chain, ...values }: Explanation): Explanation {
    const { offer, answer } = chain ?? {};
    const short = (kind: string, value: Hex) => this.#telling.firstWhole(kind, value);
    const fields = {
      ...(offer && { offer: short('offer', offer) }),
      ...(answer && { answer: short('answer', answer) }),
    };
    return chain === undefined ? values : { ...values, chain: { ...chain, ...fields } };
  }

  async #outcomeOf({ bytes }: Named, gap?: number): Promise<Outcome> {
    try {
      const envelope = decodeEnvelope(bytes);
      if (!('message' in envelope)) throw new Error('an invite is no message');
      const options = gap === undefined ? {} : { gap };
      const { outcomes } = await receive(this.#context(), [{ envelope, source: '' }], options);
      return outcomes[0] as Outcome;
    } catch (error) {
      if (error instanceof PawlError) return { type: 'refused', from: undefined, error, source: '' };
      throw error;
    }
  }

  #received({ name }: Named, outcome: Omit<ReceiveStep, 'do' | 'envelope'>): void {
    this.#step({ do: 'receive', envelope: name, ...outcome });
  }

  #step(command: Command): void {
    const { do: what, ...rest } = command;
    this.#telling.step({ do: what, by: this.name, now: this.now, ...rest } as Deed);
  }

  /** Draws go into `drawn`; where there is none, there must not be any. */
  #context(drawn?: Uint8Array[], source: Random = this.#random): Context {
    const random: Random = (length) => {
      if (drawn === undefined) throw new Error('this draws nothing');
      const bytes = source(length);
      drawn.push(Uint8Array.from(bytes));
      return bytes;
    };
    return { store: this.store, random, now: () => this.now, process: 'here', isRunning: () => true };
  }
}

function hasSent(before: readonly StoredSession[], { id, state }: StoredSession): boolean {
  const old = before.find((session) => session.id === id)?.state.sending;
  const { sending } = state;
  return sending.kind === 'chain' && (old?.kind !== 'chain' || old.n !== sending.n);
}

function hasReceived(before: readonly StoredSession[], { id, received }: StoredSession): boolean {
  return received !== (before.find((session) => session.id === id)?.received ?? 0);
}

function acceptedOf(
  outcome: Extract<Outcome, { type: 'message' | 'announced' }>,
  session: StoredSession | undefined,
): Accepted {
  const { from, n, late, notices } = outcome;
  const content = outcome.type === 'message' ? outcome.content : outcome.descriptor;
  const position = session?.accepted.find(({ sequence }) => sequence === session.received);
  if (session === undefined || position === undefined) throw new Error('a text is of a session');
  const lost = notices.find((notice) => notice.kind === 'lost')?.count ?? 0;
  const fork = notices.find((notice) => notice.kind === 'fork')?.reason;
  const { chain } = position;
  const where = { from, session: sessionName(session), chain, n, late, lost };
  return { ...where, content: written(content), ...(fork && { fork }) };
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof PawlError) return error.code;
  throw error;
}

function unexpected({ name }: Named, outcome: Outcome): Error {
  return new Error(`${name}: ${outcome.type === 'refused' ? outcome.error.code : outcome.type}`);
}

function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${JSON.stringify(actual)}, and not ${JSON.stringify(expected)}`);
  }
}
