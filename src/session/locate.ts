import { PawlError } from '../errors.ts';
import {
  type FindEntry,
  isSealedFor,
  type OpenedHeader,
  openHeader,
  type Place,
  type RatchetState,
  type SealedMessage,
  type SessionId,
} from '../ratchet/index.ts';
import type { Session, Transaction } from './store.ts';

/** A message whose header has authenticated: which session it belongs to, and where in it. */
export interface Located {
  readonly session: Session;
  readonly state: RatchetState;
  readonly place: Place;
  readonly opened: OpenedHeader;
}

/**
 * Finds the session of a message by its header key, among all sessions or in `only` one.
 * @throws `not-for-you` when no header key fits, `corrupt` when one does and the message was altered.
 */
export async function locate(transaction: Transaction, message: SealedMessage, only?: SessionId): Promise<Located> {
  const entries = await transaction.findEntries(only);
  const entry = entries.find(({ find }) => isSealedFor(find, message));
  if (entry === undefined) throw new PawlError('not-for-you', {});

  const session = await transaction.session(entry.session);
  const state = await transaction.ratchetState(entry.session);
  const place = await placeOf(transaction, entry, state);
  const opened = openHeader(headerKeys(state, place), message, session.transcript);
  if (opened === undefined) throw new PawlError('corrupt', { what: 'message' });
  return { session, state, place, opened };
}

async function placeOf(transaction: Transaction, entry: FindEntry, state: RatchetState): Promise<Place> {
  if (entry.chain === 'next') return 'next';
  if (state.receiving.kind === 'chain' && state.receiving.chain === entry.chain) return 'current';
  return transaction.finishedChain(entry.session, entry.chain);
}

function headerKeys(state: RatchetState, place: Place) {
  if (place === 'next') return state.nextReceiving;
  if (place !== 'current') return place.header;
  if (state.receiving.kind === 'awaiting') throw new PawlError('corrupt', { what: 'message' });
  return state.receiving.header;
}
