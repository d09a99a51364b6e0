import type { ForkReason } from '../../src/errors.ts';
import { digest, toHex } from '../../src/primitives/index.ts';
import type { FinishedChain, KemField, RatchetState, SkippedKey } from '../../src/ratchet/index.ts';
import type { State } from './format.ts';

/** All that one side has of a session, whatever the store. */
export interface Kept {
  readonly state: RatchetState;
  readonly finished: readonly FinishedChain[];
  readonly skipped: readonly SkippedKey[];
  readonly accepted: readonly { readonly chain: number; readonly n: number; readonly digest: Uint8Array }[];
  readonly lost: number;
  readonly fork: { readonly reason: ForkReason } | undefined;
}

/** The same in the words of the file. */
export function stateOf({ state, finished, skipped, accepted, lost, fork }: Kept): State {
  const { rootKey, rootSteps, rekeying, nextSending, nextReceiving } = state;
  return {
    rootKey: toHex(rootKey),
    rootSteps,
    lastMix: rekeying.mixed,
    exchange: exchangeOf(state),
    sending: sendingOf(state),
    receiving: receivingOf(state),
    nextSending: toHex(nextSending.header),
    nextReceiving: toHex(nextReceiving.header),
    finished: finished.map(({ chain, remote, header, length }) => ({
      number: chain,
      remote: toHex(remote),
      headerKey: toHex(header.header),
      length,
    })),
    skipped: skipped.map(({ chain, n, messageKey }) => [chain, n, toHex(messageKey)] as const).sort(byPosition),
    digests: accepted.map(({ chain, n, digest: id }) => [chain, n, toHex(id)] as const).sort(byPosition),
    lost,
    fork: fork?.reason ?? null,
  };
}

function exchangeOf({ rekeying: { exchange } }: RatchetState): State['exchange'] {
  switch (exchange.kind) {
    case 'idle':
      return 'idle';
    case 'offered':
      return { offered: toHex(exchange.seed) };
    case 'owed':
      return { owed: toHex(digest(16, exchange.key)) };
  }
}

function sendingOf({ sending }: RatchetState): State['sending'] {
  switch (sending.kind) {
    case 'awaiting':
      return { awaiting: { secretKey: toHex(sending.self.secretKey) } };
    case 'due':
      return { due: { remote: toHex(sending.remote), previousN: sending.previousN } };
    case 'chain': {
      const { self, chainKey, header, n, previousN, kem } = sending;
      return {
        chain: {
          secretKey: toHex(self.secretKey),
          chainKey: toHex(chainKey),
          headerKey: toHex(header.header),
          n,
          previousN,
          kem: kem === undefined ? null : toHex(digest(16, fieldOf(kem))),
        },
      };
    }
  }
}

function receivingOf({ receiving }: RatchetState): State['receiving'] {
  if (receiving.kind === 'awaiting') return 'awaiting';
  const { chain, remote, chainKey, header, n } = receiving;
  return {
    chain: {
      number: chain,
      remote: toHex(remote),
      chainKey: toHex(chainKey),
      headerKey: toHex(header.header),
      n,
    },
  };
}

/** The bytes behind the 40 of a header. */
export function fieldOf(field: KemField): Uint8Array {
  return field.kind === 'offer' ? field.key : field.ciphertext;
}

function byPosition(a: readonly [number, number, string], b: readonly [number, number, string]): number {
  return a[0] - b[0] || a[1] - b[1];
}
