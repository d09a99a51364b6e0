import { truncateSync } from 'node:fs';
import Database from 'better-sqlite3-multiple-ciphers';
import { withDatabase } from '../identity-file.ts';
import type { BadInput } from './bad-input.ts';

const WRONG = { code: 'wrong-passphrase', exit: 77 } as const;
const DAMAGED = { code: 'damaged', exit: 74 } as const;

/** Bob's key, as `furnish` left it, but in another form. */
function key(...[what, code, exit, command, prepare]: Key): BadInput {
  return { what: `a key: ${what}`, code, exit, command, ...(prepare !== undefined && { prepare }) };
}

type Key = [
  what: string,
  code: BadInput['code'],
  exit: number,
  command: string,
  prepare?: NonNullable<BadInput['prepare']>,
];

const INSPECT = 'pawl -i bob inspect $JSON';

export const KEYS: readonly BadInput[] = [
  key('none, and no terminal', 'no-passphrase', 77, `unset PAWL_KEY_FILE; ${INSPECT}`),
  key('none, and --no-input', 'no-passphrase', 77, `unset PAWL_KEY_FILE; ${INSPECT} --no-input`),
  key('none, for a new identity', 'no-passphrase', 77, 'unset PAWL_KEY_FILE; pawl init zoe --no-input $JSON'),
  key('a passphrase instead', 'wrong-passphrase', 77, `echo guess > p; chmod 600 p; ${INSPECT} --passphrase-file p`),
  key('another', 'wrong-passphrase', 77, `head -c 32 /dev/zero > k; chmod 600 k; ${INSPECT} --key-file k`),
  key('from the environment, wrong', 'wrong-passphrase', 77, `unset PAWL_KEY_FILE; PAWL_PASSPHRASE=guess ${INSPECT}`),
  key('bytes that are no UTF-8', 'bad-passphrase', 77, `unset PAWL_KEY_FILE; PAWL_PASSPHRASE=$'\\xe9' ${INSPECT}`),
  key('two lines in the environment', 'several-lines', 77, `unset PAWL_KEY_FILE; PAWL_PASSPHRASE=$'a\\nb' ${INSPECT}`),
  key('65,537 bytes', 'bad-passphrase', 77, `${INSPECT} --passphrase-fd 3 3< <(printf '%065537d' 0)`),
  ...Object.entries({
    'a byte order mark': String.raw`\xef\xbb\xbfwords`,
    'UTF-16': String.raw`\xff\xfew\0o\0\n\0`,
    'UTF-16, big endian': String.raw`\xfe\xff\0w\0o`,
    'a NUL': String.raw`wor\0ds`,
  }).flatMap(([what, bytes]) =>
    ['pawl init zoe --passphrase-fd 3 $JSON 3< words', 'pawl -i bob passwd --new-passphrase-file words $JSON'].map(
      (command) =>
        key(`${what}, in a new one`, 'bad-passphrase', 77, `printf '${bytes}' > words; chmod 600 words; ${command}`),
    ),
  ),
  key('an empty passphrase', 'empty-passphrase', 77, `unset PAWL_KEY_FILE; PAWL_PASSPHRASE= ${INSPECT}`),
  key('an empty passphrase file', 'empty-passphrase', 77, `: > p; chmod 600 p; ${INSPECT} --passphrase-file p`),
  key('only a newline', 'empty-passphrase', 77, `echo > p; chmod 600 p; ${INSPECT} --passphrase-file p`),
  key('two lines', 'several-lines', 77, `printf 'guess\\nnote\\n' > p; chmod 600 p; ${INSPECT} --passphrase-file p`),
  key('a passphrase on no descriptor', 'read-failed', 74, `${INSPECT} --passphrase-fd 77`),
  key('an empty descriptor', 'empty-passphrase', 77, `${INSPECT} --passphrase-fd 3 3< /dev/null`),
  key('a wrong descriptor', 'wrong-passphrase', 77, `${INSPECT} --passphrase-fd 3 3< <(echo guess)`),
  key('no number in the environment', 'usage', 64, `unset PAWL_KEY_FILE; PAWL_PASSPHRASE_FD=x ${INSPECT}`),
  key('a command that fails', 'passphrase-command', 77, `${INSPECT} --passphrase-command 'echo guess; exit 3'`),
  key(
    'a command that is none',
    'passphrase-command',
    77,
    `${INSPECT} --passphrase-command 'exec 2>&-; no-such-command'`,
  ),
  key('a command without an end', 'passphrase-command', 77, `${INSPECT} --passphrase-command 'yes 2>&-'`),
  key('a command that says nothing', 'empty-passphrase', 77, `${INSPECT} --passphrase-command :`),
  key('a wrong command', 'wrong-passphrase', 77, `${INSPECT} --passphrase-command 'echo guess'`),
  key('31 bytes', 'bad-key-file', 77, `head -c 31 .key > k; chmod 600 k; ${INSPECT} --key-file k`),
  key('33 bytes', 'bad-key-file', 77, `(cat .key; echo) > k; chmod 600 k; ${INSPECT} --key-file k`),
  key('an empty file', 'bad-key-file', 77, `${INSPECT} --key-file /dev/null`),
  key('readable by others', 'exposed-key', 77, `cp .key k; chmod 604 k; ${INSPECT} --key-file k`),
  key('readable by the group', 'exposed-key', 77, `cp .key k; chmod 640 k; PAWL_KEY_FILE=k ${INSPECT}`),
  key(
    'a passphrase that others can read',
    'exposed-key',
    77,
    `echo p > p; chmod 644 p; ${INSPECT} --passphrase-file p`,
  ),
  key('not there', 'missing-file', 66, `${INSPECT} --key-file missing.key`),
  key('a passphrase file that is not there', 'missing-file', 66, `${INSPECT} --passphrase-file missing`),
  key('a folder', 'read-failed', 74, `${INSPECT} --key-file .`),
  key('a name too long', 'read-failed', 74, `${INSPECT} --key-file ${'k'.repeat(300)}`),
  key('the one that it has, as the new one', 'same-key', 77, 'pawl -i bob passwd --new-key-file .key $JSON'),
  key(
    'in a folder that others can write to, for a new identity',
    'untrusted-key',
    77,
    'mkdir -m 777 -p open; cp .key open/k; pawl init zoe --key-file open/k $JSON',
  ),
  key('to be kept in a folder that others can get into', 'exposed-agent', 77, 'pawl -i bob unlock $JSON', (home) =>
    home.prepare('mkdir -p .local/state/pawl; mkdir -m 755 .local/state/pawl/agent'),
  ),
  key('to be kept in no folder', 'no-agent', 73, 'XDG_STATE_HOME=$PWD/.key pawl -i bob unlock $JSON'),
  key('kept for longer than is allowed', 'usage', 64, 'pawl -i bob unlock --for 9h $JSON'),
  key('to be forgotten, of nobody', 'identity-missing', 78, 'pawl -i zoe lock $JSON'),
  key('from where the message comes from', 'usage', 64, 'pawl -i bob recv --key-file - $JSON < .key'),
  key('to be made on standard output', 'usage', 64, 'pawl -i bob passwd --new-key-file - $JSON'),
  key('for a new identity, of a wrong length', 'bad-key-file', 77, 'pawl init zoe --key-file message.pawl $JSON'),
];

export const FILES: readonly BadInput[] = [
  { what: 'no identity', code: 'no-identity', exit: 78, command: 'mkdir -p empty; pawl --home empty inspect $JSON' },
  { what: 'no home', code: 'no-identity', exit: 78, command: 'pawl --home missing/folder inspect $JSON' },
  { what: 'a home inside a file', code: 'no-identity', exit: 78, command: 'pawl --home .key/home inspect $JSON' },
  { what: 'no place for a home', code: 'no-home', exit: 78, command: 'HOME= XDG_DATA_HOME= pawl inspect $JSON' },
  { what: 'several identities', code: 'several-identities', exit: 78, command: 'pawl inspect $JSON' },
  { what: 'an identity that is not there', code: 'identity-missing', exit: 78, command: 'pawl -i zoe inspect $JSON' },
  { what: 'an identity that exists', code: 'exists', exit: 73, command: 'pawl init bob $JSON' },
  {
    what: 'an output that is the key',
    code: 'protected',
    exit: 73,
    command: 'pawl -i alice send bob -m hi -o .key --force $JSON',
  },
  {
    what: 'a new home inside a file',
    code: 'cannot-create',
    exit: 73,
    command: 'pawl --home .key/home init zoe $JSON',
  },
  { what: 'a new home that is a file', code: 'cannot-create', exit: 73, command: 'pawl --home .key init zoe $JSON' },
  {
    what: 'a key file in a folder that is not there',
    code: 'cannot-create',
    exit: 73,
    command: 'pawl init zoe --key-file no/such/key $JSON',
  },
  {
    what: 'something in the place of the new file of passwd',
    code: 'not-rekeyed',
    exit: 74,
    command: 'pawl -i bob passwd --new-key-file $(mktemp -u) $JSON',
    prepare: (home) => home.prepare('mkdir .local/share/pawl/bob.db-draft'),
  },
  {
    what: 'a plain SQLite file',
    code: 'not-an-identity',
    exit: 78,
    command: INSPECT,
    prepare: (home) => {
      home.write('.local/share/pawl/bob.db', '');
      new Database(home.identity('bob')).exec('CREATE TABLE notes (text TEXT)').close();
    },
  },
  {
    what: 'an encrypted file of another program',
    code: 'not-an-identity',
    exit: 78,
    command: INSPECT,
    prepare: (home) => withDatabase(home, 'bob', (database) => database.pragma('application_id = 1')),
  },
  {
    what: 'a file of a newer pawl',
    code: 'newer-schema',
    exit: 78,
    command: INSPECT,
    prepare: (home) => withDatabase(home, 'bob', (database) => database.pragma('user_version = 1000')),
  },
  {
    what: 'junk of some pages',
    ...WRONG,
    command: INSPECT,
    prepare: (home) => home.write('.local/share/pawl/bob.db', Buffer.alloc(8192, 'junk')),
  },
  {
    what: 'junk of some bytes',
    ...DAMAGED,
    command: INSPECT,
    prepare: (home) => home.write('.local/share/pawl/bob.db', 'junk'),
  },
  {
    what: 'an empty identity file',
    ...DAMAGED,
    command: INSPECT,
    prepare: (home) => home.write('.local/share/pawl/bob.db', ''),
  },
  {
    what: 'an identity file cut short',
    ...DAMAGED,
    command: INSPECT,
    prepare: (home) => truncateSync(home.identity('bob'), 20_000),
  },
  {
    what: 'an identity file with pages missing',
    ...DAMAGED,
    command: INSPECT,
    prepare: (home) => truncateSync(home.identity('bob'), 5 * 4096),
  },
  {
    what: 'a folder in place of an identity file',
    code: 'read-failed',
    exit: 74,
    command: INSPECT,
    prepare: (home) => home.prepare('cd .local/share/pawl; rm bob.db; mkdir -m 700 bob.db'),
  },
];
