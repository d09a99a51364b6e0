/**
 * The tables `routes`, `left_entries` and `spent_boxes`: `Routes` in SQL.
 * Does not know how places are reached.
 */
import type { Route } from '../../places/index.ts';
import type { ContactId, LeftEntry, RouteOwner, Routes, SpentBox, StoredRoute } from '../../session/store.ts';
import type { SqlTransaction } from '../transaction.ts';

/** The CHECK constraints of the table guarantee these unions. */
type RouteRow = { readonly setAt: number; readonly trusted: 0 | 1; readonly place: string } & (
  | { readonly contact: ContactId; readonly inviteName: null }
  | { readonly contact: null; readonly inviteName: string }
) &
  (
    | { readonly kind: 'dir'; readonly mark: string }
    | { readonly kind: 'exec' }
    | { readonly kind: 'nats'; readonly credentials: string | null }
  );

const IS_OF_OWNER = 'contact_id IS @contact AND invite_name IS @inviteName';

const LEFT_ENTRIES = 'SELECT box, name, size, version, code, tries, tried_at AS triedAt FROM left_entries';

export function routesOf(transaction: SqlTransaction): Routes {
  return {
    async routes() {
      const sql = `SELECT contact_id AS contact, invite_name AS inviteName, kind, place, mark, credentials, set_at AS setAt, trusted
        FROM routes`;
      return transaction.all<RouteRow>(sql).map(storedRouteIn);
    },

    async setRoute({ owner, route, setAt, isTrusted }) {
      transaction.run(`DELETE FROM routes WHERE ${IS_OF_OWNER}`, ownerColumns(owner));
      transaction.run(
        `INSERT INTO routes (contact_id, invite_name, kind, place, mark, credentials, set_at, trusted)
        VALUES (@contact, @inviteName, @kind, @place, @mark, @credentials, @setAt, @trusted)`,
        { ...ownerColumns(owner), ...routeColumns(route), setAt, trusted: isTrusted ? 1 : 0 },
      );
    },

    async dropRoute(owner) {
      return transaction.run(`DELETE FROM routes WHERE ${IS_OF_OWNER}`, ownerColumns(owner)).changes > 0;
    },

    async renameRoute(inviteName, newName) {
      transaction.run('UPDATE OR REPLACE routes SET invite_name = @newName WHERE invite_name = @inviteName', {
        inviteName,
        newName,
      });
    },

    async distrustRoutes() {
      transaction.run('UPDATE routes SET trusted = 0 WHERE trusted = 1');
    },

    async leftEntries(box) {
      if (box === undefined) return transaction.all<LeftEntry>(LEFT_ENTRIES);
      return transaction.all<LeftEntry>(`${LEFT_ENTRIES} WHERE box = @box`, { box });
    },

    async setLeftEntry(entry) {
      transaction.run(
        `INSERT OR REPLACE INTO left_entries (box, name, size, version, code, tries, tried_at)
        VALUES (@box, @name, @size, @version, @code, @tries, @triedAt)`,
        { ...entry },
      );
    },

    async sweepLeftEntries(before) {
      transaction.run('DELETE FROM left_entries WHERE tried_at < @before', { before });
    },

    async dropLeftEntry(box, name) {
      transaction.run('DELETE FROM left_entries WHERE box = @box AND name = @name', { box, name });
    },

    async spentBoxes() {
      return transaction.all<SpentBox>(
        'SELECT box, contact_id AS contact, spent_at AS spentAt FROM spent_boxes ORDER BY spent_at, box',
      );
    },

    async addSpentBox(spent) {
      transaction.run(
        'INSERT OR REPLACE INTO spent_boxes (box, contact_id, spent_at) VALUES (@box, @contact, @spentAt)',
        { ...spent },
      );
    },

    async dropSpentBox(box) {
      transaction.run('DELETE FROM spent_boxes WHERE box = @box', { box });
    },

    async sweepSpentBoxes(before) {
      transaction.run('DELETE FROM spent_boxes WHERE spent_at < @before', { before });
    },
  };
}

function storedRouteIn(row: RouteRow): StoredRoute {
  const owner = row.contact === null ? { inviteName: row.inviteName } : { contact: row.contact };
  return { owner, route: routeIn(row), setAt: row.setAt, isTrusted: row.trusted === 1 };
}

function routeIn(row: RouteRow): Route {
  switch (row.kind) {
    case 'dir':
      return { kind: 'dir', path: row.place, mark: row.mark };
    case 'exec':
      return { kind: 'exec', command: row.place };
    case 'nats':
      return { kind: 'nats', url: row.place, credentials: row.credentials ?? undefined };
  }
}

function routeColumns(route: Route) {
  const none = { mark: null, credentials: null };
  switch (route.kind) {
    case 'dir':
      return { ...none, kind: route.kind, place: route.path, mark: route.mark };
    case 'exec':
      return { ...none, kind: route.kind, place: route.command };
    case 'nats':
      return { ...none, kind: route.kind, place: route.url, credentials: route.credentials ?? null };
  }
}

function ownerColumns(owner: RouteOwner) {
  return 'contact' in owner
    ? { contact: owner.contact, inviteName: null }
    : { contact: null, inviteName: owner.inviteName };
}
