import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Connection } from '../../src/storage/connection.ts';
import { openIdentityFile } from '../../src/storage/index.ts';
import { LOCK, newFile } from './folder.ts';

/** What SQLite answers to each setting. `journal_mode` is the identity file's, the others are every connection's. */
const SETTINGS = {
  foreign_keys: 1,
  secure_delete: 1,
  temp_store: 2, // MEMORY
  cache_size: -2048, // KiB
  synchronous: 3, // EXTRA
  fullfsync: 1,
  trusted_schema: 0,
  cell_size_check: 1,
  busy_timeout: 1234,
} as const;

function read(connection: Connection, setting: string): unknown {
  return Object.values(connection.get<Record<string, unknown>>(`PRAGMA ${setting}`) ?? {})[0];
}

function connectTo(path: string): Connection {
  const connection = new Connection(path, LOCK, SETTINGS.busy_timeout);
  onTestFinished(() => connection.close());
  return connection;
}

/** The connection that a store works on. */
function connectionOf(path: string, whileBusy?: (wait: () => void) => void): Connection {
  const get = vi.spyOn(Connection.prototype, 'get');
  onTestFinished(() => get.mockRestore());
  const store = openIdentityFile(path, LOCK, { wait: SETTINGS.busy_timeout, ...(whileBusy && { whileBusy }) });
  onTestFinished(() => store.close());
  return get.mock.contexts[0] as Connection;
}

describe('a connection', () => {
  it.each(Object.entries(SETTINGS))('has the setting %s = %i', (setting, value) => {
    expect(read(connectTo(newFile()), setting)).toBe(value);
  });

  it.each(Object.entries({ ...SETTINGS, journal_mode: 'delete' }))(
    'of an identity file has the setting %s = %s',
    (setting, value) => {
      expect(read(connectionOf(newFile()), setting)).toBe(value);
    },
  );

  it('of an identity file ends the WAL mode that another program has set', () => {
    const path = newFile();
    const other = new Connection(path, LOCK, 0);
    other.execute('PRAGMA journal_mode = WAL');
    expect(read(other, 'journal_mode')).toBe('wal');
    other.close();
    expect(read(connectionOf(path), 'journal_mode')).toBe('delete');
  });

  it('waits as long as before, after a wait that was told', async () => {
    const path = newFile();
    const holder = connectTo(path);
    const told: string[] = [];
    const connection = connectionOf(path, (wait) => {
      told.push('busy');
      holder.rollback();
      wait();
    });
    holder.begin('IMMEDIATE');
    connection.begin('IMMEDIATE');
    expect(told).toEqual(['busy']);
    expect(read(connection, 'busy_timeout')).toBe(SETTINGS.busy_timeout);
    connection.rollback();
  });
});
