/**
 * The tables of contents that come or go in parts: `Transfers` in SQL.
 * Knows nothing of files and of keys.
 */
import type { PartRecord } from '../../parts/index.ts';
import type {
  IncomingId,
  Outgoing,
  OutgoingId,
  StoredIncoming,
  StoredOutgoing,
  SweptOutgoing,
  Transfers,
} from '../../session/store.ts';
import type { SqlTransaction } from '../transaction.ts';

/** The columns of a descriptor. */
interface DescriptorRow {
  readonly name: string | null;
  readonly sentAt: number;
  readonly size: number | null;
  readonly partSize: number;
  readonly key: Uint8Array;
}

/** The CHECK constraints of the table guarantee what is null together. */
interface IncomingRow extends DescriptorRow, Omit<StoredIncoming, 'descriptor' | 'late' | 'place' | 'claim'> {
  readonly late: 0 | 1;
  readonly process: string | null;
  readonly claimedAt: number | null;
  readonly path: string | null;
  readonly inode: string | null;
  readonly host: string | null;
  readonly target: string | null;
}

interface OutgoingRow extends DescriptorRow, Omit<StoredOutgoing, 'descriptor' | 'source' | 'box' | 'partsAt'> {
  readonly partsAt: string | null;
  readonly box: Uint8Array | null;
  readonly path: string | null;
  readonly inode: string | null;
  readonly modified: string | null;
  readonly host: string | null;
}

type PartRow = Omit<PartRecord, 'isLast'> & { readonly isLast: 0 | 1 };

const INCOMING = `
SELECT id, contact_id AS contact, message_id AS messageId, n, late, received_at AS receivedAt, name, sent_at AS sentAt,
  size, part_size AS partSize, key, process, claimed_at AS claimedAt, path, inode, host, target, all_below AS allBelow
FROM incoming`;

const OUTGOING = `
SELECT id, contact_id AS contact, message_id AS messageId, n, created_at AS createdAt, process, advanced_at AS advancedAt, name,
  sent_at AS sentAt,
  size, part_size AS partSize, key, path, inode, modified, host, parts, parts_at AS partsAt, link, envelope, box
FROM outgoing`;

export function transfers(transaction: SqlTransaction): Transfers {
  return {
    async addIncoming({ descriptor, late, ...incoming }) {
      const { id } = transaction.run(
        `INSERT INTO incoming (contact_id, message_id, n, late, received_at, name, sent_at, size, part_size, key)
        VALUES (@contact, @messageId, @n, @late, @receivedAt, @name, @sentAt, @size, @partSize, @key)`,
        { ...incoming, ...rowOf(descriptor), late: late ? 1 : 0 },
      );
      return id as IncomingId;
    },

    async incoming() {
      return transaction.all<IncomingRow>(`${INCOMING} ORDER BY id`).map(incomingIn);
    },

    async receivedParts(id, from = 0, most = -1) {
      return transaction
        .all<PartRow>(
          `SELECT part AS "index", is_last AS isLast, digest, link, next, length FROM incoming_parts
          WHERE incoming = @id AND part >= @from ORDER BY part LIMIT @most`,
          { id, from, most },
        )
        .map(({ isLast, ...part }) => ({ ...part, isLast: isLast === 1 }));
    },

    async addReceivedParts(id, parts, allBelow) {
      for (const { isLast, ...part } of parts) {
        transaction.run(
          `INSERT OR REPLACE INTO incoming_parts (incoming, part, is_last, digest, link, next, length)
          SELECT id, @index, @isLast, @digest, @link, @next, @length FROM incoming WHERE id = @id`,
          { ...part, id, isLast: isLast ? 1 : 0 },
        );
      }
      if (allBelow === undefined) return;
      transaction.run('UPDATE incoming SET all_below = @allBelow WHERE id = @id', { id, allBelow });
    },

    async handOverIncoming(id, from, to, at) {
      const sql = 'UPDATE incoming SET process = @to, claimed_at = @at WHERE id = @id AND process IS @from';
      const claim = to === undefined ? { to: null, at: null } : { to, at };
      return transaction.run(sql, { id, from: from ?? null, ...claim }).changes > 0;
    },

    async setPlace(id, { path, inode, host, target }) {
      const sql = 'UPDATE incoming SET path = @path, inode = @inode, host = @host, target = @target WHERE id = @id';
      transaction.run(sql, { id, path, inode, host: host ?? null, target: target ?? null });
    },

    async dropReceivedParts(id, from = 0) {
      transaction.run('DELETE FROM incoming_parts WHERE incoming = @id AND part >= @from', { id, from });
      transaction.run('UPDATE incoming SET all_below = min(all_below, @from) WHERE id = @id', { id, from });
      if (from > 0) return;
      const sql = 'UPDATE incoming SET path = NULL, inode = NULL, host = NULL, target = NULL WHERE id = @id';
      transaction.run(sql, { id });
    },

    async dropIncoming(id) {
      return transaction.run('DELETE FROM incoming WHERE id = @id', { id }).changes > 0;
    },

    async addOutgoing({ descriptor, source, ...outgoing }) {
      const { id } = transaction.run(
        `INSERT INTO outgoing (contact_id, message_id, n, created_at, process, advanced_at, name, sent_at, size, part_size,
          key, path, inode, modified, host, parts, parts_at, link, envelope, box)
        VALUES (@contact, @messageId, @n, @createdAt, @process, @advancedAt, @name, @sentAt, @size, @partSize,
          @key, @path, @inode, @modified, @host, @parts, @partsAt, @link, @envelope, @box)`,
        {
          path: null,
          inode: null,
          modified: null,
          ...source,
          host: source?.host ?? null,
          ...outgoing,
          box: outgoing.box ?? null,
          partsAt: outgoing.partsAt ?? null,
          ...rowOf(descriptor),
        },
      );
      return id as OutgoingId;
    },

    async outgoing() {
      return transaction.all<OutgoingRow>(`${OUTGOING} ORDER BY id`).map(outgoingIn);
    },

    async advanceOutgoing(id, { parts, partsAt, link, process, advancedAt }) {
      transaction.run(
        `UPDATE outgoing SET parts = @parts, parts_at = @partsAt, link = @link, process = @process, advanced_at = @advancedAt
        WHERE id = @id`,
        { id, parts, partsAt: partsAt ?? null, link, process, advancedAt },
      );
    },

    async dropOutgoing(id) {
      return transaction.run('DELETE FROM outgoing WHERE id = @id', { id }).changes > 0;
    },

    async sweepOutgoing(before) {
      const old = transaction.all<Omit<SweptOutgoing, 'partsAt'> & { readonly partsAt: string | null }>(
        'SELECT contact_id AS contact, key, parts_at AS partsAt FROM outgoing WHERE created_at < @before ORDER BY id',
        { before },
      );
      if (old.length > 0) transaction.run('DELETE FROM outgoing WHERE created_at < @before', { before });
      return old.map((row) => ({ ...row, partsAt: row.partsAt ?? undefined }));
    },
  };
}

function rowOf({ name, sentAt, size, partSize, key }: Outgoing['descriptor']): DescriptorRow {
  return { name: name ?? null, sentAt, size: size ?? null, partSize, key };
}

function descriptorIn({ name, sentAt, size, partSize, key }: DescriptorRow): Outgoing['descriptor'] {
  return { type: 'descriptor', name: name ?? undefined, sentAt, size: size ?? undefined, partSize, key };
}

function incomingIn(row: IncomingRow): StoredIncoming {
  const { id, contact, messageId, n, late, receivedAt, process, claimedAt, path, inode, host, target, allBelow } = row;
  return {
    id,
    contact,
    messageId,
    n,
    late: late === 1,
    receivedAt,
    descriptor: descriptorIn(row),
    claim: process === null || claimedAt === null ? undefined : { process, at: claimedAt },
    place:
      path === null || inode === null
        ? undefined
        : { path, inode, host: host ?? undefined, target: target ?? undefined },
    allBelow,
  };
}

function outgoingIn(row: OutgoingRow): StoredOutgoing {
  const {
    id,
    contact,
    messageId,
    n,
    createdAt,
    process,
    advancedAt,
    path,
    inode,
    modified,
    host,
    parts,
    partsAt,
    link,
    envelope,
    box,
  } = row;
  const source =
    path === null || inode === null || modified === null
      ? undefined
      : { path, inode, modified, host: host ?? undefined };
  return {
    id,
    contact,
    messageId,
    n,
    createdAt,
    process,
    advancedAt,
    descriptor: descriptorIn(row),
    source,
    parts,
    partsAt: partsAt ?? undefined,
    link,
    envelope,
    box: box ?? undefined,
  };
}
