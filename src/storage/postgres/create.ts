/**
 * Makes the tables and the identities in a PostgreSQL database.
 * Does not open an identity: `postgres-store.ts` does.
 */
import { PawlError } from '../../errors.ts';
import { type Random, wipe } from '../../primitives/index.ts';
import type { IdentityRecord as NewIdentity } from '../identity-file.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { Lock } from '../sqlcipher.ts';
import { historySettingColumns } from '../tables/history.ts';
import { mustExist } from '../transaction.ts';
import { COMMIT_ID_LENGTH, CommitIds, encodeRecord } from './identity-record.ts';
import { IDENTITY_PLACE, SERVER } from './postgres-store.ts';
import { RowKeys } from './row-keys.ts';
import { LAYOUT, SCHEMA } from './schema.ts';
import { type DatabaseAddress, ServerClient } from './server-client.ts';
import { WorkingSet } from './working-set.ts';

/** Any number that others do not take: two who make the tables at the same time would be in each other's way. */
const MAKING_TABLES = 0x7061776c;

/**
 * Creates an identity, and the tables where they are not there. Never replaces one.
 * @throws `exists` where there is one of that name; `read-failed`, `write-failed`, `busy`, `no-addon`.
 */
export async function createPostgresIdentity(
  address: DatabaseAddress,
  lock: Lock,
  identity: NewIdentity,
  random: Random,
): Promise<void> {
  const client = await ServerClient.connect(address);
  const keys = new RowKeys(lock, random);
  try {
    await makeTables(client);
    const [answer] = await client.run({ text: `SELECT ${SERVER}`, values: [] });
    const [system, timeline] = answer?.rows[0] ?? [];
    const server = { system: String(system), timeline: Number(timeline) };
    const commitId = random(COMMIT_ID_LENGTH);
    const plain = encodeRecord({ ...recordOf(identity), server, commits: new CommitIds([commitId]) });
    const record = keys.seal(plain, { ...IDENTITY_PLACE, generation: 0 });
    wipe(plain);
    const [, inserted] = await client.run(
      { text: "SELECT set_config('synchronous_commit', 'on', FALSE)", values: [] },
      {
        text: `
INSERT INTO pawl.identities (layout, name, salt, check_value, generation, commit_id, record)
VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT DO NOTHING`,
        values: [LAYOUT, identity.name, lock.salt, keys.checkValue, commitId, record],
      },
    );
    if (inserted?.count !== 1) throw new PawlError('exists', { path: address.shown });
  } finally {
    keys.wipe();
    await client.close();
  }
}

/** Who may not make tables can use those that are there. */
async function makeTables(client: ServerClient): Promise<void> {
  const [answer] = await client.run({ text: "SELECT to_regclass('pawl.rows') IS NOT NULL", values: [] });
  if (answer?.rows[0]?.[0] === true) return;
  await client.execute(`BEGIN; SELECT pg_advisory_xact_lock(${MAKING_TABLES}); ${SCHEMA} COMMIT`);
}

function recordOf({ name, identity, createdAt, historySetting }: NewIdentity) {
  const set = new WorkingSet(name);
  try {
    set.run(
      `INSERT INTO identity (id, name, seed, public_key, created_at, history_since, history_for)
      VALUES (1, @name, @seed, @key, @createdAt, @since, @maxAge)`,
      { name, seed: identity.seed, key: identity.key, createdAt, ...historySettingColumns(historySetting) },
    );
    return {
      schema: MIGRATIONS.length,
      row: mustExist(set.identityRow(), 'identity'),
      sequences: set.sequences(),
      bounds: new Map(),
      children: new Map(),
    };
  } finally {
    set.close();
  }
}
