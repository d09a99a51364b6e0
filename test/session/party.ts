import { createHash } from 'node:crypto';
import { decodeEnvelope, encodeEnvelope } from '../../src/envelope/index.ts';
import { createIdentity, type OwnIdentity } from '../../src/handshake/index.ts';
import type { Random } from '../../src/primitives/index.ts';
import {
  acknowledgeDelivered,
  acknowledgeSent,
  add,
  type Context,
  claim,
  DAY,
  invite,
  listWaiting,
  type Outcome,
  type ReceiveOptions,
  readClaimed,
  receive,
  type Sent,
  type SessionStore,
  type Settled,
  send,
} from '../../src/session/index.ts';
import {
  createIdentityFile,
  type FileKey,
  type Lock,
  openIdentityFile,
  SALT_LENGTH,
  type SqliteStore,
} from '../../src/storage/index.ts';
import { findEntries } from '../storage/fixtures.ts';
import { MemoryStore } from '../storage/memory/index.ts';

export const START = Date.UTC(2026, 0, 1);

export const NOTHING_SETTLED: Settled = { delivered: [], deferred: [] };

/** Random bytes that are the same in every run of the same seed. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  return (length) => {
    const blocks: Buffer[] = [];
    for (let made = 0; made < length; made += 64) {
      blocks.push(createHash('sha512').update(`${seed}/${counter++}`).digest());
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  };
}

/** One person with an identity, a store and a clock: the commands as functions. */
export class Party {
  readonly name: string;
  readonly identity: OwnIdentity;
  readonly random: Random;
  store: SessionStore;
  time = START;

  constructor(name: string, { identity, store }: { identity?: OwnIdentity; store?: SessionStore } = {}) {
    this.name = name;
    this.random = seededRandom(name);
    this.identity = identity ?? createIdentity(this.random);
    this.store = store ?? this.freshStore();
  }

  freshStore(): SessionStore {
    return new MemoryStore({ name: this.name, identity: this.identity, createdAt: START });
  }

  /** The process ends and begins anew: nothing but the store is left. */
  restart(): void {}

  get context(): Context {
    const { store, random } = this;
    return { store, random, now: () => this.time, process: 'here', isRunning: () => true };
  }

  async invite(name: string, lifetime = 30 * DAY, options: { reusable?: boolean } = {}): Promise<Uint8Array> {
    return (await invite(this.context, name, lifetime, options)).invite;
  }

  async add(name: string, bytes: Uint8Array) {
    return add(this.context, name, bytes);
  }

  async send(name: string, text: string): Promise<Sent> {
    const content = { type: 'text', sentAt: this.time, bytes: Buffer.from(text) } as const;
    const sent = await send(this.context, name, content);
    await acknowledgeSent(this.context, [sent.outboxId]);
    return sent;
  }

  /** Receives envelopes in one unit of work, and takes the texts out of the inbox. */
  async receive(envelopes: readonly Uint8Array[], options: Partial<ReceiveOptions> = {}): Promise<readonly Outcome[]> {
    const arrivals = envelopes.map((bytes, i) => {
      const envelope = decodeEnvelope(bytes);
      if (!('message' in envelope)) throw new Error('an invite is no message');
      if (!Buffer.from(encodeEnvelope(envelope)).equals(bytes)) throw new Error('encode(decode(x)) is not x');
      return { source: `envelope ${i}`, envelope };
    });
    const waiting = await listWaiting(this.context);
    const claims = waiting.length === 0 ? [] : await claim(this.context, waiting, NOTHING_SETTLED);
    const earlier = await readClaimed(this.context, claims);
    const { outcomes } = await receive(this.context, arrivals, options);
    const all = [...earlier, ...outcomes];
    const texts = all.filter((outcome) => outcome.type === 'message');
    await acknowledgeDelivered(this.context, { delivered: texts.map(({ inboxId }) => inboxId), deferred: [] });
    return all;
  }

  /** Receives one envelope: its text, or the type of its outcome, or the code of the refusal. */
  async read(envelope: Uint8Array, options: Partial<ReceiveOptions> = {}): Promise<string> {
    const [outcome] = await this.receive([envelope], options);
    return outcome === undefined ? 'nothing' : wordFor(outcome);
  }

  /** Everything the store holds, as a value to compare. */
  async dump(): Promise<unknown> {
    return this.store.snapshot(async (view) => {
      const contacts = await view.contacts();
      const sessions = (await Promise.all(contacts.map(({ id }) => view.sessions(id)))).flat();
      return {
        contacts,
        sessions,
        invites: await view.invites(),
        outbox: await view.outbox(),
        envelopes: await Promise.all((await view.outbox()).map(({ id }) => view.envelope(id))),
        inbox: await view.inbox(),
        finds: await findEntries(view),
        states: await Promise.all(sessions.map(({ id }) => view.ratchetState(id))),
        missing: await Promise.all(sessions.map(({ id }) => view.missingMessages(id))),
        incoming: await view.incoming(),
        parts: await Promise.all((await view.incoming()).map(({ id }) => view.receivedParts(id))),
        outgoing: await view.outgoing(),
      };
    });
  }
}

/** A person whose store is an identity file. */
export class FileParty extends Party {
  readonly #path: string;
  readonly #lock: Lock;

  constructor(name: string, path: string) {
    super(name);
    this.#path = path;
    this.#lock = { key: this.random(32) as FileKey, salt: this.random(SALT_LENGTH) };
    createIdentityFile(path, this.#lock, { name, identity: this.identity, createdAt: START });
    this.store = this.#open();
  }

  override restart(): void {
    this.close();
    this.store = this.#open();
  }

  close(): void {
    (this.store as SqliteStore).close();
  }

  #open(): SqliteStore {
    return openIdentityFile(this.#path, this.#lock, { wait: 0 });
  }
}

export function wordFor(outcome: Outcome): string {
  if (outcome.type === 'message') return Buffer.from(outcome.content.bytes).toString();
  return outcome.type === 'refused' ? `refused: ${outcome.error.code}` : outcome.type;
}

/** An alice and a bob with a session that both hold, opened by alice. */
export async function meet(): Promise<{ alice: Party; bob: Party }> {
  const alice = new Party('alice');
  const bob = new Party('bob');
  await alice.add('bob', await bob.invite('alice'));
  await bob.read((await alice.send('bob', 'hi bob')).envelope);
  await alice.read((await bob.send('alice', 'hi alice')).envelope);
  return { alice, bob };
}
