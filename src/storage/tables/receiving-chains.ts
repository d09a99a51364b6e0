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
import { found, type Unit } from '../transaction.ts';

/** The CHECK constraints of the table make this union true. */
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

/** The current chain, where there is one, and the next. */
export function unfinishedChains(unit: Unit, session: SessionId): PeerState {
  const rows = unit.all<ChainRow>(
    "SELECT * FROM receiving_chains WHERE session_id = @session AND state <> 'finished' ORDER BY chain",
    { session },
  );
  const next = found(
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

export function finishedChain(unit: Unit, session: SessionId, chain: number): FinishedChain {
  const row = unit.get<ChainRow & { readonly state: 'finished' }>(
    "SELECT * FROM receiving_chains WHERE session_id = @session AND chain = @chain AND state = 'finished'",
    { session, chain },
  );
  const { remote, header_key, find_key, length } = found(row, 'finished chain');
  return { chain, remote, header: { header: header_key, find: find_key }, length };
}

/** Of a new session. */
export function addChains(unit: Unit, session: SessionId, { receiving, nextReceiving }: PeerState): void {
  if (receiving.kind === 'awaiting') {
    addNextChain(unit, session, 0, nextReceiving);
  } else {
    addNextChain(unit, session, receiving.chain, receiving.header);
    beginChain(unit, session, receiving, nextReceiving);
  }
}

/** Saves what a step did to the peer's chains. @returns whether a new one began. */
export function saveChains(unit: Unit, session: SessionId, { state, finished }: ReceivingStep): boolean {
  const { receiving, nextReceiving } = state;
  if (receiving.kind === 'awaiting') throw new Error('a message was received, so there is a chain');
  const { chain, chainKey, n } = receiving;
  const wentOn = unit.run(
    `UPDATE receiving_chains SET chain_key = @chainKey, n = @n
    WHERE session_id = @session AND chain = @chain AND state = 'current'`,
    { session, chain, chainKey, n },
  );
  if (wentOn.changes > 0) return false;
  if (finished !== undefined) finishChain(unit, session, finished);
  beginChain(unit, session, receiving, nextReceiving);
  return true;
}

function addNextChain(unit: Unit, session: SessionId, chain: number, { header, find }: HeaderKeys): void {
  unit.run(
    `INSERT INTO receiving_chains (session_id, chain, state, header_key, find_key)
    VALUES (@session, @chain, 'next', @header, @find)`,
    { session, chain, header, find },
  );
}

/** The next chain becomes the current one, and has a next one itself. */
function beginChain(
  unit: Unit,
  session: SessionId,
  { chain, remote, chainKey, n }: Receiving & { kind: 'chain' },
  next: HeaderKeys,
): void {
  unit.update(
    'next chain',
    `UPDATE receiving_chains SET state = 'current', remote = @remote, chain_key = @chainKey, n = @n
    WHERE session_id = @session AND chain = @chain AND state = 'next'`,
    { session, chain, remote, chainKey, n },
  );
  addNextChain(unit, session, chain + 1, next);
}

function finishChain(unit: Unit, session: SessionId, { chain, length }: FinishedChain): void {
  unit.update(
    'current chain',
    `UPDATE receiving_chains SET state = 'finished', chain_key = NULL, n = NULL, length = @length
    WHERE session_id = @session AND chain = @chain AND state = 'current'`,
    { session, chain, length },
  );
}
