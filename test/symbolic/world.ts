import type { Defences } from './defences.ts';
import {
  accept,
  type Invite,
  type InviteSecrets,
  inviteBytes,
  makeInvite,
  open,
  type Prefix,
  prefixTerm,
} from './handshake.ts';
import { type Draws, maker, opener, type Ratchet, secretsOf, send } from './ratchet.ts';
import { receive } from './receiving.ts';
import type { Message } from './sealing.ts';
import { argument, identity, NONE, secret, type Term, tuple } from './terms.ts';

export type Who = 'alice' | 'bob';

export const PEOPLE = ['alice', 'bob'] as const;
export const IDENTITIES: Readonly<Record<Who, Term>> = {
  alice: identity(secret('ik(alice)')),
  bob: identity(secret('ik(bob)')),
};

export const isHonest = (one: Term): boolean => PEOPLE.some((who) => IDENTITIES[who] === one);

/** One person's identity file. */
export interface Party {
  readonly invitesMade: number;
  readonly openingsMade: number;
  /** Those that are open. */
  readonly invites: readonly { readonly invite: Invite; readonly secrets: InviteSecrets }[];
  readonly sessions: readonly Session[];
  /** Every text accepted, in whatever order. */
  readonly texts: readonly Term[];
}

export interface Session {
  readonly peer: Term;
  readonly isOpener: boolean;
  /** The invite that it was opened with. */
  readonly invite: Term;
  readonly prefix: Prefix;
  /** An opener repeats the prefix until it has an answer. */
  readonly answered: boolean;
  readonly ratchet: Ratchet;
  /** The peer is there, or at least nothing had been stolen when it began with which others could pose as the peer. */
  readonly vouched: boolean;
}

export interface Envelope {
  readonly prefix: Prefix | undefined;
  readonly message: Message;
}

export interface Sent {
  readonly text: Term;
  readonly from: Who;
  readonly to: Term;
  readonly session: Session;
  readonly step: number;
  readonly n: number;
  readonly envelope: Envelope;
}

export interface Theft {
  readonly from: Who;
  /** The seed alone, or the whole file as it was. */
  readonly file: Party | undefined;
}

/** Everything, at one moment. */
export interface World {
  readonly parties: Readonly<Record<Who, Party>>;
  readonly invites: readonly Invite[];
  readonly sent: readonly Sent[];
  readonly thefts: readonly Theft[];
}

export type Event =
  | {
      readonly kind: 'accepted';
      readonly by: Who;
      readonly text: Term;
      readonly session: Session;
      readonly step: number;
      readonly n: number;
      /** It had been accepted before. */
      readonly again: boolean;
    }
  | { readonly kind: 'alarm'; readonly at: Who; readonly session: Session; readonly why: string };

const NOBODY: Party = { invitesMade: 0, openingsMade: 0, invites: [], sessions: [], texts: [] };
export const BEGINNING: World = { parties: { alice: NOBODY, bob: NOBODY }, invites: [], sent: [], thefts: [] };

export const other = (who: Who): Who => (who === 'alice' ? 'bob' : 'alice');

/** All that can be seen from outside, or was stolen. */
export function exposed({ invites, sent, thefts }: World): Term[] {
  return [
    ...Object.values(IDENTITIES),
    ...invites.map(inviteBytes),
    ...sent.map(({ envelope }) => envelopeTerm(envelope)),
    ...thefts.map(({ from, file }) => tuple(argument(IDENTITIES[from], 0), ...(file ? contents(file) : []))),
  ];
}

const envelopeTerm = ({ prefix, message }: Envelope): Term =>
  tuple(prefix ? prefixTerm(prefix) : NONE, message.header, message.outside, message.body);

function contents({ invites, sessions }: Party): Term[] {
  return [
    ...invites.flatMap(({ secrets }) => [secrets.prekey, secrets.seed]),
    ...sessions.flatMap(({ ratchet }) => secretsOf(ratchet)),
  ];
}

export function invite(world: World, who: Who): World {
  const party = world.parties[who];
  const number = party.invitesMade + 1;
  const secrets = { prekey: secret(`prekey ${number} of ${who}`), seed: secret(`kem seed ${number} of ${who}`) };
  const made = makeInvite(IDENTITIES[who], secrets);
  const invites = [...party.invites, { invite: made, secrets }];
  return {
    ...changed(world, who, { invitesMade: number, invites }),
    invites: [...world.invites, made],
  };
}

/** Begins a session: the first message is yet to be sent. */
export function begin(world: World, who: Who, answered: Invite, defences: Defences): World {
  const party = world.parties[who];
  const openingsMade = party.openingsMade + 1;
  const draw = (what: string) => secret(`${what} of opening ${openingsMade} by ${who}`);
  const { prefix, agreement } = open(IDENTITIES[who], answered, draw('ephemeral key'), draw('randomness'), defences);
  const session: Session = {
    peer: answered.maker,
    isOpener: true,
    invite: inviteBytes(answered),
    prefix,
    answered: false,
    ratchet: opener(agreement, answered.prekey, draw('ratchet key'), defences),
    vouched: isOf(world.invites, answered) || !seedStolen(world, answered.maker),
  };
  return changed(world, who, { openingsMade, sessions: [...party.sessions, session] });
}

/** The next message of a session. `offers`: a KEM key, if it can. `answers`: a KEM key that is owed. */
export function write(
  world: World,
  who: Who,
  index: number,
  { offers, answers }: { offers: boolean; answers: boolean },
  defences: Defences,
): World | undefined {
  const session = sessionAt(world, who, index);
  const { ratchet, isOpener, answered, prefix } = session;
  const chain = ratchet.sending.kind === 'chain' ? ratchet.sending : undefined;
  const name = `${who}'s ${index > 0 ? `session ${index + 1}, ` : ''}${chain ? chain.step : ratchet.step + 1}`;
  const seed = secret(`kem seed of chain ${defences.has('KEM key is fresh') ? name : who}`);
  const draws: Draws = {
    self: secret(`ratchet key of chain ${name}`),
    offer: offers ? seed : undefined,
    randomness: secret(`kem randomness of chain ${name}`),
    answers,
  };
  const text = secret(`${name}.${chain?.n ?? 0}`);
  const done = send(ratchet, text, draws, defences);
  if (done === undefined) return undefined;
  const envelope = { prefix: isOpener && !answered ? prefix : undefined, message: done.message };
  const after = { ...session, ratchet: done.ratchet };
  const { step, n } = done;
  return {
    ...changed(world, who, { sessions: world.parties[who].sessions.with(index, after) }),
    sent: [...world.sent, { text, from: who, to: session.peer, session: after, step, n, envelope }],
  };
}

/** An envelope reaches someone. `world` is absent where nothing changes. */
export function deliver(
  world: World,
  who: Who,
  { prefix, message }: Envelope,
  defences: Defences,
): { world?: World; event?: Event } {
  const party = world.parties[who];
  const known = party.sessions.findIndex((session) => prefix !== undefined && isSame(session.prefix, prefix));
  const leads = defences.has('known prefix leads to its session');
  for (const [index, session] of party.sessions.entries()) {
    if (prefix !== undefined && (known !== index || !leads)) continue;
    const received = receive(session.ratchet, message, defences);
    if (received.kind === 'ignored') continue;
    if (received.kind === 'alarm') return { event: { kind: 'alarm', at: who, session, why: received.why } };
    const after: Session = { ...session, answered: true, ratchet: received.ratchet };
    return read(world, who, { sessions: party.sessions.with(index, after) }, after, received);
  }
  if (prefix === undefined || (known >= 0 && leads)) return {};
  return openedTo(world, who, prefix, message, defences);
}

function openedTo(world: World, who: Who, prefix: Prefix, message: Message, defences: Defences) {
  const party = world.parties[who];
  for (const { invite: made, secrets } of party.invites) {
    const accepted = accept(IDENTITIES[who], made, secrets, prefix, defences);
    if (accepted === undefined) continue;
    const received = receive(maker(accepted.agreement, secrets.prekey), message, defences);
    if (received.kind !== 'accepted') return {};
    const session: Session = {
      peer: accepted.opener,
      isOpener: false,
      invite: inviteBytes(made),
      prefix,
      answered: true,
      ratchet: received.ratchet,
      vouched: false,
    };
    const isGenuine = counterpart(world, who, session) !== undefined;
    const vouched = isGenuine || !(seedStolen(world, accepted.opener) || inviteStolen(world, who, inviteBytes(made)));
    const invites = defences.has('invite is spent')
      ? party.invites.filter((one) => one.invite !== made)
      : party.invites;
    // A session with the attacker is not kept: she has all of its keys, and could go on with it alone.
    const isKept = isHonest(accepted.opener) && vouched;
    const sessions = isKept ? [...party.sessions, { ...session, vouched }] : party.sessions;
    return read(world, who, { invites, sessions }, { ...session, vouched }, received);
  }
  return {};
}

function read(
  world: World,
  by: Who,
  change: Partial<Party>,
  session: Session,
  { text, step, n }: { text: Term; step: number; n: number },
): { world: World; event: Event } {
  const { texts } = world.parties[by];
  const again = texts.includes(text);
  const event: Event = { kind: 'accepted', by, text, session, step, n, again };
  const after = again ? texts : [...texts, text].sort((a, b) => a.id - b.id);
  return { world: changed(world, by, { ...change, texts: after }), event };
}

export function steal(world: World, from: Who, what: 'seed' | 'file'): World {
  const theft: Theft = { from, file: what === 'file' ? world.parties[from] : undefined };
  return { ...world, thefts: [...world.thefts, theft] };
}

export function sessionAt(world: World, who: Who, index: number): Session {
  const session = world.parties[who].sessions[index];
  if (session === undefined) throw new Error(`${who} has no session ${index}`);
  return session;
}

/** The other side's view of a session. */
export function counterpart(world: World, who: Who, { ratchet }: Session): Session | undefined {
  return world.parties[other(who)].sessions.find((one) => one.ratchet.transcript === ratchet.transcript);
}

/** How far a stolen file is in a session: its last root step, or 0 where it has the invite only. */
export function stepOf({ sessions, invites }: Party, { ratchet, invite: bytes }: Session): number | undefined {
  const own = sessions.find((one) => one.ratchet.transcript === ratchet.transcript);
  if (own !== undefined) return own.ratchet.step;
  return invites.some((one) => inviteBytes(one.invite) === bytes) ? 0 : undefined;
}

/** The opener takes the odd root steps, the maker of the invite the even ones. */
export const takerOf = (step: number): 'opener' | 'maker' => (step % 2 === 1 ? 'opener' : 'maker');
export const nextBegunBy = (role: 'opener' | 'maker', after: number): number =>
  takerOf(after + 1) === role ? after + 1 : after + 2;

const inviteStolen = ({ thefts }: World, of: Who, bytes: Term): boolean =>
  thefts.some(({ from, file }) => from === of && file?.invites.some((one) => inviteBytes(one.invite) === bytes));

const isOf = (invites: readonly Invite[], one: Invite): boolean =>
  invites.some((honest) => inviteBytes(honest) === inviteBytes(one));

const seedStolen = ({ thefts }: World, of: Term): boolean => thefts.some(({ from }) => IDENTITIES[from] === of);

const isSame = (a: Prefix, b: Prefix): boolean => prefixTerm(a) === prefixTerm(b);

function changed(world: World, who: Who, change: Partial<Party>): World {
  return { ...world, parties: { ...world.parties, [who]: { ...world.parties[who], ...change } } };
}
