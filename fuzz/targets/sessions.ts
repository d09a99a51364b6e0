/** Targets for receiving messages: from an outsider without keys, and from a hostile peer with keys. */
import { decodeEnvelope, type Envelope, encodeEnvelope, type SealedPart, scan } from '../../src/envelope/index.ts';
import { isPawlError, PawlError } from '../../src/errors.ts';
import { openSession, readInvite } from '../../src/handshake/index.ts';
import { concat, equal } from '../../src/primitives/index.ts';
import { initiatorState, openHeader } from '../../src/ratchet/index.ts';
import {
  type Arrival,
  DAY,
  type IncomingContent,
  incomingContents,
  type Outcome,
  type Reception,
  receive,
} from '../../src/session/index.ts';
import type { Dice } from '../dice.ts';
import { anyOpener, craft } from '../hostile.ts';
import { mutate } from '../mutate.ts';
import { demand, type Target, type Verdicts, verdictOf } from '../target.ts';
import { type Changes, TrialStore } from '../trial-store.ts';
import { createWorld, messagesOf, type PeerState, type World } from '../world.ts';

/** Envelopes altered by an outsider. Only texts that were sent are accepted, and no fork is reported. */
const outsider: Target = {
  name: 'receive, outsider',
  share: 16_000,
  async prepare() {
    const world = await createWorld();
    const messages = messagesOf(world.envelopes);
    const altered = (dice: Dice) => {
      const envelope = dice.pick(world.envelopes);
      if (dice.oneIn(12)) return envelope;
      return dice.oneIn(3) ? swapped(dice, messages) : mutate(dice, envelope, dice.pick(world.envelopes));
    };
    return {
      make: (dice) => concat(...Array.from({ length: dice.oneIn(6) ? 1 + dice.below(5) : 1 }, () => altered(dice))),
      run: receiver(world, (outcome) => {
        if (outcome.type === 'message') {
          demand(world.texts.has(Buffer.from(outcome.content.bytes).toString()), 'only what was written is accepted');
          demand(!outcome.notices.some(({ kind }) => kind === 'fork'), 'an outsider raises no fork');
        }
        demand(outcome.type !== 'announced', 'there is no descriptor that bob does not have');
        demand(!isFork(outcome), 'an outsider raises no fork');
      }),
    };
  },
};

/** Messages of peers who have the keys: correctly sealed, with senseless fields. */
const peer: Target = {
  name: 'receive, peer',
  share: 8_000,
  async prepare(setup) {
    const world = await createWorld();
    const peers = [...world.peers, ...hostileOpeners(setup, world)];
    const one = (dice: Dice) => {
      const { state, transcript, prefix } = dice.pick(dice.oneIn(2) ? world.live : peers);
      const message = craft(dice, state, transcript, world.bob.time);
      const opens = prefix !== undefined && !dice.oneIn(10);
      return encodeEnvelope(opens ? { kind: 'opening', prefix, message } : { kind: 'message', message });
    };
    return {
      make: (dice) => concat(...Array.from({ length: dice.oneIn(6) ? 1 + dice.below(5) : 1 }, () => one(dice))),
      run: receiver(world, () => undefined),
    };
  },
};

/** `openHeader` on authentic headers with any fields. */
const sealedHeader: Target = {
  name: 'openHeader',
  share: 16_000,
  async prepare(setup) {
    const { peers, bob } = await createWorld();
    const { state, transcript } = setup.pick(peers);
    if (state.sending.kind !== 'chain') throw new Error('the peer is not sending');
    const keys = [state.sending.header, state.nextSending];
    return {
      make: (dice) => encodeEnvelope({ kind: 'message', message: craft(dice, state, transcript, bob.time) }),
      run: (input) => {
        const envelope = decodeEnvelope(input);
        if (!('message' in envelope)) return [envelope.kind];
        const { message } = envelope;
        return verdictOf(() => {
          const opened = keys.some((key) => openHeader(key, message, transcript) !== undefined);
          if (!opened) throw new PawlError('corrupt', { what: 'message' });
        });
      },
    };
  },
};

export const sessions: readonly Target[] = [sealedHeader, outsider, peer];

/** A message whose fields come from several messages. */
function swapped(dice: Dice, messages: ReturnType<typeof messagesOf>): Uint8Array {
  const [a, b, c, d] = [dice.pick(messages), dice.pick(messages), dice.pick(messages), dice.pick(messages)];
  const whole = dice.oneIn(2);
  const { headerNonce } = b.message;
  const header = (whole ? b : c).message.sealedHeader;
  const message = { headerNonce, sealedHeader: header, body: (dice.oneIn(2) ? b : d).message.body };
  const envelope: Envelope =
    a.kind === 'opening' ? { kind: 'opening', prefix: a.prefix, message } : { kind: 'message', message };
  return encodeEnvelope(envelope);
}

/** Openings of bob's open invites, sealed by hostile openers with senseless fields. */
function hostileOpeners(dice: Dice, { bob, invites }: World): readonly PeerState[] {
  const times = [bob.time, bob.time + DAY + 1, 0, 8.64e15, 8.64e15 + 1, 2 ** 63];
  return Array.from({ length: 24 }, () => {
    const invite = readInvite(dice.pick(invites));
    const opened = dice.oneIn(2) ? bob.time : dice.pick(times);
    const { prefix, agreement } = openSession(anyOpener(dice, bob.identity), invite, opened, dice.bytes);
    const state = initiatorState(agreement, invite.prekey, { random: dice.bytes, now: bob.time });
    return { state, transcript: agreement.transcript, prefix };
  });
}

/**
 * Receives input as `recv` does, on bob's store, and rolls back. Every fourth run compares the states before and after.
 */
function receiver({ bob, parts }: World, check: (outcome: Outcome) => void): (input: Uint8Array) => Promise<Verdicts> {
  const store = new TrialStore<Reception>(bob.store, changesOf);
  let runs = 0;
  return async (input) => {
    const incoming = await incomingContents(bob.context);
    const verdicts: string[] = [];
    const arrivals: Arrival[] = [];
    for (const found of scan(input)) {
      if ('error' in found) verdicts.push(found.error.code);
      else {
        const { bytes } = found;
        const [verdict = ''] = verdictOf(() => {
          const envelope = decodeEnvelope(bytes);
          if (envelope.kind !== 'part') arrivals.push(arrival(envelope));
          else openWith(incoming, envelope.part, () => parts.some((part) => equal(part, bytes)));
        });
        if (isRefusal(verdict)) verdicts.push(verdict);
      }
    }
    for (const content of incoming) content.wipe();
    store.compare = runs++ % 4 === 0;
    const { outcomes } = await receive({ ...bob.context, store }, arrivals, {});
    outcomes.forEach(check);
    return [...verdicts, ...outcomes.map(wordOf)];
  };
}

/** Opens a part as `recv` does, without taking it. @param isAuthentic whether whoever has the key has sealed it. */
function openWith(incoming: readonly IncomingContent[], part: SealedPart, isAuthentic: () => boolean): void {
  const content = incoming.find((one) => one.owns(part));
  if (content === undefined) throw new PawlError('unknown-part', {});
  content.open(part);
  demand(isAuthentic(), 'only a part that was sealed is opened');
}

function changesOf({ outcomes }: Reception): Changes {
  if (outcomes.some(({ type }) => type === 'message' || type === 'announced')) return 'anything';
  return outcomes.some(isFork) ? 'forks' : 'nothing';
}

function isFork(outcome: Outcome): boolean {
  return outcome.type === 'refused' && outcome.error.code === 'fork';
}

function wordOf(outcome: Outcome): string {
  if (outcome.type === 'message') return 'accepted';
  if (outcome.type !== 'refused') return outcome.type;
  return isPawlError(outcome.error, 'fork') ? outcome.error.detail.reason : outcome.error.code;
}

function arrival(envelope: Envelope): Arrival {
  if (!('message' in envelope)) throw new PawlError('wrong-kind', { expected: 'message', found: 'invite' });
  return { source: 'fuzz', envelope };
}

function isRefusal(verdict: string): boolean {
  return verdict !== 'accepted';
}
