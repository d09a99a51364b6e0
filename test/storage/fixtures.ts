import { createHash } from 'node:crypto';
import type { ContentHead } from '../../src/envelope/index.ts';
import { createIdentity, type OwnIdentity, type StoredInvite, type Transcript } from '../../src/handshake/index.ts';
import type { PartRecord } from '../../src/parts/index.ts';
import { generateKeyPair, type IdentityKey, type KemSeed } from '../../src/primitives/index.ts';
import type { Encrypted, FindEntry, Limits, RatchetState, Rules, SessionId } from '../../src/ratchet/index.ts';
import type { ContactId, Incoming, NewSession, Outgoing, SessionStore, Transaction } from '../../src/session/store.ts';
import type { Move } from '../../src/storage/moving.ts';
import { meet, type Party, repeatable } from '../ratchet/party.ts';

export const NOW = Date.UTC(2026, 0, 1);

export interface TestStore {
  readonly store: SessionStore;
  readonly identity: OwnIdentity;
}

/** Gives a store that is empty but for an identity. */
export type MakeStore = () => TestStore;

export function record() {
  return { name: 'bob', identity: createIdentity(repeatable('identity of bob')), createdAt: NOW };
}

/** Bytes that are the same for the same name, and no others. */
/** Of a text in the inbox. */
export const HEAD: ContentHead = { kind: 'text', sentAt: NOW, length: 4 };

export function bytesOf(name: string, length: number): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: length }).update(name).digest());
}

export function identityOf(name: string): IdentityKey {
  return bytesOf(`identity of ${name}`, 32) as IdentityKey;
}

export function addContact(transaction: Transaction, name: string): Promise<ContactId> {
  return transaction.addContact({ name, identity: identityOf(name), addedAt: NOW, invite: undefined });
}

/** What it says of a new session that the contact opened. */
export function opened(contact: ContactId, name = 'prefix', at = NOW): NewSession {
  return {
    contact,
    origin: { role: 'responder', prefixDigest: bytesOf(name, 16) },
    transcript: bytesOf(`transcript of ${name}`, 32) as Transcript,
    opened: at,
    createdAt: at,
    boxes: {
      outgoing: bytesOf(`outgoing box of ${name}`, 16),
      incoming: bytesOf(`incoming box of ${name}`, 16),
      invite: bytesOf(`invite box of ${name}`, 16),
    },
  };
}

/** What it says of a new session that we opened. */
export function opening(contact: ContactId, name = 'opening'): NewSession {
  const origin = {
    role: 'initiator',
    inviteId: bytesOf(name, 16),
    prefix: bytesOf(`prefix of ${name}`, 1208),
  } as const;
  return { ...opened(contact, name), origin };
}

export function inviteFor(name: string, expiresAt = NOW): StoredInvite {
  const prekey = generateKeyPair(repeatable(`prekey for ${name}`));
  const kemSeed = bytesOf(`KEM seed of ${name}`, 64) as KemSeed;
  return {
    id: bytesOf(`invite for ${name}`, 16),
    contactName: name,
    createdAt: NOW,
    expiresAt,
    lastUser: undefined,
    numbersAfter: 0,
    fate: { kind: 'open', bytes: bytesOf(`invite for ${name}`, 1321), secrets: { prekey, kemSeed } },
  };
}

/** A fresh state of the side that was opened to, which has received nothing. */
export function freshState(): RatchetState {
  return meet().bob.state;
}

/** Every header key that is kept (of one session), in the order in which they are tried. */
export async function findEntries(view: Transaction, session?: SessionId): Promise<FindEntry[]> {
  const entries: FindEntry[] = [];
  await view.findEntry((entry) => {
    entries.push(entry);
    return false;
  }, session);
  return entries;
}

/** A conversation of which the store keeps bob's side; bob himself remembers what it ought to be. */
export class Conversation {
  readonly alice: Party;
  readonly bob: Party;
  readonly session: SessionId;
  readonly #store: SessionStore;

  constructor(store: SessionStore, session: SessionId, parties: { alice: Party; bob: Party }) {
    this.#store = store;
    this.session = session;
    this.alice = parties.alice;
    this.bob = parties.bob;
  }

  static async begin(store: SessionStore, limits?: Limits, name = 'alice', rules?: Rules): Promise<Conversation> {
    const parties = meet(limits, rules);
    const session = await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, name);
      return transaction.addSession(opened(contact, name), parties.bob.state);
    });
    return new Conversation(store, session, parties);
  }

  /** Bob receives, and the store keeps the step. */
  async receive(sent: Encrypted, at = NOW): Promise<void> {
    const { step } = this.bob.accept(sent);
    const { limits } = this.bob.keeper;
    const accepted = [{ step, digest: sent.id }];
    await this.#store.transaction((transaction) => transaction.saveReceived(this.session, accepted, at, limits));
  }

  async send(): Promise<Encrypted> {
    const sent = this.bob.send('text');
    await this.#store.transaction((transaction) => transaction.saveSent(this.session, sent.state));
    return sent;
  }

  /** Each side says something: alice begins a new chain. Only the message named is received, of those that she sends. */
  async turn(turn: { sends?: number; received?: number; at?: number } = {}): Promise<readonly Encrypted[]> {
    const { sends = 1, received = sends - 1, at = NOW } = turn;
    const sent = this.alice.sendMany(sends);
    for (const [n, message] of sent.entries()) if (n === received) await this.receive(message, at);
    this.alice.read(await this.send());
    return sent;
  }

  read<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#store.snapshot(work);
  }
}

/** A content that comes in parts: of a file. */
export function incomingOf(contact: ContactId, name = 'film.mkv'): Incoming {
  return {
    contact,
    messageId: bytesOf(`message of ${name}`, 16),
    n: 2 ** 32 - 2,
    late: false,
    receivedAt: NOW,
    descriptor: {
      type: 'descriptor',
      name,
      sentAt: 8.64e15,
      size: 2 ** 53 - 1,
      partSize: 983_040,
      key: bytesOf(name, 32),
    },
  };
}

/** A content that goes in parts: of a file that can be read again. */
export function outgoingTo(contact: ContactId, name = 'film.mkv'): Outgoing {
  const { messageId, n, descriptor } = incomingOf(contact, name);
  return {
    box: undefined,
    contact,
    messageId,
    n,
    createdAt: NOW,
    process: 'one',
    advancedAt: NOW,
    descriptor,
    source: {
      path: `/tmp/${name}`,
      inode: '18446744073709551615 7',
      modified: '1767225600123456789',
      host: 'a host',
    },
    parts: 0,
    partsAt: undefined,
    link: bytesOf(`link of ${name}`, 32),
    envelope: bytesOf(`envelope of ${name}`, 5_000),
  };
}

/** What is stored of a part that is there. */
export function partRecord(index: number, isLast = false): PartRecord {
  return {
    index,
    isLast,
    digest: bytesOf(`digest ${index}`, 16),
    link: bytesOf(`link ${index}`, 32) as PartRecord['link'],
    next: bytesOf(`link ${index + 1}`, 32) as PartRecord['link'],
    length: isLast ? 1 : 983_040,
  };
}

/** A move to a place, always the same for the same place. */
export function moveTo(to: string): Move {
  return { to, id: bytesOf(`a move to ${to}`, 16), host: 'here' };
}
