import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Box, Call } from '../box.ts';

/** Two identities that know nothing of each other. */
export async function twoIdentities(box: Box): Promise<void> {
  await box.ready('alice', ['init', 'alice']);
  await box.ready('bob', ['init', 'bob']);
}

/** Alice keeps an invite of Bob's. */
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

/** And keep history from now on. */
export async function keeping(box: Box): Promise<void> {
  await talking(box);
  for (const who of ['alice', 'bob']) await box.ready(who, ['history', 'on']);
}

export async function deliver(box: Box, from: string, to: string, text: string): Promise<void> {
  await box.ready(to, ['recv'], await box.ready(from, ['send', to, '-m', text]));
}

/** Leaves an envelope in the outbox of Alice: her output takes nothing, and her process is gone. */
export async function unwritten(box: Box, text: string): Promise<void> {
  const step = await stepOfOutput(box, sendCall(text));
  const ran = await box.start(sendCall(text), { step, mode: 'enospc' });
  if (ran.code !== 74 || ran.stdout.length > 0)
    throw new Error(`sending into the void: exit ${ran.code}: ${ran.stderr}`);
}

/** Leaves a text in the inbox of Bob in the same way. */
export async function undelivered(box: Box, text: string): Promise<void> {
  const call = { who: 'bob', parameters: ['recv'], input: await box.ready('alice', ['send', 'bob', '-m', text]) };
  const step = await stepOfOutput(box, call);
  const ran = await box.start(call, { step, mode: 'enospc' });
  if (ran.code !== 74 || ran.stdout.length > 0)
    throw new Error(`receiving into the void: exit ${ran.code}: ${ran.stderr}`);
}

/** The step at which a command writes its result. */
async function stepOfOutput(box: Box, call: Call): Promise<number> {
  const copy = box.copy(box.path('..'));
  const { steps = [] } = await copy.start(call, { step: 0, mode: 'none' });
  copy.remove();
  return steps.findIndex(({ path }) => path === 'stdout') + 1;
}

function sendCall(text: string) {
  return { who: 'alice', parameters: ['send', 'bob', '-m', text] };
}

/** A text of which a process can write only a part as long as nobody reads. */
export const LARGER_THAN_A_PIPE = 'x'.repeat(1 << 20);

/** Larger than the database's page cache, so that pages are written before the commit. */
export const LARGER_THAN_THE_CACHE = 'z'.repeat(3 << 20);

/** A key file for the tests of `passwd`. */
export function writeKey(box: Box, name: string): void {
  writeFileSync(box.path(name), randomBytes(32), { mode: 0o600 });
}
