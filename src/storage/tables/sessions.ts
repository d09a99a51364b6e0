/**
 * The table `sessions`: `SessionTable` in SQL.
 * `ratchet-state.ts` and `receiving-chains.ts` have the ratchet state of a session.
 */
import type { ForkReason } from '../../errors.ts';
import type { Transcript } from '../../handshake/index.ts';
import type { SessionId } from '../../ratchet/index.ts';
import type {
  ContactId,
  FinishedChainRecord,
  MissingMessage,
  Origin,
  RoutedSession,
  Session,
  SessionTable,
} from '../../session/store.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';
import { STATE_COLUMNS, stateColumns } from './ratchet-state.ts';
import { addChains } from './receiving-chains.ts';

/** The CHECK constraints of the table guarantee these unions. */
type SessionRow = {
  readonly id: SessionId;
  readonly contact: ContactId;
  readonly transcript: Transcript;
  readonly opened: number;
  readonly createdAt: number;
  readonly lastDhStepAt: number | null;
  readonly idle: number;
  readonly lost: number;
  readonly held: 0 | 1;
  readonly outgoingBox: Uint8Array | null;
  readonly incomingBox: Uint8Array | null;
  readonly inviteBox: Uint8Array | null;
  readonly readWith: SessionId | null;
} & OriginRow &
  ForkRow;
type OriginRow =
  | { readonly role: 'initiator'; readonly inviteId: Uint8Array; readonly prefix: Uint8Array | null }
  | { readonly role: 'responder'; readonly prefixDigest: Uint8Array };
type ForkRow =
  | { readonly forkReason: ForkReason; readonly forkAt: number; readonly forkAcknowledgedAt: number | null }
  | { readonly forkReason: null; readonly forkAt: null; readonly forkAcknowledgedAt: null };

/**
 * The new values of a session's fork mark, with the parameters `forkReason` and `forkAt`. An earlier mark stays, unless it
 * was acknowledged.
 */
const FORK_COLUMNS = { fork_reason: '@forkReason', fork_at: '@forkAt', fork_acknowledged_at: 'NULL' };
const IS_NEW_FORK = '@forkReason IS NOT NULL AND (fork_reason IS NULL OR fork_acknowledged_at IS NOT NULL)';
export const SET_FORK = Object.entries(FORK_COLUMNS)
  .map(([column, value]) => `${column} = CASE WHEN ${IS_NEW_FORK} THEN ${value} ELSE ${column} END`)
  .join(', ');

const SELECT = `
SELECT id, contact_id AS contact, role, invite_id AS inviteId, prefix, prefix_digest AS prefixDigest, transcript, opened,
  created_at AS createdAt, last_dh_step_at AS lastDhStepAt, idle, lost, held,
  fork_reason AS forkReason, fork_at AS forkAt, fork_acknowledged_at AS forkAcknowledgedAt,
  outgoing_box AS outgoingBox, incoming_box AS incomingBox, invite_box AS inviteBox, read_with AS readWith
FROM sessions`;

type RoutedRow = readonly [
  contact: ContactId,
  name: string,
  id: SessionId,
  isTheirs: 0 | 1,
  createdAt: number,
  readWith: SessionId | null,
  incoming: Uint8Array | null,
  invite: Uint8Array | null,
];

/** Not read in the order of the names, for the reason that `OVERVIEWS` in `contacts.ts` has. */
const ROUTED = `
SELECT c.id, c.name, s.id, s.role = 'responder', s.created_at, s.read_with, s.incoming_box, s.invite_box
FROM routes r
  JOIN contacts c ON c.id = r.contact_id
  JOIN sessions s ON s.contact_id = c.id
ORDER BY +c.name, s.id`;

const INSERT = `
INSERT INTO sessions (contact_id, role, invite_id, prefix, prefix_digest, transcript, opened, created_at,
  outgoing_box, incoming_box, invite_box, ${STATE_COLUMNS.join(', ')})
VALUES (@contact, @role, @inviteId, @prefix, @prefixDigest, @transcript, @opened, @createdAt,
  @outgoingBox, @incomingBox, @inviteBox, ${STATE_COLUMNS.map((column) => `@${column}`).join(', ')})`;

export function sessionTable(transaction: SqlTransaction): SessionTable {
  return {
    async session(id) {
      return sessionIn(mustExist(transaction.get<SessionRow>(`${SELECT} WHERE id = @id`, { id }), 'session'));
    },

    async sessions(contact) {
      return transaction
        .all<SessionRow>(`${SELECT} WHERE contact_id = @contact ORDER BY id`, { contact })
        .map(sessionIn);
    },

    async routedSessions() {
      const sessions: RoutedSession[] = [];
      transaction.each<RoutedRow>(ROUTED, {}, (row) => sessions.push(routedSessionIn(row)));
      return sessions;
    },

    async sessionOfPrefix(prefixDigest) {
      const row = transaction.get<SessionRow>(`${SELECT} WHERE prefix_digest = @prefixDigest`, { prefixDigest });
      return row && sessionIn(row);
    },

    async addSession({ contact, origin, transcript, opened, createdAt, boxes }, state) {
      const row = {
        contact,
        ...originColumns(origin),
        transcript,
        opened,
        createdAt,
        ...boxColumns(boxes),
        ...stateColumns(state),
      };
      const id = transaction.run(INSERT, row).id as SessionId;
      addChains(transaction, id, state);
      return id;
    },

    async answerSession(id) {
      transaction.update(
        'session',
        "UPDATE sessions SET prefix = NULL, invite_box = NULL WHERE id = @id AND role = 'initiator'",
        { id },
      );
    },

    async setReadWith(id, newest) {
      transaction.run('UPDATE sessions SET read_with = @newest WHERE id = @id', { id, newest });
    },

    async useSession(id) {
      transaction.update(
        'session',
        `UPDATE sessions SET idle = CASE id WHEN @id THEN 0 ELSE idle + 1 END
        WHERE contact_id = (SELECT contact_id FROM sessions WHERE id = @id)`,
        { id },
      );
    },

    async holdSessions(contact) {
      transaction.run('UPDATE sessions SET held = 1 WHERE contact_id = ifnull(@contact, contact_id)', {
        contact: contact ?? null,
      });
      if (contact === undefined) transaction.run('UPDATE identity SET holds = holds + 1');
    },

    async acknowledgeForks(contact, at) {
      return transaction.run(
        `UPDATE sessions SET fork_acknowledged_at = @at
        WHERE contact_id = @contact AND fork_reason IS NOT NULL AND fork_acknowledged_at IS NULL`,
        { contact, at },
      ).changes;
    },

    async dropSession(id) {
      transaction.run('DELETE FROM sessions WHERE id = @id', { id });
    },

    async finishedChains(session) {
      return transaction.all<FinishedChainRecord>(
        `SELECT chain, remote, length FROM receiving_chains
        WHERE session_id = @session AND state = 'finished' ORDER BY chain`,
        { session },
      );
    },

    async missingMessages(session) {
      return transaction.all<MissingMessage>(
        `SELECT chain, n, created_at AS keptSince FROM skipped_keys WHERE session_id = @session ORDER BY chain, n`,
        { session },
      );
    },
  };
}

function sessionIn(row: SessionRow): Session {
  const { id, contact, transcript, opened, createdAt, lastDhStepAt, idle, lost } = row;
  return {
    id,
    contact,
    origin: originIn(row),
    transcript,
    opened,
    createdAt,
    lastDhStepAt: lastDhStepAt ?? undefined,
    idle,
    lost,
    held: row.held === 1,
    fork: forkIn(row),
    boxes: boxesIn(row),
    readWith: row.readWith ?? undefined,
  };
}

function routedSessionIn([
  contact,
  name,
  id,
  isTheirs,
  createdAt,
  readWith,
  incoming,
  invite,
]: RoutedRow): RoutedSession {
  return {
    id,
    contact,
    name,
    isTheirs: isTheirs === 1,
    createdAt,
    readWith: readWith ?? undefined,
    boxes: incoming === null ? undefined : { incoming, invite: invite ?? undefined },
  };
}

function boxesIn({ outgoingBox: outgoing, incomingBox: incoming, inviteBox: invite }: SessionRow): Session['boxes'] {
  return outgoing === null || incoming === null ? undefined : { outgoing, incoming, invite: invite ?? undefined };
}

function boxColumns(boxes: Session['boxes']) {
  const { outgoing, incoming, invite } = boxes ?? {};
  return { outgoingBox: outgoing ?? null, incomingBox: incoming ?? null, inviteBox: invite ?? null };
}

function forkIn({ forkReason: reason, forkAt: at, forkAcknowledgedAt }: ForkRow): Session['fork'] {
  return reason === null ? undefined : { reason, at, acknowledgedAt: forkAcknowledgedAt ?? undefined };
}

function originIn(row: OriginRow): Origin {
  if (row.role === 'responder') return { role: 'responder', prefixDigest: row.prefixDigest };
  return { role: 'initiator', inviteId: row.inviteId, prefix: row.prefix ?? undefined };
}

function originColumns(origin: Origin) {
  if (origin.role === 'responder') return { inviteId: null, prefix: null, ...origin };
  return { prefixDigest: null, ...origin, prefix: origin.prefix ?? null };
}
