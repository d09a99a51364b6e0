/**
 * The table `receiving_chains`: the finished chains, the current chain and the next chain of the peer.
 * Does not know skipped keys: deleting a chain deletes them by foreign key.
 */
import type { X25519PublicKey } from '../../primitives/index.ts';
import type {
  ChainKey,
  FindKey,
  FinishedChain,
  HeaderKey,
  HeaderKeys,
  RatchetState,
  Receiving,
  ReceivingStep,
  SessionId,
} from '../../ratchet/index.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

/** The CHECK constraints of the table guarantee this union. */
type ChainRow = {
  readonly chain: number;
  readonly header_key: HeaderKey;
  readonly find_key: FindKey;
} & (
  | { readonly state: 'next' }
  | { readonly state: 'current'; readonly remote: X25519PublicKey; readonly chain_key: ChainKey; readonly n: number }
  | { readonly state: 'finished'; readonly remote: X25519PublicKey; readonly length: number }
);

type PeerState = Pick<RatchetState, 'receiving' | 'nextReceiving'>;

/** Reads the current chain, if there is one, and the next. */
export function unfinishedChains(transaction: SqlTransaction, session: SessionId): PeerState {
  const rows = transaction.all<ChainRow>(
    "SELECT * FROM receiving_chains WHERE session_id = @session AND state <> 'finished' ORDER BY chain",
    { session },
  );
  const next = mustExist(
    rows.find(({ state }) => state === 'next'),
    'session',
  );
  const current = rows.find((row) => row.state === 'current');
  return {
    receiving: current
      ? {
          kind: 'chain',
          chain: current.chain,
          remote: current.remote,
          chainKey: current.chain_key,
          header: { header: current.header_key, find: current.find_key },
          n: current.n,
        }
      : { kind: 'awaiting' },
    nextReceiving: { header: next.header_key, find: next.find_key },
  };
}

/** Reads a finished chain, which must exist. */
export function finishedChain(transaction: SqlTransaction, session: SessionId, chain: number): FinishedChain {
  const row = transaction.get<ChainRow & { readonly state: 'finished' }>(
    "SELECT * FROM receiving_chains WHERE session_id = @session AND chain = @chain AND state = 'finished'",
    { session, chain },
  );
  const { remote, header_key, find_key, length } = mustExist(row, 'finished chain');
  return { chain, remote, header: { header: header_key, find: find_key }, length };
}

/** Inserts the chains of a new session. */
export function addChains(
  transaction: SqlTransaction,
  session: SessionId,
  { receiving, nextReceiving }: PeerState,
): void {
  if (receiving.kind === 'awaiting') {
    addNextChain(transaction, session, 0, nextReceiving);
  } else {
    addNextChain(transaction, session, receiving.chain, receiving.header);
    beginChain(transaction, session, receiving, nextReceiving);
  }
}

/**
 * Saves the chains after a step.
 * @returns whether the peer began a new chain.
 */
export function saveChains(
  transaction: SqlTransaction,
  session: SessionId,
  { state, finished }: ReceivingStep,
): boolean {
  const { receiving, nextReceiving } = state;
  if (receiving.kind === 'awaiting') throw new Error('a message was received, so there is a chain');
  const { chain, chainKey, n } = receiving;
  const wentOn = transaction.run(
    `UPDATE receiving_chains SET chain_key = @chainKey, n = @n
    WHERE session_id = @session AND chain = @chain AND state = 'current'`,
    { session, chain, chainKey, n },
  );
  if (wentOn.changes > 0) return false;
  if (finished !== undefined) finishChain(transaction, session, finished);
  beginChain(transaction, session, receiving, nextReceiving);
  return true;
}

function addNextChain(
  transaction: SqlTransaction,
  session: SessionId,
  chain: number,
  { header, find }: HeaderKeys,
): void {
  transaction.run(
    `INSERT INTO receiving_chains (session_id, chain, state, header_key, find_key)
    VALUES (@session, @chain, 'next', @header, @find)`,
    { session, chain, header, find },
  );
}

/** Makes the next chain the current one, and inserts the chain after it as the next. */
function beginChain(
  transaction: SqlTransaction,
  session: SessionId,
  { chain, remote, chainKey, n }: Receiving & { kind: 'chain' },
  next: HeaderKeys,
): void {
  transaction.update(
    'next chain',
    `UPDATE receiving_chains SET state = 'current', remote = @remote, chain_key = @chainKey, n = @n
    WHERE session_id = @session AND chain = @chain AND state = 'next'`,
    { session, chain, remote, chainKey, n },
  );
  addNextChain(transaction, session, chain + 1, next);
}

function finishChain(transaction: SqlTransaction, session: SessionId, { chain, length }: FinishedChain): void {
  transaction.update(
    'current chain',
    `UPDATE receiving_chains SET state = 'finished', chain_key = NULL, n = NULL, length = @length
    WHERE session_id = @session AND chain = @chain AND state = 'current'`,
    { session, chain, length },
  );
}
