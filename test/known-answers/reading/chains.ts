import { expect } from 'vitest';
import {
  decapsulate,
  digest,
  equal,
  type KemSecret,
  type SharedSecret,
  sharedSecret,
  toHex,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../../src/primitives/index.ts';
import {
  type ChainKey,
  chainStep,
  type KemField,
  type RatchetState,
  type RootKey,
  RULES,
  rootStep,
} from '../../../src/ratchet/index.ts';
import { hex } from '../../primitives/hex.ts';
import type { Chain, Hex } from '../format.ts';
import { fieldOf } from '../state-of.ts';

/** What the maker of an invite has before the first chain of a session: his prekey, and SK. */
export interface Beginning {
  readonly prekey: Hex;
  readonly SK: Hex;
}

interface Stated {
  readonly chain: Chain;
  readonly field: KemField | undefined;
  readonly beginning: Beginning | undefined;
}

/** What senders state of their chains, to which it is held what receivers make of them. */
export class Chains {
  readonly #stated = new Map<Hex, Stated>();

  /** `field`: what the sender's state has. `beginning`: of the chain that opens a session. */
  state(chain: Chain, field: KemField | undefined, beginning: Beginning | undefined): void {
    const { offer, answer } = chain;
    expect([offer !== undefined, answer !== undefined]).toEqual([field?.kind === 'offer', field?.kind === 'answer']);
    if (field !== undefined) {
      const bytes = fieldOf(field);
      expect([toHex(bytes), toHex(digest(16, bytes))]).toContain(offer ?? answer);
    }
    this.#stated.set(chain.publicKey, { chain, field, beginning });
  }

  /**
   * Holds what a sender states of a new chain to the sender's own state after its first message.
   * @param from the root key before the root step, and the receiver's public key.
   */
  expectBegun(chain: Chain, from: { rootKey: RootKey; remote: X25519PublicKey }, after: RatchetState): void {
    const { sending, rootKey, rootSteps, nextSending } = after;
    if (sending.kind !== 'chain') throw new Error('who has sent has a chain');
    const { self, header, chainKey } = sending;
    expect([rootSteps, toHex(self.publicKey)]).toEqual([chain.step, chain.publicKey]);
    expect(toHex(sharedSecret(self.secretKey, from.remote))).toBe(chain.dh);
    const ss = chain.ss === undefined ? undefined : (hex(chain.ss) as KemSecret);
    const root = rootStep(from.rootKey, hex(chain.dh) as SharedSecret, RULES.domain, ss);
    const stated = [chain.rootKey, chain.chainKey, chain.nextHeaderKey];
    expect([root.rootKey, root.chainKey, root.nextHeaderKey].map(toHex)).toEqual(stated);
    const kept = [rootKey, chainKey, nextSending.header, header.header, header.find].map(toHex);
    const next = toHex(chainStep(hex(chain.chainKey) as ChainKey).chainKey);
    expect(kept).toEqual([chain.rootKey, next, chain.nextHeaderKey, chain.headerKey, chain.findKey]);
  }

  /** `before`: none where the session began with the message. */
  expectReceived(before: RatchetState | undefined, after: RatchetState): void {
    const { receiving } = after;
    const stated = receiving.kind === 'chain' ? this.#stated.get(toHex(receiving.remote)) : undefined;
    if (receiving.kind !== 'chain' || stated === undefined) throw new Error('a chain that nobody has begun');
    const { chain } = stated;
    expect([receiving.header.header, receiving.header.find].map(toHex)).toEqual([chain.headerKey, chain.findKey]);
    if (before?.receiving.kind === 'chain' && equal(before.receiving.remote, receiving.remote)) return;

    const { rootKey, rootSteps, secretKey } = rootBefore(before, stated);
    const dh = sharedSecret(secretKey, receiving.remote);
    const ss = secretOf(before, stated);
    expect([toHex(dh), ss && toHex(ss)]).toEqual([chain.dh, chain.ss]);
    const root = rootStep(rootKey, dh, RULES.domain, ss);
    expect([root.rootKey, root.chainKey, root.nextHeaderKey].map(toHex)).toEqual([
      chain.rootKey,
      chain.chainKey,
      chain.nextHeaderKey,
    ]);
    expect([after.rootKey, after.nextReceiving.header].map(toHex)).toEqual([chain.rootKey, chain.nextHeaderKey]);
    expect([after.rootSteps, rootSteps + 1]).toEqual([chain.step, chain.step]);
  }
}

function rootBefore(before: RatchetState | undefined, { beginning }: Stated) {
  if (before === undefined) {
    if (beginning === undefined) throw new Error('a session that nobody has opened');
    const { SK, prekey } = beginning;
    return { rootKey: hex(SK) as RootKey, rootSteps: 0, secretKey: hex(prekey) as X25519SecretKey };
  }
  const { rootKey, rootSteps, sending } = before;
  if (sending.kind === 'due') throw new Error('a chain that answers none of ours');
  return { rootKey, rootSteps, secretKey: sending.self.secretKey };
}

/** The KEM secret of the root step, by the one who offered. */
function secretOf(before: RatchetState | undefined, { field }: Stated): KemSecret | undefined {
  const exchange = before?.rekeying.exchange;
  return exchange?.kind === 'offered' && field?.kind === 'answer'
    ? decapsulate(exchange.seed, field.ciphertext)
    : undefined;
}
