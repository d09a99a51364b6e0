/**
 * The table `contacts`: `ContactStore` in SQL.
 * Relies on foreign keys to delete what belongs to a contact.
 */
import type { ForkReason } from '../../errors.ts';
import { fromHex, type IdentityKey } from '../../primitives/index.ts';
import type { SessionId } from '../../ratchet/index.ts';
import type {
  Contact,
  ContactId,
  ContactOverview,
  ContactStore,
  SessionOverview,
  WaitingInvite,
} from '../../session/store.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

interface ContactRow {
  readonly id: ContactId;
  readonly name: string;
  readonly identity: IdentityKey;
  readonly added_at: number;
  readonly verified_at: number | null;
  readonly invite: Uint8Array | null;
  readonly invite_added_at: number | null;
}

const SELECT = 'SELECT id, name, identity, added_at, verified_at, invite, invite_added_at FROM contacts';

/** A contact with one of its sessions; with none, everything from `id` on is `null` or 0. */
type OverviewRow = readonly [...ContactColumns, ...SessionColumns];

type ContactColumns = readonly [
  contact: ContactId,
  name: string,
  identity: string,
  addedAt: number,
  verifiedAt: number | null,
  inviteWaits: 0 | 1,
];

type SessionColumns = readonly [
  id: SessionId | null,
  isTheirs: 0 | 1,
  isUnanswered: 0 | 1,
  createdAt: number,
  lastDhStepAt: number | null,
  held: 0 | 1,
  forkReason: ForkReason | null,
  forkAt: number | null,
  forkAcknowledgedAt: number | null,
  isDue: 0 | 1,
  sent: number | null,
  missing: number | null,
  missingSince: number | null,
];

/**
 * The contacts are read in the order of their ids and sorted afterwards (the plus sign prevents SQLite from using the
 * index of the names), because their sessions lie in about that order: in another one, each would be read from a page
 * that is no longer in memory. Blobs are read as text, because a `Buffer` each would take most of the time.
 */
const OVERVIEWS = `
SELECT c.id, c.name, hex(c.identity), c.added_at, c.verified_at, c.invite IS NOT NULL,
  s.id, s.role = 'responder', s.prefix IS NOT NULL, s.created_at, s.last_dh_step_at, s.held,
  s.fork_reason, s.fork_at, s.fork_acknowledged_at, s.sending = 'due', s.sending_n, m.count, m.since
FROM contacts c
  LEFT JOIN sessions s ON s.contact_id = c.id
  LEFT JOIN (
    SELECT session_id, count(*) AS count, min(created_at) AS since FROM skipped_keys GROUP BY session_id
  ) m ON m.session_id = s.id
ORDER BY +c.name, s.opened DESC, s.transcript DESC`;

/** A contact to whose sessions more can be added. */
type OpenOverview = ContactOverview & { readonly sessions: SessionOverview[] };

export function contactStore(transaction: SqlTransaction): ContactStore {
  return {
    async contacts() {
      return transaction.all<ContactRow>(`${SELECT} ORDER BY name`).map(contactIn);
    },

    async eachContact(visit) {
      let contact: OpenOverview | undefined;
      transaction.each<OverviewRow>(OVERVIEWS, {}, (row) => {
        if (contact?.id !== row[0]) {
          if (contact !== undefined) visit(contact);
          contact = overviewIn(row);
        }
        const session = sessionIn(row);
        if (session !== undefined) contact.sessions.push(session);
      });
      if (contact !== undefined) visit(contact);
    },

    async contact(id) {
      return contactIn(mustExist(transaction.get<ContactRow>(`${SELECT} WHERE id = @id`, { id }), 'contact'));
    },

    async contactNamed(name) {
      const row = transaction.get<ContactRow>(`${SELECT} WHERE name = @name`, { name });
      return row && contactIn(row);
    },

    async contactOf(identity) {
      const row = transaction.get<ContactRow>(`${SELECT} WHERE identity = @identity`, { identity });
      return row && contactIn(row);
    },

    async addContact({ name, identity, addedAt, invite }) {
      const { id } = transaction.run(
        `INSERT INTO contacts (name, identity, added_at, invite, invite_added_at)
        VALUES (@name, @identity, @addedAt, @invite, @inviteAddedAt)`,
        { name, identity, addedAt, ...inviteColumns(invite) },
      );
      return id as ContactId;
    },

    async setContactInvite(id, invite) {
      transaction.update(
        'contact',
        'UPDATE contacts SET invite = @invite, invite_added_at = @inviteAddedAt WHERE id = @id',
        {
          id,
          ...inviteColumns(invite),
        },
      );
    },

    async setVerified(id, at) {
      transaction.update('contact', 'UPDATE contacts SET verified_at = @at WHERE id = @id', { id, at: at ?? null });
    },

    async renameContact(id, name) {
      transaction.update('contact', 'UPDATE contacts SET name = @name WHERE id = @id', { id, name });
    },

    // ON DELETE CASCADE deletes all rows that refer to it.
    async dropContact(id) {
      transaction.update('contact', 'DELETE FROM contacts WHERE id = @id', { id });
    },
  };
}

function inviteColumns(invite: WaitingInvite | undefined) {
  return { invite: invite?.bytes ?? null, inviteAddedAt: invite?.addedAt ?? null };
}

function contactIn(row: ContactRow): Contact {
  const { id, name, identity, added_at: addedAt, verified_at, invite, invite_added_at } = row;
  const waiting = invite === null || invite_added_at === null ? undefined : { bytes: invite, addedAt: invite_added_at };
  return { id, name, identity, addedAt, verifiedAt: verified_at ?? undefined, invite: waiting };
}

/** The contact of a row, without its sessions. */
function overviewIn([id, name, identity, addedAt, verifiedAt, inviteWaits]: OverviewRow): OpenOverview {
  return {
    id,
    name,
    identity: fromHex(identity) as IdentityKey,
    addedAt,
    verifiedAt: verifiedAt ?? undefined,
    inviteWaits: inviteWaits === 1,
    sessions: [],
  };
}

/** The session of a row, if it has one. */
function sessionIn(row: OverviewRow): SessionOverview | undefined {
  const [, , , , , , id, isTheirs, isUnanswered, createdAt, lastDhStepAt, held, ...rest] = row;
  const [reason, at, acknowledgedAt, isDue, sent, missing, since] = rest;
  if (id === null) return undefined;
  return {
    id,
    isTheirs: isTheirs === 1,
    isUnanswered: isUnanswered === 1,
    createdAt,
    lastDhStepAt: lastDhStepAt ?? undefined,
    held: held === 1,
    fork: reason === null || at === null ? undefined : { reason, at, acknowledgedAt: acknowledgedAt ?? undefined },
    isDue: isDue === 1,
    sent: sent ?? 0,
    missing: missing === null || since === null ? undefined : { count: missing, since },
  };
}
