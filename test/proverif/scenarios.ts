/** What is asked of which model. A model is pieces of `models`, put together in this order, and the queries of `queries`. */
export type Expected =
  /** The claim holds, for any number of people and sessions where the model has them. */
  | 'proved'
  /** The claim is false: it is an exception that is needed, or a defence was taken out. */
  | 'attack'
  /** A query that asks for what ought to be possible: that it never happens is false. */
  | 'happens'
  /** ProVerif cannot prove it; it may be false. */
  | 'not proved';

export interface Scenario {
  readonly name: string;
  /** For the table. */
  readonly about: string;
  readonly pieces: readonly string[];
  /** Defences that are taken out: pieces of `without`, whose lines take the place of those of the same name. */
  readonly without?: readonly string[];
  /** By query. */
  readonly expected: Readonly<Record<string, Expected>>;
  /** Whether each exception that a proved claim makes is asked for too: it must be needed. */
  readonly exact?: boolean;
}

const COMMON = ['kem', 'hashes-open', 'events', 'handshake'];
const FIRST_MESSAGE = ['primitives', 'dh-by-role', ...COMMON, 'after-nothing'];
const WITH_REPLY = ['primitives', 'dh-by-role', ...COMMON, 'after-reply'];
const COMMUTING = ['primitives', 'dh-commutes', ...COMMON, 'after-nothing'];
const KEPT = ['primitives', 'dh-by-role', ...COMMON, 'after-later', 'thefts-none', 'people', 'one-time', 'main-later'];
const NOW = ['thefts-now', 'people', 'one-time', 'main-now'];
const LATER = ['thefts-later', 'people', 'one-time', 'main-later'];
const EQUIVALENCE = ['primitives', 'dh-by-role', 'kem', 'hashes', 'events', 'handshake'];

/** PROTOCOL.md §3, §4 and the first root steps of §5. */
const HANDSHAKE: readonly Scenario[] = [
  {
    name: 'opener',
    exact: true,
    about: 'one-time invites; seeds, prekeys and KEM seeds stolen at any time',
    pieces: [...WITH_REPLY, ...NOW],
    expected: {
      'accepted-happens': 'happens',
      'opener-authentic': 'proved',
    },
  },
  {
    name: 'maker',
    exact: true,
    about: 'the same',
    pieces: [...WITH_REPLY, ...NOW],
    expected: {
      'reply-happens': 'happens',
      'maker-authentic': 'proved',
      'true-invite-maker-authentic': 'proved',
    },
  },
  {
    name: 'one-view',
    about: 'the same',
    pieces: [...FIRST_MESSAGE, ...NOW],
    expected: { 'accepted-happens': 'happens', 'one-view': 'proved' },
  },
  {
    name: 'secrecy',
    exact: true,
    about: 'the same',
    pieces: [...FIRST_MESSAGE, ...NOW],
    expected: {
      'accepted-happens': 'happens',
      'text-secret': 'proved',
      'true-invite-text-secret': 'proved',
    },
  },
  {
    name: 'later',
    exact: true,
    about: 'seeds stolen now; later everything stolen that is kept, and a quantum computer',
    pieces: [...FIRST_MESSAGE, ...LATER],
    expected: {
      'accepted-happens': 'happens',
      'later-text-secret': 'proved',
    },
  },
  {
    name: 'later-key',
    about: 'the same',
    pieces: [...FIRST_MESSAGE, ...LATER],
    expected: { 'accepted-happens': 'happens', 'later-key-secret': 'proved' },
  },
  {
    name: 'later-and-now',
    about: 'prekeys and KEM seeds stolen now; later all seeds too, and a quantum computer',
    pieces: [...FIRST_MESSAGE, 'thefts-now', 'people', 'one-time', 'main-later'],
    expected: { 'accepted-happens': 'happens', 'later-text-secret': 'proved' },
  },
  {
    name: 'kept-sessions',
    exact: true,
    about: 'handshake before the quantum computer, any seeds stolen with it; the session goes on',
    pieces: KEPT,
    expected: { 'kept-texts-happen': 'happens', 'kept-opener-secret': 'proved', 'kept-maker-secret': 'proved' },
  },
  {
    name: 'kept-authentic',
    exact: true,
    about: 'the same',
    pieces: KEPT,
    expected: {
      'kept-reply-happens': 'happens',
      'kept-more-happens': 'happens',
      'kept-opener-authentic': 'proved',
      'kept-maker-authentic': 'proved',
    },
  },
  {
    name: 'quantum-now',
    exact: true,
    about: 'a quantum computer is there at the handshake',
    pieces: [...FIRST_MESSAGE, 'thefts-now', 'people', 'one-time', 'main-quantum-now'],
    expected: {
      'accepted-happens': 'happens',
      'quantum-text-secret': 'proved',
    },
  },
  {
    name: 'quantum-now-forges',
    about: 'the same, and no prekey and no KEM seed is stolen',
    pieces: [...FIRST_MESSAGE, 'thefts-none', 'people', 'one-time', 'main-quantum-now'],
    expected: { 'text-secret': 'attack', 'opener-authentic': 'attack' },
  },
  {
    name: 'kem-not-binding',
    about: 'thefts at any time, and a KEM whose secret can be encapsulated again to another key',
    pieces: [
      ...['primitives', 'dh-by-role', 'kem-not-binding', 'hashes-open', 'events', 'handshake', 'after-nothing'],
      ...NOW,
    ],
    expected: { 'accepted-happens': 'happens', 'one-view': 'proved', 'opener-authentic': 'proved' },
  },
  {
    name: 'reusable',
    about: 'reusable invites with a ledger; thefts at any time',
    pieces: [...FIRST_MESSAGE, 'thefts-now', 'people', 'reusable', 'main-now'],
    expected: { 'two-openings-happen': 'happens', once: 'proved' },
  },
  {
    name: 'commuting',
    about: 'one-time invites, thefts at any time; Diffie-Hellman as it is, whichever role a key has',
    pieces: [...COMMUTING, ...NOW],
    expected: { 'one-key-happens': 'happens', 'opener-authentic': 'proved' },
  },
  {
    name: 'commuting-view',
    about: 'the same',
    pieces: [...COMMUTING, ...NOW],
    expected: { 'one-key-happens': 'happens', 'one-view': 'proved' },
  },
  {
    name: 'commuting-secrecy',
    about: 'the same',
    pieces: [...COMMUTING, ...NOW],
    expected: { 'opened-happens': 'happens', 'text-secret': 'proved', 'true-invite-text-secret': 'proved' },
    exact: true,
  },
  {
    name: 'sender-hidden',
    about: 'one opening; both people and the invite are known',
    pieces: [...EQUIVALENCE, 'main-sender-hidden'],
    expected: { 'sender-hidden': 'proved' },
  },
  {
    name: 'sender-hidden-later',
    about: 'the same, of the prefix alone; later a quantum computer',
    pieces: [...EQUIVALENCE, 'main-sender-hidden-later'],
    expected: { 'sender-hidden': 'proved' },
  },
  {
    name: 'hint-hidden',
    about: 'one opening; both invites are known',
    pieces: [...EQUIVALENCE, 'main-hint-hidden'],
    expected: { 'hint-hidden': 'proved' },
  },
  {
    name: 'hint-hidden-later',
    about: 'the same; later a quantum computer',
    pieces: [...EQUIVALENCE, 'main-hint-hidden-later'],
    expected: { 'hint-hidden': 'not proved' },
  },
];

function taken(name: string, without: readonly string[], pieces: readonly string[], expected: Scenario['expected']) {
  return { name: `without-${name}`, about: 'one-time invites', pieces, without, expected };
}

const THEFTS = [...FIRST_MESSAGE, ...NOW];
const RECORDED = [...FIRST_MESSAGE, ...LATER];

/** Each defence taken out that stands alone, and those together of which one is enough. */
const COUNTER_CHECKS: readonly Scenario[] = [
  taken('dh1', ['dh1'], THEFTS, { 'opener-authentic': 'attack' }),
  taken('dh2', ['dh2'], RECORDED, { 'later-text-secret': 'attack' }),
  taken('dh3', ['dh3'], RECORDED, { 'accepted-happens': 'happens', 'later-text-secret': 'proved' }),
  taken('dh3-of-key', ['dh3'], RECORDED, { 'later-key-secret': 'attack' }),
  taken('dh3-and-dh-of-first-step', ['dh3', 'dh-of-first-step'], RECORDED, { 'later-text-secret': 'attack' }),
  taken('ss', ['ss'], RECORDED, { 'later-text-secret': 'attack' }),
  taken('signed-prekey', ['signed-prekey'], RECORDED, {
    'accepted-happens': 'happens',
    'later-text-secret': 'not proved',
  }),
  taken('signed-kem-key', ['signed-kem-key'], RECORDED, { 'later-text-secret': 'attack' }),
  taken('transcript', ['transcript'], THEFTS, { 'accepted-happens': 'happens', 'opener-authentic': 'proved' }),
  taken('sealed-sender', ['sealed-sender'], THEFTS, { 'accepted-happens': 'happens', 'opener-authentic': 'proved' }),
  taken('transcript-and-sealed-sender', ['transcript', 'sealed-sender'], THEFTS, {
    'opener-authentic': 'attack',
    'one-view': 'attack',
  }),
  taken('dh-of-first-step', ['dh-of-first-step'], RECORDED, {
    'accepted-happens': 'happens',
    'later-text-secret': 'proved',
  }),
  {
    name: 'without-ledger',
    about: 'reusable invites',
    pieces: [...FIRST_MESSAGE, 'thefts-now', 'people', 'reusable-no-ledger', 'main-now'],
    expected: { once: 'attack' },
  },
];

const CONVERSATION = ['primitives', 'dh-by-role', 'kem', 'ratchet', 'conversation'];
const STATES = ['primitives', 'dh-by-role', 'kem', 'ratchet', 'thefts-of-states'];

/** What `first` and `second` texts, or headers, of each of the five chains of thefts-of-states.pvl are claimed to be. */
function chains(what: readonly string[], suffix = ''): Scenario['expected'] {
  const names = what.flatMap((one) => [1, 2, 3, 4, 5].map((chain) => `${one}${chain}${suffix}`));
  return Object.fromEntries(names.map((name) => [name, 'proved' as const]));
}

/** PROTOCOL.md §5 and §6. */
const RATCHET: readonly Scenario[] = [
  {
    name: 'conversation',
    about: 'any number of sessions, active attacker, four chains with a KEM exchange',
    pieces: [...CONVERSATION, 'main-conversation'],
    expected: {
      'chain4-happens': 'happens',
      'texts-secret': 'proved',
      'texts-authentic': 'proved',
      'roots-agree': 'proved',
      'no-downgrade': 'proved',
    },
  },
  {
    name: 'conversation-quantum',
    about: 'the same, with a quantum computer; SK is from before',
    pieces: [...CONVERSATION, 'main-conversation-quantum'],
    expected: {
      'chain4-happens': 'happens',
      'texts-secret': 'proved',
      'texts-authentic': 'proved',
      'roots-agree': 'proved',
      'no-downgrade': 'proved',
    },
  },
  {
    name: 'healed',
    about: "Bob's state in chain 1 stolen; the thief active once Alice has read chain 2",
    pieces: [...CONVERSATION, 'main-healed'],
    expected: {
      'chain4-happens': 'happens',
      'chain3-authentic': 'proved',
      'chain4-authentic': 'proved',
      'chain1-authentic': 'attack',
    },
  },
  {
    name: 'healed-opener',
    about: "Alice's state in chain 1 stolen; the thief active once Bob has read chain 3",
    pieces: [...CONVERSATION, 'main-healed-opener'],
    expected: {
      'chain5-happens': 'happens',
      'chain4-authentic': 'proved',
      'chain5-authentic': 'proved',
      'chain2-authentic': 'attack',
    },
  },
  {
    name: 'states',
    about: 'one session, five chains with a KEM exchange at chain 3; any states stolen, passive thief',
    pieces: [...STATES, 'main-states'],
    expected: chains(['first', 'second']),
    exact: true,
  },
  {
    name: 'states-headers',
    about: 'the same',
    pieces: [...STATES, 'main-states'],
    expected: chains(['header']),
    exact: true,
  },
  {
    name: 'states-later',
    about: 'the same, and a quantum computer later',
    pieces: [...STATES, 'main-states-later'],
    expected: chains(['first', 'second'], '-later'),
    exact: true,
  },
  {
    name: 'states-headers-later',
    about: 'the same',
    pieces: [...STATES, 'main-states-later'],
    expected: chains(['header'], '-later'),
    exact: true,
  },
  {
    name: 'without-field-authenticated',
    about: 'sessions, active attacker',
    pieces: [...CONVERSATION, 'main-conversation'],
    without: ['field-authenticated'],
    expected: { 'chain4-happens': 'happens', 'no-downgrade': 'proved' },
  },
  {
    name: 'without-answer-required',
    about: 'the same',
    pieces: [...CONVERSATION, 'main-conversation'],
    without: ['answer-required'],
    expected: { 'chain4-happens': 'happens', 'no-downgrade': 'proved' },
  },
  {
    name: 'without-field-authenticated-and-answer-required',
    about: 'the same',
    pieces: [...CONVERSATION, 'main-conversation'],
    without: ['field-authenticated', 'answer-required'],
    expected: { 'no-downgrade': 'attack' },
  },
];

/** PROTOCOL.md §4, Boxes, and §7.1. */
const BOXES_AND_PARTS: readonly Scenario[] = [
  {
    name: 'boxes',
    about: 'one-time invites; seeds, prekeys and KEM seeds stolen at any time',
    pieces: ['primitives', 'dh-by-role', ...COMMON, 'after-boxes', ...NOW],
    expected: { 'accepted-happens': 'happens', 'box-unknown': 'proved' },
    exact: true,
  },
  {
    name: 'boxes-known',
    about: 'the same, the names being known',
    pieces: ['primitives', 'dh-by-role', ...COMMON, 'after-boxes-known', ...NOW],
    expected: { 'accepted-happens': 'happens', 'true-invite-text-secret': 'proved' },
  },
  {
    name: 'parts',
    about: 'any number of contents and parts; keys stolen',
    pieces: ['primitives', 'parts'],
    expected: { 'part-happens': 'happens', 'part-authentic': 'proved', 'part-secret': 'proved' },
    exact: true,
  },
  {
    name: 'without-part-index',
    about: 'the same',
    pieces: ['primitives', 'parts'],
    without: ['part-index'],
    expected: { 'part-authentic': 'attack' },
  },
];

export const SCENARIOS: readonly Scenario[] = [...HANDSHAKE, ...COUNTER_CHECKS, ...RATCHET, ...BOXES_AND_PARTS];
