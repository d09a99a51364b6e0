import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Person } from '../fake-io.ts';

it('takes no password in the address that it moves to, and says where else to put it', async () => {
  const alice = await Person.named('alice');
  const { exit, errors } = await alice.run(['move', '--to', 'postgres://alice:SECRET@localhost/db']);
  expect(exit).toBe(64);
  expect(errors).toMatch(
    /^error: a password in an argument .*\nhint: write it into ~\/\.pgpass, .*; or set PGPASSWORD\n$/,
  );
  expect(errors).not.toContain('SECRET');
  // The identity has not left.
  await alice.pawl(['invite', 'bob']);
});

it.each([
  ['--home', 'postgre://alice:SECRET@localhost/db', 'contacts'],
  ['--home', ' postgres://alice:SECRET@localhost/db', 'init', 'alice'],
  ['move', '--to', 'psql://alice:SECRET@localhost/db'],
])('takes no mistyped address for a folder, and does not repeat its password: %s %s', async (...command) => {
  const alice = await Person.named('alice');
  const { exit, bytes, errors } = await alice.run(command);
  expect([exit, bytes.length]).toEqual([64, 0]);
  expect(errors).toMatch(/^error: the home is an address, and not that of a PostgreSQL database\nhint: postgres:/);
  expect(errors).not.toContain('SECRET');
});

it('leaves a backup, made while it was on its way, that can be restored', async () => {
  const alice = await Person.named('alice');
  const file = alice.openFile();
  file.exec("UPDATE identity SET moving_to = '/elsewhere', move_id = zeroblob(16), moving_from = 'here'");
  file.close();
  expect(await alice.refusal(['invite', 'bob'])).toBe('moving 75');
  const copy = join(alice.folder, 'copy');
  await alice.pawl(['backup', copy]);
  const home = join(alice.folder, 'restored');
  await alice.pawl(['--home', home, 'restore', copy]);
  await alice.pawl(['--home', home, 'invite', 'bob']);
});
