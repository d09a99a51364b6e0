import type { Defences } from './defences.ts';
import {
  accept,
  hintFor,
  type Invite,
  inviteBytes,
  type Prefix,
  prefixFor,
  prefixTerm,
  signedBy,
} from './handshake.ts';
import type { Knowledge } from './knowledge.ts';
import { CLAIMABLE, ciphertexts, encapsulationKeys, FORGED, nameOf, OWN, points } from './mallory.ts';
import { maker, type Ratchet } from './ratchet.ts';
import { expectedKey } from './receiving.ts';
import { type Header, type Message, sealBody, sealHeader } from './sealing.ts';
import { argument, NONE, point, type Term } from './terms.ts';
import { type Envelope, IDENTITIES, type Party, type Who, type World } from './world.ts';

/** Every invite that can be shown to `who` and is not one of the honest ones. */
export function forgedInvites(world: World, knows: Knowledge, who: Who, defences: Defences): Invite[] {
  const honest = new Set(world.invites.map(inviteBytes));
  const makers = CLAIMABLE.filter((one) => one !== IDENTITIES[who] && one.label === '');
  const prekeys = [point(OWN.key), ...world.invites.map(({ prekey }) => prekey)];
  return makers.flatMap((claimed) =>
    prekeys.flatMap((prekey) =>
      encapsulationKeys(knows).flatMap((kem) => {
        const signed = signedBy(argument(claimed, 0), { maker: claimed, prekey, kem });
        if (honest.has(inviteBytes(signed))) return [];
        if (knows.derives(signed.signature)) return [signed];
        return defences.has('invite is signed') ? [] : [{ ...signed, signature: NONE }];
      }),
    ),
  );
}

interface Bounds {
  readonly defences: Defences;
  readonly inChain: number;
  readonly steps: number;
}

interface Composed<What> {
  readonly says: string;
  readonly what: What;
}

/** Everything that can be brought to `who` and is not simply an envelope that was sent. */
export function* composed(world: World, knows: Knowledge, who: Who, bounds: Bounds): Generator<Composed<Envelope>> {
  const { defences } = bounds;
  const party = world.parties[who];
  const messages = recombined(world, knows, defences);
  for (const { says, what } of messages) yield { says, what: { prefix: undefined, message: what } };
  for (const { ratchet } of party.sessions) {
    for (const { says, what } of builtFor(ratchet, world, knows, bounds)) {
      yield { says, what: { prefix: undefined, message: what } };
    }
  }
  for (const { says: as, what } of prefixesFor(world, knows, who, defences)) {
    const { prefix, begun } = what;
    // What is sealed under another header key is not for this session.
    const fitting = messages.filter((one) => one.what.header.args[0] === begun.nextReceiving);
    for (const { says, what: message } of [...fitting, ...builtFor(begun, world, knows, bounds)]) {
      yield { says: `${says}, ${as}`, what: { prefix, message } };
    }
  }
}

/** Parts of messages that were sent, put together anew where the receiver could take them for one message. */
function recombined({ sent }: World, knows: Knowledge, defences: Defences): Composed<Message>[] {
  const fields = [NONE, ...encapsulationKeys(knows), ...ciphertexts(knows)];
  return sent.flatMap((one) => {
    const { header, outside } = one.envelope.message;
    // A header that names another body is refused, whatever else it says.
    const others = defences.has('header names its body') ? [one] : sent;
    const outsides = defences.has('KEM field is sealed with the header') ? [outside] : fields;
    return others.flatMap((other) =>
      outsides.map((field) => ({
        says: [
          `takes ${one.text.label}`,
          ...(other === one ? [] : [`exchanges its body for that of ${other.text.label}`]),
          ...(field === outside ? [] : [`exchanges its KEM field for ${nameOf(field)}`]),
        ].join(', '),
        what: { header, outside: field, body: other.envelope.message.body },
      })),
    );
  });
}

/** Messages under a header key that she has: a header of any content, over a body that was seen or is forged. */
function* builtFor(
  ratchet: Ratchet,
  world: World,
  knows: Knowledge,
  { defences, inChain, steps }: Bounds,
): Generator<Composed<Message>> {
  const { receiving, nextReceiving, transcript } = ratchet;
  const places = [
    ...(receiving && receiving.n < inChain ? [{ kind: 'current' as const, key: receiving.header }] : []),
    ...(ratchet.step < steps ? [{ kind: 'next' as const, key: nextReceiving }] : []),
  ];
  for (const { kind, key } of places) {
    if (!knows.derives(key) || !knows.derives(transcript)) continue;
    for (const header of headersFor(ratchet, kind, knows)) {
      const messageKey = expectedKey(ratchet, kind, header, defences);
      if (messageKey === undefined) continue;
      const bodyOf = (text: Term) => sealBody(messageKey, transcript, header, text, defences);
      const message = (body: Term): Message => ({
        header: sealHeader(key, transcript, header, body, defences),
        outside: defences.has('KEM field is sealed with the header') ? NONE : header.kem,
        body,
      });
      const field = header.kem === NONE ? '' : `, with ${nameOf(header.kem)}`;
      if (knows.derives(messageKey)) yield { says: `forges a message${field}`, what: message(bodyOf(FORGED)) };
      // A body that does not authenticate under the header changes nothing, so it need not be tried.
      for (const { text, envelope } of world.sent) {
        const { body } = envelope.message;
        if (body === bodyOf(text))
          yield { says: `puts a header of her own before ${text.label}${field}`, what: message(body) };
      }
    }
  }
}

/** Positions are the next ones; what gaps and lengths can do is for the tests of the ratchet itself. */
function headersFor(
  { sending, receiving, exchange }: Ratchet,
  kind: 'current' | 'next',
  knows: Knowledge,
): readonly Header[] {
  if (kind === 'current') return receiving ? [{ dh: receiving.remote, n: receiving.n, pn: 0, kem: NONE }] : [];
  // In the first chain of a session that she opens herself, whatever she says is as good as anything else.
  if (sending.kind === 'awaiting') return [{ dh: point(OWN.key), n: 0, pn: 0, kem: NONE }];
  const fields = [NONE, ...encapsulationKeys(knows), ...(exchange.kind === 'offered' ? ciphertexts(knows) : [])];
  return points(knows).flatMap((key) => fields.map((kem) => ({ dh: key, n: 0, pn: receiving?.n ?? 0, kem })));
}

/** An opening, and how its receiver would begin. */
interface Opening {
  readonly prefix: Prefix;
  readonly begun: Ratchet;
}

/** Prefixes that are new to `who`: those that can be made, and those that were seen. */
function prefixesFor(world: World, knows: Knowledge, who: Who, defences: Defences): Composed<Opening>[] {
  const party = world.parties[who];
  const seen = world.sent.flatMap(({ text, envelope: { prefix } }) =>
    prefix ? openings(prefix, `with the prefix of ${text.label}`, party, who, defences) : [],
  );
  const all = new Map(
    [...openingsMade(party, knows, who, defences), ...seen].map((one) => [prefixTerm(one.what.prefix), one]),
  );
  const known = defences.has('known prefix leads to its session') ? party.sessions : [];
  for (const { prefix } of known) all.delete(prefixTerm(prefix));
  return [...all.values()];
}

const madeBefore = new WeakMap<Knowledge, Map<string, Composed<Opening>[]>>();

function openingsMade(party: Party, knows: Knowledge, who: Who, defences: Defences): Composed<Opening>[] {
  const remembered = madeBefore.get(knows) ?? new Map<string, Composed<Opening>[]>();
  madeBefore.set(knows, remembered);
  const key = JSON.stringify(party.invites);
  const before = remembered.get(key);
  if (before !== undefined) return before;

  const claimable = CLAIMABLE.filter((one) => one !== IDENTITIES[who]);
  const made = party.invites.flatMap(({ invite, secrets }) => {
    const ephemerals = points(knows).filter((one) => knows.derives(hintFor(IDENTITIES[who], one, invite)));
    return ephemerals.flatMap((ephemeral) =>
      [NONE, ...ciphertexts(knows)].flatMap((ct) =>
        claimable.flatMap((claimed) => {
          const prefix = prefixFor(claimed, IDENTITIES[who], invite, secrets, { ephemeral, ct }, defences);
          if (!knows.derives(prefix.sender)) return [];
          return openings(prefix, `with a prefix that names ${nameOf(claimed)}`, party, who, defences);
        }),
      ),
    );
  });
  remembered.set(key, made);
  return made;
}

function openings(prefix: Prefix, says: string, { invites }: Party, who: Who, defences: Defences): Composed<Opening>[] {
  return invites.flatMap(({ invite, secrets }) => {
    const agreement = accept(IDENTITIES[who], invite, secrets, prefix, defences)?.agreement;
    return agreement ? [{ says, what: { prefix, begun: maker(agreement, secrets.prekey) } }] : [];
  });
}
