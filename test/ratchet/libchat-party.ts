import { expect } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import {
  concat,
  keyPairOf,
  type Random,
  toHex,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../src/primitives/index.ts';
import {
  type AgreedKeys,
  decodeHeader,
  encodeHeader,
  type Header,
  initiatorState,
  LIMITS,
  type Limits,
  messageKeyAt,
  nextMessageKey,
  openBody,
  type Place,
  type RatchetState,
  type Rules,
  responderState,
  sealBody,
} from '../../src/ratchet/index.ts';
import { hex } from '../primitives/hex.ts';
import libchat from '../vectors/libchat.json' with { type: 'json' };
import { chainOf, Keeper, purely } from './party.ts';

/** A state as libchat has it. */
export interface Fields {
  readonly root_key: string;
  readonly sending_chain: string | null;
  readonly receiving_chain: string | null;
  readonly dh_self_public: string;
  readonly dh_self_secret: string;
  readonly dh_remote: string | null;
  readonly msg_send: number;
  readonly msg_recv: number;
  readonly prev_chain_len: number;
  readonly skipped_sorted: readonly { readonly dh: string; readonly n: number; readonly key: string }[];
}

/** What one side does in a transcript. */
export interface Step {
  readonly op: string;
  readonly who: string;
  readonly note?: string | undefined;
  readonly message?: number | undefined;
  readonly plaintext?: string | undefined;
  readonly dh_secret?: string | undefined;
  readonly nonce?: string | undefined;
  readonly header?: { readonly bytes: string } | undefined;
  readonly ciphertext?: string | undefined;
  readonly expect?: { readonly plaintext?: string | undefined; readonly error?: string | undefined } | undefined;
  readonly state_after: { readonly fields: Fields };
}

/** A conversation that libchat held. `rollback`: a step that failed left the state as it was, as in pawl. */
export interface Transcript {
  readonly name: string;
  readonly mode: string;
  readonly description: string;
  readonly domain: string;
  readonly shared_secret: string;
  readonly init: {
    readonly alice: { readonly remote_public: string; readonly dh_secret: string; readonly state: { fields: Fields } };
    readonly bob: { readonly secret: string; readonly state: { fields: Fields } };
  };
  readonly steps: readonly Step[];
}

export const transcripts: readonly Transcript[] = libchat.transcripts;

export function transcript(name: string): Transcript {
  return present(transcripts.find((candidate) => candidate.name === name));
}

const NOTHING: Uint8Array = new Uint8Array(0);
/** The transcript after whose step `WEDGED_AT` the two differ, on purpose: libchat refuses what pawl reads. */
export const WEDGE = 'max_skip_end_of_chain_wedge/rollback';
export const WEDGED_AT = 18;

export const LIBCHAT_LIMITS: Limits = {
  ...LIMITS,
  gap: libchat.meta.constants.MAX_SKIP,
  keptKeys: 1_000,
  keptChains: 1_000,
};

export const forbidden: Random = () => {
  throw new Error('libchat draws no randomness here');
};

/** Gives out one secret, once. */
function only(secret: string | undefined): Random {
  let left = secret;
  return (length) => {
    if (left === undefined || length !== 32) return forbidden(length);
    const drawn = hex(left);
    left = undefined;
    return drawn;
  };
}

export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('not in the vectors');
  return value;
}

/** Header keys are pawl's own and never used here. */
function agreedOn(secret: string): AgreedKeys {
  return {
    rootKey: hex(secret),
    initiatorHeader: new Uint8Array(32),
    responderHeader: new Uint8Array(32),
  } as unknown as AgreedKeys;
}

/** It knows of no KEM. */
function libchatRules(domain: string): Rules {
  return { domain, offerAfterSteps: Number.POSITIVE_INFINITY, offerAfter: Number.POSITIVE_INFINITY };
}

/** One side of a transcript: what libchat's session and its store do together, on top of pawl's state machine. */
export class LibchatParty {
  state: RatchetState;
  readonly rules: Rules;
  readonly associatedData: Uint8Array;
  readonly keeper: Keeper;

  constructor(state: RatchetState, domain: string, limits = LIBCHAT_LIMITS, associatedData = NOTHING) {
    this.state = state;
    this.rules = libchatRules(domain);
    this.keeper = new Keeper(limits);
    this.associatedData = associatedData;
  }

  encrypt(step: Step): { header: string; ciphertext: string } {
    const random = only(step.dh_secret);
    const sent = purely(this.state, () => nextMessageKey(this.state, random, 0, this.rules));
    const header = encodeHeader(sent.header);
    const aad = concat(this.associatedData, header);
    const body = sealBody(sent.messageKey, hex(present(step.nonce)), hex(present(step.plaintext)), aad);
    this.state = sent.state;
    return { header: toHex(header), ciphertext: toHex(body) };
  }

  /** The plaintext, or why there is none. What is refused changes nothing. */
  decrypt(step: Step): { plaintext: string } | { refused: string } {
    try {
      return purely(this.state, () => this.#decrypt(step));
    } catch (error) {
      if (error instanceof PawlError) return { refused: error.code };
      throw error;
    }
  }

  #decrypt(step: Step): { plaintext: string } | { refused: string } {
    const header = decodeHeader(hex(present(step.header).bytes));
    const place = this.#placeOf(header);
    const kept = this.keeper.kept(chainOf(this.state, place), header.n);
    const found = messageKeyAt(this.state, place, header, {
      keptKey: kept.messageKey,
      limits: this.keeper.limits,
      now: 0,
      rules: this.rules,
    });
    if (found.kind !== 'message-key') return { refused: found.kind };
    const aad = concat(this.associatedData, encodeHeader(header));
    const plaintext = openBody(found.messageKey, hex(present(step.ciphertext)), aad);
    if (plaintext === undefined) return { refused: 'does not authenticate' };
    this.keeper.save(found.step, NOTHING);
    this.state = found.step.state;
    return { plaintext: toHex(plaintext) };
  }

  /** libchat has no header keys: a chain is known by its DH key. */
  #placeOf({ dh }: Header): Place {
    const { receiving } = this.state;
    if (receiving.kind === 'chain' && toHex(receiving.remote) === toHex(dh)) return 'current';
    return this.keeper.finished.find(({ remote }) => toHex(remote) === toHex(dh)) ?? 'next';
  }

  /** The chain's DH key, by which libchat names a skipped key. */
  #remoteOf(chain: number): string {
    const { receiving } = this.state;
    if (receiving.kind === 'chain' && receiving.chain === chain) return toHex(receiving.remote);
    return toHex(present(this.keeper.finished.find((finished) => finished.chain === chain)).remote);
  }

  /** The skipped keys as libchat sorts them: by DH key, then by position. */
  get skipped() {
    return this.keeper.skipped
      .map(({ chain, n, messageKey }) => ({ dh: this.#remoteOf(chain), n, key: toHex(messageKey) }))
      .sort((a, b) => (a.dh === b.dh ? a.n - b.n : a.dh < b.dh ? -1 : 1));
  }
}

/** Both sides of a transcript, by name, as they begin. */
export function begin({ init, shared_secret, domain }: Transcript, limits?: Limits, associatedData?: Uint8Array) {
  const { alice, bob } = init;
  const remote = hex(alice.remote_public) as X25519PublicKey;
  const initiator = initiatorState(agreedOn(shared_secret), remote, {
    random: only(alice.dh_secret),
    now: 0,
    rules: libchatRules(domain),
  });
  const responder = responderState(agreedOn(shared_secret), keyPairOf(hex(bob.secret) as X25519SecretKey), 0);
  const parties = new Map([
    ['alice', new LibchatParty(initiator, domain, limits, associatedData)],
    ['bob', new LibchatParty(responder, domain, limits, associatedData)],
  ]);
  return (who: string) => present(parties.get(who));
}

/** Everything of libchat's state that pawl has too; what a `due` state has no more is not compared. */
export function expectState({ state, skipped }: LibchatParty, fields: Fields): void {
  const { sending, receiving } = state;
  expect(toHex(state.rootKey)).toBe(fields.root_key);
  expect(sending.kind === 'chain' ? toHex(sending.chainKey) : null).toBe(fields.sending_chain);
  expect(receiving.kind === 'chain' ? toHex(receiving.chainKey) : null).toBe(fields.receiving_chain);
  expect(receiving.kind === 'chain' ? receiving.n : 0).toBe(fields.msg_recv);
  if (receiving.kind === 'chain') expect(toHex(receiving.remote)).toBe(fields.dh_remote);
  switch (sending.kind) {
    case 'awaiting':
      expect([0, 0]).toEqual([fields.msg_send, fields.prev_chain_len]);
      break;
    case 'due':
      // libchat moves the old chain's length to prev_chain_len when it sends next, pawl when it receives.
      expect(sending.previousN).toBe(fields.msg_send);
      expect(toHex(sending.remote)).toBe(fields.dh_remote);
      break;
    case 'chain':
      expect([sending.n, sending.previousN]).toEqual([fields.msg_send, fields.prev_chain_len]);
  }
  if (sending.kind !== 'due') {
    expect(toHex(sending.self.publicKey)).toBe(fields.dh_self_public);
    expect(toHex(sending.self.secretKey)).toBe(fields.dh_self_secret);
  }
  expect(skipped).toEqual(fields.skipped_sorted);
}
