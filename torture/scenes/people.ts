/** Preparations that scenes share: identities, conversations, entries left in outbox and inbox. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Box, Call } from '../box.ts';

/** Two identities without contacts. */
export async function twoIdentities(box: Box): Promise<void> {
  await box.ready('alice', ['init', 'alice']);
  await box.ready('bob', ['init', 'bob']);
}

/** Alice has added an invite of Bob. */
export async function invited(box: Box): Promise<void> {
  await twoIdentities(box);
  await box.ready('alice', ['add', 'bob'], await box.ready('bob', ['invite', 'alice']));
}

/** Both have sent and received. */
export async function talking(box: Box): Promise<void> {
  await invited(box);
  for (let round = 0; round < 2; round++) {
    await deliver(box, 'alice', 'bob', `${round}`);
    await deliver(box, 'bob', 'alice', `${round}`);
  }
}

/** Both have sent and received, and have history on. */
export async function keeping(box: Box): Promise<void> {
  await talking(box);
  for (const who of ['alice', 'bob']) await box.ready(who, ['history', 'on']);
}

export async function deliver(box: Box, from: string, to: string, text: string): Promise<void> {
  await box.ready(to, ['recv'], await box.ready(from, ['send', to, '-m', text]));
}

/** Leaves an envelope in an outbox, Alice's unless said: writing it to standard output fails. */
export async function unwritten(box: Box, text: string, from = 'alice', to = 'bob'): Promise<void> {
  const call = { who: from, parameters: ['send', to, '-m', text] };
  const step = await stepOfOutput(box, call);
  const ran = await box.start(call, { step, mode: 'enospc' });
  if (ran.code !== 74 || ran.stdout.length > 0)
    throw new Error(`sending into the void: exit ${ran.code}: ${ran.stderr}`);
}

/** Leaves a text in Bob's inbox in the same way. */
export async function undelivered(box: Box, text: string): Promise<void> {
  const call = { who: 'bob', parameters: ['recv'], input: await box.ready('alice', ['send', 'bob', '-m', text]) };
  const step = await stepOfOutput(box, call);
  const ran = await box.start(call, { step, mode: 'enospc' });
  if (ran.code !== 74 || ran.stdout.length > 0)
    throw new Error(`receiving into the void: exit ${ran.code}: ${ran.stderr}`);
}

/** The number of the step at which a command writes to standard output. */
async function stepOfOutput(box: Box, call: Call): Promise<number> {
  const copy = box.copy(box.path('..'));
  const { steps = [] } = await copy.start(call, { step: 0, mode: 'none' });
  copy.remove();
  return steps.findIndex(({ path }) => path === 'stdout') + 1;
}

/** A text that does not fit into the buffer of a pipe: writing it waits for the reader. */
export const LARGER_THAN_A_PIPE = 'x'.repeat(1 << 20);

/** Larger than the database's page cache, so that pages are written before the commit. */
export const LARGER_THAN_THE_CACHE = 'z'.repeat(3 << 20);

/** Writes a key file of random bytes. */
export function writeKey(box: Box, name: string): void {
  writeFileSync(box.path(name), randomBytes(32), { mode: 0o600 });
}

/** Larger than one message: it goes in parts, none of which is like another. */
export const FILM = Buffer.alloc(17_500_000);
for (let at = 0; at < FILM.length; at += 4) FILM.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);

/** Both have sent and received, and there is a large file. */
export async function withFilm(box: Box): Promise<void> {
  await talking(box);
  writeFileSync(box.path('film'), FILM);
}
