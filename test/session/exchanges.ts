import { expect } from 'vitest';
import { decodeEnvelope } from '../../src/envelope/index.ts';
import { toHex } from '../../src/primitives/index.ts';
import type { RatchetState } from '../../src/ratchet/index.ts';
import { DAY } from '../../src/session/index.ts';
import type { Party } from './party.ts';
import { RestorableParty } from './snapshots.ts';

/** What is on the wire of an exchange: the length of a sealed header tells, and nothing else does. */
const FIELDS: Readonly<Record<number, string>> = { 72: 'none', 1256: 'offer', 1160: 'answer' };

export function fieldIn(envelope: Uint8Array): string {
  const { message } = mail(envelope);
  return FIELDS[message.sealedHeader.length] ?? 'unheard of';
}

export function mail(bytes: Uint8Array) {
  const envelope = decodeEnvelope(bytes);
  if (!('message' in envelope)) throw new Error('a message');
  return envelope;
}

/** The ratchets of a party's sessions with its only contact, oldest first. */
export async function ratchets(party: Party): Promise<readonly (RatchetState & { transcript: string })[]> {
  return party.store.snapshot(async (view) => {
    const [contact] = await view.contacts();
    const sessions = contact === undefined ? [] : await view.sessions(contact.id);
    return Promise.all(
      sessions.map(async ({ id, transcript }) => ({ transcript: toHex(transcript), ...(await view.ratchetState(id)) })),
    );
  });
}

/** How far the exchange is in the party's only session. */
export async function exchange(party: Party): Promise<string> {
  const [state] = await ratchets(party);
  return `${state?.rekeying.exchange.kind}, mixed by step ${state?.rekeying.mixed.step}`;
}

/** Both have heard each other, and a day has passed: whoever begins the next chain offers a key. */
export async function acquainted<Person extends Party>(
  alice: Person,
  bob: Person,
): Promise<{ alice: Person; bob: Person }> {
  await alice.add('bob', await bob.invite('alice'));
  await tell(alice, bob, 'hi bob');
  await tell(bob, alice, 'hi alice');
  for (const party of [alice, bob]) party.time += DAY;
  return { alice, bob };
}

export const inMemory = () => acquainted(new RestorableParty('alice'), new RestorableParty('bob'));

/** Sends a text, which arrives. @returns what the message carried. */
export async function tell(from: Party, to: Party, text = 'on'): Promise<string> {
  const { envelope } = await from.send(to.name, text);
  expect(await to.read(envelope)).toBe(text);
  return fieldIn(envelope);
}

/** Both talk on as if nothing had been, and a KEM secret is mixed again before long. */
export async function expectHealthy(alice: Party, bob: Party): Promise<void> {
  for (const party of [alice, bob]) party.time += DAY;
  const carried: string[] = [];
  for (let turn = 0; turn < 3; turn++) carried.push(await tell(alice, bob), await tell(bob, alice));
  expect(carried.join(' ')).toMatch(/offer answer/);
  const [one] = (await ratchets(alice)).toSorted((a, b) => b.rekeying.mixed.at - a.rekeying.mixed.at);
  const other = (await ratchets(bob)).find(({ transcript }) => transcript === one?.transcript);
  expect(one?.rekeying.mixed.step).toBeGreaterThan(1);
  expect([one?.rootKey, one?.rekeying.mixed.step]).toEqual([other?.rootKey, other?.rekeying.mixed.step]);
}
