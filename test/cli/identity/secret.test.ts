import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveFileKey, readSalt } from '../../../src/storage/index.ts';
import { withDatabase } from '../identity-file.ts';
import { found, needlesOf } from '../needles.ts';
import { type Home, inHome } from '../shell.ts';

// Law 7: no key or passphrase appears in any output, error or file but the identity file; the text of a message only as
// the result that was asked for. Secrets are planted, or read from the files past the program, and looked for everywhere.

const PASSPHRASE = randomBytes(24).toString('base64url');
const TEXT = randomBytes(48).toString('base64url');

/** Alice has a passphrase, bob a key file. */
const PEOPLE = `
  alice() { env -u PAWL_KEY_FILE PAWL_PASSPHRASE_FILE=planted/passphrase pawl -i alice "$@"; }
  bob() { PAWL_KEY_FILE=planted/key pawl -i bob "$@"; }
`;

/** What is done, in this order: before a text is delivered, */
const BEFORE = [
  'alice init alice --json; bob init bob',
  'bob invite alice > invite.txt; bob --json invite carol; bob invite dave -o dave.txt',
  'alice add bob invite.txt',
  'alice send bob -m "$TEXT" -o first.pawl --json; alice inspect; alice inspect bob',
  'alice send bob < planted/text > second.pawl; alice send bob planted/text -a > third.txt; alice send bob planted/text',
  'bob inspect; bob inspect --json; pawl inspect --envelope first.pawl; pawl inspect --envelope invite.txt --json',
  // Errors, before and after a key is asked for.
  'alice send bob -m "$TEXT" --armour; alice send bob -m "$TEXT" file; alice send zoe -m "$TEXT"',
  'alice send bob -m "$TEXT" -o no/such/folder --json; alice send bob -m "$TEXT" > /dev/full',
  'bob add eve first.pawl; alice add bob dave.txt; alice recv first.pawl; (cat third.txt; echo) | head -c 900 | bob recv',
  'env -u PAWL_KEY_FILE PAWL_PASSPHRASE="$PASSPHRASE" pawl -i bob inspect; alice inspect --key-file planted/key --json',
  'cp planted/key open.key; chmod 644 open.key; bob inspect --key-file open.key; rm open.key',
  '(cat planted/key; echo) > long.key; chmod 600 long.key; bob inspect --key-file long.key --json; rm long.key',
  'cp planted/passphrase open; chmod 644 open; alice inspect --passphrase-file open --json; rm open',
  'head -c 32 planted/passphrase > short; chmod 600 short; alice inspect --key-file short; rm short',
  'bob inspect | head -n 1; pawl --help; pawl send --help; pawl --version',
  'alice unlock; alice unlock --json; env -u PAWL_KEY_FILE pawl -i alice inspect; alice lock; pawl lock --json',
  'bob recv --from carol first.pawl; bob recv --json --from carol first.pawl',
  // The third message comes first, and its disk is full.
  'bob recv third.txt > /dev/full; bob inspect; bob inspect alice; bob inspect alice --json',
  'bob recv -o received second.pawl',
];

/** as it is delivered, on standard output, because that was asked for, */
const DELIVERIES = [
  'bob recv < /dev/null',
  'bob recv --json first.pawl',
  'bob send alice < planted/text | alice recv',
  'alice history 30d; alice send bob -m "$TEXT" | bob recv > received; alice log; alice log bob --json',
  'for n in 1 2 3; do alice send bob -m "$TEXT" > $n.pawl; done; bob recv 3.pawl 1.pawl',
];

/** and afterwards. */
const AFTER = [
  'bob recv 1.pawl third.txt; bob recv 1.pawl third.txt --json; bob inspect; alice inspect bob --all --json',
  'alice history; alice history --json; alice inspect; alice history off; alice history off --yes --json; alice log',
];

/** The columns that may be seen; every other blob in an identity file is a secret. */
const PUBLIC = new Set([
  'id',
  'public_key',
  'bytes',
  'prekey_public_key',
  'spent_by',
  'identity',
  'invite',
  'invite_id',
  'prefix',
  'prefix_digest',
  'transcript',
  'sending_public_key',
  'sending_remote',
  'remote',
  'digest',
  'message_id',
  'envelope',
  // The text, which is looked for by itself.
  'content',
]);

/** The secrets that an identity file holds now. */
function secretsIn(home: Home, name: string, key: Uint8Array): Buffer[] {
  return withDatabase(
    home,
    name,
    (database) => {
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
      const rows = tables.flatMap((table) => database.prepare(`SELECT * FROM ${table}`).all() as object[]);
      return rows.flatMap((row) =>
        Object.entries(row).flatMap(([column, value]) =>
          Buffer.isBuffer(value) && !PUBLIC.has(column) ? [Buffer.from(value)] : [],
        ),
      );
    },
    key,
  );
}

describe('planted secrets', () => {
  it('are found wherever a leak would put them', () => {
    const secret = randomBytes(32);
    const needles = needlesOf(secret);
    const line = (text: string) => `${text.slice(0, 30)}\n${text.slice(30)}`;
    for (const offset of [0, 1, 2, 3]) {
      const around = Buffer.concat([randomBytes(offset), secret, randomBytes(5)]);
      for (const encoding of ['latin1', 'hex', 'base64', 'base64url'] as const) {
        const text = around.toString(encoding);
        expect(found(needles, Buffer.from(text, 'latin1')), encoding).not.toEqual([]);
        expect(found(needles, Buffer.from(line(text), 'latin1')), encoding).not.toEqual([]);
      }
    }
    expect(found(needles, Buffer.from(secret.subarray(8, 16).toString('hex').toUpperCase()))).toHaveLength(1);
    expect(found(needles, randomBytes(10_000))).toEqual([]);
  });

  it('appear in no output and in no file', () =>
    inHome(async (home) => {
      const bobsKey = randomBytes(32);
      await home.prepare('mkdir planted');
      home.write('planted/key', bobsKey);
      home.write('planted/passphrase', `${PASSPHRASE}\n`);
      home.write('planted/text', TEXT);

      const secrets = new Map<string, Buffer>();
      const plant = (secret: Buffer) => secrets.set(secret.toString('hex'), secret);
      plant(bobsKey);
      plant(Buffer.from(PASSPHRASE));
      const outputs: { readonly about: string; readonly bytes: Buffer; readonly delivers: boolean }[] = [];
      let alicesKey: Uint8Array | undefined;
      for (const command of [...BEFORE, ...DELIVERIES, ...AFTER]) {
        const { stdout, stderr } = await home.run(`${PEOPLE}\n${command}`, { environment: { TEXT, PASSPHRASE } });
        outputs.push({ about: `standard output of ${command}`, bytes: stdout, delivers: DELIVERIES.includes(command) });
        outputs.push({ about: `standard error of ${command}`, bytes: Buffer.from(stderr), delivers: false });
        alicesKey ??= await deriveFileKey(Buffer.from(PASSPHRASE), readSalt(home.identity('alice')));
        for (const secret of secretsIn(home, 'alice', alicesKey)) plant(secret);
        for (const secret of secretsIn(home, 'bob', bobsKey)) plant(secret);
      }
      plant(Buffer.from(alicesKey ?? []));
      // Seeds, invites' secrets, and the keys of some steps of two ratchets.
      expect(secrets.size).toBeGreaterThan(35);

      const text = needlesOf(Buffer.from(TEXT));
      const others = [...secrets.values()].flatMap(needlesOf);
      for (const { about, bytes, delivers } of outputs) {
        expect(found(delivers ? others : [...others, ...text], bytes), about).toEqual([]);
        if (delivers) expect(found(text, bytes), about).not.toEqual([]);
      }
      // The identity files as well: nothing in them is in clear.
      const files = home.files().filter((file) => !/\/(?:planted\/.*|\.key|received)$/.test(file));
      expect(files.length).toBeGreaterThan(8);
      for (const file of files) {
        const bytes = home.read(file.slice(home.folder.length));
        expect(found([...others, ...text], bytes), file).toEqual([]);
      }
    }));
});
