/** Sessions on identity files: the work of `send` and `recv` without starting a process, durable at each step. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEnvelope } from '../src/envelope/index.ts';
import { systemRandom } from '../src/primitives/index.ts';
import {
  acknowledgeDelivered,
  acknowledgeSent,
  add,
  type Context,
  DAY,
  invite,
  newIdentity,
  receive,
  send,
} from '../src/session/index.ts';
import { createIdentityFile, type FileKey, openIdentityFile, SALT_LENGTH } from '../src/storage/index.ts';
import { asyncMicroseconds, type Figure } from './measure.ts';

export async function throughStore(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const alice = open(folder, 'alice');
    const bob = open(folder, 'bob');
    await add(alice, 'bob', (await invite(bob, 'alice', DAY)).invite);
    await carry(alice, 'bob', bob);
    await carry(bob, 'alice', alice);
    const sameChain = await asyncMicroseconds(100, 5, () => carry(alice, 'bob', bob));
    const sending = await asyncMicroseconds(100, 5, async () => {
      await sendOne(alice, 'bob');
    });
    let turn = false;
    const pingPong = await asyncMicroseconds(100, 5, () => {
      turn = !turn;
      return turn ? carry(bob, 'alice', alice) : carry(alice, 'bob', bob);
    });
    return [
      { name: 'same chain, send', value: sending },
      { name: 'same chain, receive', value: sameChain - sending },
      { name: 'same chain, send and receive', value: sameChain },
      { name: 'ping-pong, send and receive', value: pingPong },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(folder: string, name: string): Context {
  const path = join(folder, `${name}.db`);
  const lock = { key: systemRandom(32) as FileKey, salt: systemRandom(SALT_LENGTH) };
  const { identity } = newIdentity(systemRandom);
  createIdentityFile(path, lock, { name, identity, createdAt: Date.now() });
  const store = openIdentityFile(path, lock, { wait: 0 });
  return { store, random: systemRandom, now: Date.now, process: 'bench', isRunning: () => true };
}

async function sendOne(from: Context, to: string): Promise<Uint8Array> {
  const sent = await send(from, to, { type: 'text', sentAt: Date.now(), bytes: systemRandom(100) });
  await acknowledgeSent(from, [sent.outboxId]);
  return sent.envelope;
}

async function carry(from: Context, name: string, to: Context): Promise<void> {
  const envelope = decodeEnvelope(await sendOne(from, name));
  if (!('message' in envelope)) throw new Error('no message');
  const { outcomes } = await receive(to, [{ source: 'bench', envelope }], {});
  const ids = outcomes.map((outcome) => {
    if (outcome.type !== 'message') throw new Error('the message is refused');
    return outcome.inboxId;
  });
  await acknowledgeDelivered(to, { delivered: ids, deferred: [] });
}
