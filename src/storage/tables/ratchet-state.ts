/**
 * Converts between a `RatchetState` and the columns of the table `sessions`.
 * Leaves out the receiving chains: `receiving-chains.ts` has them.
 */
import {
  ENCAPSULATION_KEY_LENGTH,
  type EncapsulationKey,
  type KemCiphertext,
  type KemSeed,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../primitives/index.ts';
import type {
  ChainKey,
  FindKey,
  HeaderKey,
  KemExchange,
  KemField,
  RatchetState,
  RootKey,
  Sending,
} from '../../ratchet/index.ts';

/** The columns of the ratchet state. */
export type StateRow = {
  readonly root_key: RootKey;
  readonly root_steps: number;
  readonly next_sending_header_key: HeaderKey;
  readonly next_sending_find_key: FindKey;
  readonly kem_mixed_step: number;
  readonly kem_mixed_at: number;
} & SendingRow &
  ExchangeRow;

/** The CHECK constraints of the table guarantee this union. */
type SendingRow =
  | {
      readonly sending: 'awaiting';
      readonly sending_public_key: X25519PublicKey;
      readonly sending_secret_key: X25519SecretKey;
    }
  | { readonly sending: 'due'; readonly sending_remote: X25519PublicKey; readonly sending_previous_n: number }
  | {
      readonly sending: 'chain';
      readonly sending_public_key: X25519PublicKey;
      readonly sending_secret_key: X25519SecretKey;
      readonly sending_chain_key: ChainKey;
      readonly sending_header_key: HeaderKey;
      readonly sending_find_key: FindKey;
      readonly sending_n: number;
      readonly sending_previous_n: number;
      readonly sending_kem: EncapsulationKey | KemCiphertext | null;
    };

/** The CHECK constraints of the table guarantee this union. */
type ExchangeRow =
  | { readonly kem_exchange: 'idle' }
  | { readonly kem_exchange: 'offered'; readonly kem_seed: KemSeed }
  | { readonly kem_exchange: 'owed'; readonly kem_owed: EncapsulationKey };

const NOT_SENDING = {
  sending_public_key: null,
  sending_secret_key: null,
  sending_remote: null,
  sending_chain_key: null,
  sending_header_key: null,
  sending_find_key: null,
  sending_n: null,
  sending_previous_n: null,
  sending_kem: null,
};

const NO_EXCHANGE = { kem_seed: null, kem_owed: null };

/** The names of the columns. */
export const STATE_COLUMNS: readonly string[] = [
  'root_key',
  'root_steps',
  'sending',
  ...Object.keys(NOT_SENDING),
  'next_sending_header_key',
  'next_sending_find_key',
  'kem_mixed_step',
  'kem_mixed_at',
  'kem_exchange',
  ...Object.keys(NO_EXCHANGE),
];

/** Returns a value for each of `STATE_COLUMNS`. */
export function stateColumns({ rootKey, rootSteps, rekeying, sending, nextSending }: RatchetState) {
  return {
    root_key: rootKey,
    root_steps: rootSteps,
    ...NOT_SENDING,
    ...sendingColumns(sending),
    next_sending_header_key: nextSending.header,
    next_sending_find_key: nextSending.find,
    kem_mixed_step: rekeying.mixed.step,
    kem_mixed_at: rekeying.mixed.at,
    ...NO_EXCHANGE,
    ...exchangeColumns(rekeying.exchange),
  };
}

/** Decodes the columns. */
export function stateIn(row: StateRow): Omit<RatchetState, 'receiving' | 'nextReceiving'> {
  return {
    rootKey: row.root_key,
    rootSteps: row.root_steps,
    rekeying: { mixed: { step: row.kem_mixed_step, at: row.kem_mixed_at }, exchange: exchangeIn(row) },
    sending: sendingIn(row),
    nextSending: { header: row.next_sending_header_key, find: row.next_sending_find_key },
  };
}

function sendingColumns(sending: Sending): SendingRow {
  switch (sending.kind) {
    case 'awaiting':
      return {
        sending: 'awaiting',
        sending_public_key: sending.self.publicKey,
        sending_secret_key: sending.self.secretKey,
      };
    case 'due':
      return { sending: 'due', sending_remote: sending.remote, sending_previous_n: sending.previousN };
    case 'chain':
      return {
        sending: 'chain',
        sending_public_key: sending.self.publicKey,
        sending_secret_key: sending.self.secretKey,
        sending_chain_key: sending.chainKey,
        sending_header_key: sending.header.header,
        sending_find_key: sending.header.find,
        sending_n: sending.n,
        sending_previous_n: sending.previousN,
        sending_kem: sending.kem === undefined ? null : bytesOf(sending.kem),
      };
  }
}

function sendingIn(row: SendingRow): Sending {
  switch (row.sending) {
    case 'awaiting':
      return { kind: 'awaiting', self: { publicKey: row.sending_public_key, secretKey: row.sending_secret_key } };
    case 'due':
      return { kind: 'due', remote: row.sending_remote, previousN: row.sending_previous_n };
    case 'chain':
      return {
        kind: 'chain',
        self: { publicKey: row.sending_public_key, secretKey: row.sending_secret_key },
        chainKey: row.sending_chain_key,
        header: { header: row.sending_header_key, find: row.sending_find_key },
        n: row.sending_n,
        previousN: row.sending_previous_n,
        kem: row.sending_kem === null ? undefined : kemFieldIn(row.sending_kem),
      };
  }
}

function exchangeColumns(exchange: KemExchange): ExchangeRow {
  switch (exchange.kind) {
    case 'idle':
      return { kem_exchange: 'idle' };
    case 'offered':
      return { kem_exchange: 'offered', kem_seed: exchange.seed };
    case 'owed':
      return { kem_exchange: 'owed', kem_owed: exchange.key };
  }
}

function exchangeIn(row: ExchangeRow): KemExchange {
  switch (row.kem_exchange) {
    case 'idle':
      return { kind: 'idle' };
    case 'offered':
      return { kind: 'offered', seed: row.kem_seed };
    case 'owed':
      return { kind: 'owed', key: row.kem_owed };
  }
}

function bytesOf(field: KemField): EncapsulationKey | KemCiphertext {
  return field.kind === 'offer' ? field.key : field.ciphertext;
}

/** An offered key and a ciphertext are distinguished by their length, as on the wire. */
function kemFieldIn(bytes: EncapsulationKey | KemCiphertext): KemField {
  return bytes.length === ENCAPSULATION_KEY_LENGTH
    ? { kind: 'offer', key: bytes as EncapsulationKey }
    : { kind: 'answer', ciphertext: bytes as KemCiphertext };
}
