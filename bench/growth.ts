/**
 * How the time of one `send` and one `recv` grows with what the identity file contains or has been through: contacts,
 * skipped keys, messages, DH steps. Prepares the files through the store or through commands, and measures whole
 * processes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEnvelope } from '../src/envelope/index.ts';
import type { Transcript } from '../src/handshake/index.ts';
import { generateKeyPair, type IdentityKey, systemRandom } from '../src/primitives/index.ts';
import { type AgreedKeys, initiatorState, LIMITS, type RatchetState } from '../src/ratchet/index.ts';
import {
  acknowledgeDelivered,
  acknowledgeSent,
  type Context,
  receive,
  send,
  type Transaction,
} from '../src/session/index.ts';
import { Home } from './home.ts';
import { type Figure, median } from './measure.ts';

const RUNS = 11;

export async function growth(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const base = Home.begin(join(folder, 'base'));
    const homes = new Map([['nothing', base]]);
    const grown = async (name: string, grow: (home: Home) => Promise<void> | void) => {
      const home = base.copy(join(folder, name));
      await grow(home);
      homes.set(name, home);
    };
    await grown('1,000 contacts', async (home) => {
      for (const name of ['alice', 'bob'] as const) await home.open(name, (context) => addContacts(context, 1_000));
    });
    await grown('2,000 skipped keys', (home) => {
      const { output } = home.pawl('alice', ['send', 'bob', '--lines'], Buffer.from('a\n'.repeat(2_001)));
      home.pawl('bob', ['recv'], output.subarray(-output.length / 2_001));
    });
    await grown('100,000 messages', (home) => {
      const { output } = home.pawl('alice', ['send', 'bob', '--lines'], Buffer.from('a\n'.repeat(100_000)));
      home.pawl('bob', ['recv'], output);
    });
    await grown('1,000 DH steps', (home) =>
      home.open('alice', (alice) => home.open('bob', (bob) => turn(alice, bob, 500))),
    );
    return [...timesOf(homes, 'send'), ...timesOf(homes, 'recv')];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function timesOf(homes: ReadonlyMap<string, Home>, what: 'send' | 'recv'): readonly Figure[] {
  const times = new Map<string, number[]>([...homes.keys()].map((name) => [name, []]));
  for (let count = 0; count < RUNS; count++) {
    for (const [name, home] of homes) {
      const sent = home.pawl('alice', ['send', 'bob', '-m', 'a'.repeat(100)]);
      const ran = what === 'send' ? sent : home.pawl('bob', ['recv'], sent.output);
      times.get(name)?.push(ran.milliseconds);
    }
  }
  const medians = [...times].map(([name, values]) => ({ name: `${what}, ${name}`, value: median(values) }));
  const first = medians[0]?.value ?? Number.NaN;
  return medians.map((figure) => ({ ...figure, ratio: figure.value / first }));
}

/** Adds contacts whose sessions have received the latest messages, so that their header keys are tried first. */
export async function addContacts({ store }: Context, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, number) => `contact-${number}`);
  await store.transaction(async (transaction) => {
    for (const name of names) await addContact(transaction, name);
  });
  return names;
}

async function addContact(transaction: Transaction, name: string): Promise<void> {
  const now = Date.now();
  const contact = await transaction.addContact({
    name,
    identity: systemRandom(32) as IdentityKey,
    addedAt: now,
    invite: undefined,
  });
  const agreed = {
    rootKey: systemRandom(32),
    initiatorHeader: systemRandom(32),
    responderHeader: systemRandom(32),
  } as unknown as AgreedKeys;
  const opened = initiatorState(agreed, generateKeyPair(systemRandom).publicKey, { random: systemRandom, now });
  if (opened.sending.kind !== 'chain') throw new Error('who opens can send');
  const { self, chainKey, header } = opened.sending;
  const receiving = { kind: 'chain', chain: 0, remote: self.publicKey, chainKey, header, n: 1 } as const;
  const state: RatchetState = { ...opened, receiving };
  const session = await transaction.addSession(
    {
      boxes: { outgoing: systemRandom(16), incoming: systemRandom(16), invite: undefined },
      contact,
      origin: { role: 'responder', prefixDigest: systemRandom(16) },
      transcript: systemRandom(32) as unknown as Transcript,
      opened: now,
      createdAt: now,
    },
    state,
  );
  const step = {
    state: { ...state, receiving: { ...receiving, n: 2 } },
    chain: 0,
    n: 1,
    late: false,
    gained: [],
    lost: 0,
  };
  await transaction.saveReceived(session, [{ step, digest: systemRandom(16) }], now, LIMITS);
}

/** Sends a message from bob to alice and one back, `times` times. */
async function turn(alice: Context, bob: Context, times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    await carry(bob, 'alice', alice);
    await carry(alice, 'bob', bob);
  }
}

async function carry(from: Context, name: string, to: Context): Promise<void> {
  const sent = await send(from, name, { type: 'text', sentAt: Date.now(), bytes: systemRandom(100) });
  await acknowledgeSent(from, [sent.outboxId]);
  const envelope = decodeEnvelope(sent.envelope);
  if (!('message' in envelope)) throw new Error('no message');
  const { outcomes } = await receive(to, [{ source: 'bench', envelope }], {});
  const ids = outcomes.flatMap((outcome) => (outcome.type === 'message' ? [outcome.inboxId] : []));
  if (ids.length !== 1) throw new Error('the message is refused');
  await acknowledgeDelivered(to, { delivered: ids, deferred: [] });
}
