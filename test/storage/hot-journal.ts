import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import { bytesOf } from './fixtures.ts';
import { KEY, SALT, temporaryFolder } from './folder.ts';

/**
 * What a kill leaves in the middle of a commit: a file that is half written and longer than before, and the journal that
 * undoes it.
 * @param first what the transaction does first. @returns the path of the file.
 */
export function interruptedCommit(source: string, first = 'CREATE TABLE other (a)'): string {
  const path = join(temporaryFolder(), 'bob.db');
  const database = openDatabase(source, { key: KEY, salt: SALT }, { wait: 0 });
  // A cache this small writes pages out before the commit.
  database.exec(`PRAGMA cache_size = 2; BEGIN IMMEDIATE; ${first}; CREATE TABLE filler (content BLOB)`);
  const insert = database.prepare('INSERT INTO filler VALUES (?)');
  for (let i = 0; i < 20; i++) insert.run(bytesOf(`filler ${i}`, 3_000));
  copyFileSync(source, path);
  copyFileSync(`${source}-journal`, `${path}-journal`);
  database.exec('ROLLBACK');
  database.close();
  return path;
}
