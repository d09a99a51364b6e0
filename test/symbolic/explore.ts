import type { Claim } from './claims.ts';
import type { Defences } from './defences.ts';
import { composed, forgedInvites } from './forgeries.ts';
import type { Invite } from './handshake.ts';
import { Knowledge } from './knowledge.ts';
import { AT_FIRST, nameOf } from './mallory.ts';
import type { Term } from './terms.ts';
import {
  begin,
  counterpart,
  deliver,
  type Envelope,
  type Event,
  exposed,
  IDENTITIES,
  invite,
  nextBegunBy,
  other,
  type Party,
  PEOPLE,
  type Sent,
  type Session,
  steal,
  stepOf,
  type Theft,
  type Who,
  type World,
  write,
} from './world.ts';

/** Who may do what, and how often: the bounds within which everything is tried. */
export interface Scenario {
  readonly start: World;
  readonly defences: Defences;
  readonly invites: Readonly<Record<Who, number>>;
  readonly openings: Readonly<Record<Who, number>>;
  /** Messages in all, in one chain, and root steps in one session. */
  readonly messages: number;
  readonly inChain: number;
  readonly steps: number;
  readonly kem: boolean;
  /** This one's program leaves out the answers that it owes. */
  readonly lax?: Who;
  /** What may be stolen from whom, and how many times in all. */
  readonly thefts: { readonly what: 'seed' | 'file'; readonly from: readonly Who[]; readonly most: number };
  /**
   * A passive attacker repeats, reorders and withholds. An active one also composes: always, or only while no theft is
   * open, that is, once the peer has read a chain that the robbed side began after it.
   */
  readonly active: 'never' | 'healed' | 'always';
  /** Has a quantum computer now, and so acts with it; or has one later, and reads with it what was recorded. */
  readonly quantum: 'never' | 'later' | 'now';
  readonly claims: readonly Claim[];
}

export interface Outcome {
  readonly states: number;
  /** The shortest way to what ought not to be. */
  readonly attack: readonly string[] | undefined;
}

interface Node {
  readonly world: World;
  readonly by: string;
  readonly from: Node | undefined;
}

/** Tries everything, breadth first. */
export function explore(scenario: Scenario): Outcome {
  const attacker = knowledgeOf(scenario);
  const seen = new Set<string>([identify(scenario.start)]);
  let level: Node[] = [{ world: scenario.start, by: '', from: undefined }];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      const { knows } = attacker(node.world);
      for (const { says, world, event } of moves(node.world, scenario, knows)) {
        const wrongEvent =
          event && firstOf(scenario.claims, (claim) => claim.ofEvent?.(event, world ?? node.world, knows));
        if (wrongEvent) return { states: seen.size, attack: [...path(node), says, wrongEvent] };
        if (world === undefined) continue;
        const key = identify(world);
        if (seen.has(key)) continue;
        seen.add(key);
        const { reads } = attacker(world);
        const wrong = firstOf(scenario.claims, (claim) => claim.ofState?.(world, reads));
        if (wrong) return { states: seen.size, attack: [...path(node), says, wrong] };
        next.push({ world, by: says, from: node });
      }
    }
    level = next;
  }
  return { states: seen.size, attack: undefined };
}

const path = ({ by, from }: Node): string[] => (from ? [...path(from), by] : []);

function firstOf(claims: readonly Claim[], check: (claim: Claim) => string | undefined): string | undefined {
  for (const claim of claims) {
    const wrong = check(claim);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

interface Move {
  readonly says: string;
  readonly world?: World | undefined;
  readonly event?: Event | undefined;
}

function* moves(world: World, scenario: Scenario, knows: Knowledge): Generator<Move> {
  for (const who of PEOPLE) {
    yield* invitations(world, who, scenario, knows);
    yield* writings(world, who, scenario);
    yield* deliveries(world, who, scenario, knows);
    yield* thefts(world, who, scenario);
  }
}

function* invitations(world: World, who: Who, scenario: Scenario, knows: Knowledge): Generator<Move> {
  const { defences } = scenario;
  const party = world.parties[who];
  if (party.invitesMade < scenario.invites[who]) yield { says: `${who} makes an invite`, world: invite(world, who) };
  if (party.openingsMade >= scenario.openings[who]) return;
  const open = (one: Invite, says: string): Move => ({ says, world: begin(world, who, one, defences) });
  for (const one of world.invites) {
    if (one.maker !== IDENTITIES[who]) yield open(one, `${who} opens a session with ${other(who)}'s invite`);
  }
  if (!isActive(world, scenario)) return;
  for (const one of forgedInvites(world, knows, who, defences)) {
    yield open(one, `${who} opens a session with an invite that mallory made in the name of ${nameOf(one.maker)}`);
  }
}

function* writings(world: World, who: Who, scenario: Scenario): Generator<Move> {
  if (world.sent.length >= scenario.messages) return;
  for (const [index, { ratchet }] of world.parties[who].sessions.entries()) {
    const { sending, step, exchange } = ratchet;
    if (sending.kind === 'chain' ? sending.n >= scenario.inChain : step >= scenario.steps) continue;
    const mayOffer = scenario.kem && sending.kind === 'due' && exchange.kind === 'idle';
    for (const offers of mayOffer ? [false, true] : [false]) {
      const after = write(world, who, index, { offers, answers: scenario.lax !== who }, scenario.defences);
      const last = after?.sent.at(-1);
      if (last) yield { says: `${who} sends ${last.text.label}${fieldOf(last)}`, world: after };
    }
  }
}

function* deliveries(world: World, who: Who, scenario: Scenario, knows: Knowledge): Generator<Move> {
  const bring = (envelope: Envelope, says: string): Move => ({
    says,
    ...deliver(world, who, envelope, scenario.defences),
  });
  for (const { envelope, text } of world.sent) yield bring(envelope, `${text.label} reaches ${who}`);
  if (!isActive(world, scenario)) return;
  for (const { what, says } of composed(world, knows, who, scenario)) yield bring(what, `mallory ${says}, for ${who}`);
}

function* thefts(world: World, who: Who, { thefts: { what, from, most } }: Scenario): Generator<Move> {
  if (!from.includes(who) || world.thefts.length >= most) return;
  yield { says: `${who}'s ${what} is stolen`, world: steal(world, who, what) };
}

function isActive(world: World, { active }: Scenario): boolean {
  return active === 'healed' ? world.thefts.every((theft) => hasHealed(world, theft)) : active === 'always';
}

/** Whether the peer of the robbed one has read, in every session that the file has to do with, a chain begun after the theft. */
function hasHealed(world: World, { from, file }: Theft): boolean {
  if (file === undefined) return true;
  const peer = other(from);
  const isHeard = (own: Session) => own.peer !== IDENTITIES[peer] || counterpart(world, from, own) !== undefined;
  return (
    file.sessions.every(isHeard) &&
    world.parties[peer].sessions.every((session) => {
      const stolen = stepOf(file, session);
      return stolen === undefined || session.ratchet.step >= nextBegunBy(session.isOpener ? 'maker' : 'opener', stolen);
    })
  );
}

/** What the attacker knows of a world: to act with, and to read with in the end. Worlds that expose the same share it. */
function knowledgeOf({ quantum }: Scenario): (world: World) => { knows: Knowledge; reads: Knowledge } {
  const computed = new Map<string, { knows: Knowledge; reads: Knowledge }>();
  return (world) => {
    const seen = exposed(world);
    const key = idsOf(seen);
    const known = computed.get(key);
    if (known !== undefined) return known;
    const knows = Knowledge.nothing(quantum === 'now').learn(...AT_FIRST, ...seen);
    const reads = quantum === 'later' ? Knowledge.nothing(true).learn(...AT_FIRST, ...seen) : knows;
    computed.set(key, { knows, reads });
    return { knows, reads };
  };
}

const idsOf = (all: readonly Term[]): string =>
  all
    .map(({ id }) => id)
    .sort((a, b) => a - b)
    .join(' ');

/** Worlds that differ in the order of what happened only are one. */
function identify(world: World): string {
  const { alice, bob } = world.parties;
  return `${inWords(alice)} ${inWords(bob)} ${idsOf(exposed(world))} ${JSON.stringify(world.thefts)}`;
}

const words = new WeakMap<Party, string>();
function inWords(party: Party): string {
  const before = words.get(party) ?? JSON.stringify(party);
  words.set(party, before);
  return before;
}

/** What its chain carries. */
function fieldOf({ session, step }: Sent): string {
  const kem = session.ratchet.taken.find((one) => one.step === step)?.kem;
  return kem === 'offered' ? ', with a KEM key' : kem === 'mixed' ? ', with a ciphertext' : '';
}
