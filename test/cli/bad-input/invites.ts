import { armor, encodeContent, encodeEnvelope } from '../../../src/envelope/index.ts';
import { createIdentity, createInvite, INVITE_LENGTH, openSession, readInvite } from '../../../src/handshake/index.ts';
import { concat, type IdentitySeed, identityKeyOf, sign, systemRandom, utf8 } from '../../../src/primitives/index.ts';
import { encrypt, initiatorState } from '../../../src/ratchet/index.ts';
import { withDatabase } from '../identity-file.ts';
import type { Home } from '../shell.ts';
import { type BadInput, flipAt, replaceAt } from './bad-input.ts';

/** Where the fields of an invite begin (docs/PROTOCOL.md §3). */
const FIELDS = { flags: 0, identity: 1, prekey: 33, kemKey: 65, expires: 1249, signature: 1257 };

/** Every 64th byte, and so some of each long field. */
const POSITIONS = Array.from({ length: Math.floor(INVITE_LENGTH / 64) }, (_, index) => 64 * index + 40);

/** The bytes of an armored invite. */
function inviteIn(home: Home, file: string): Buffer {
  const [base64 = ''] = /(?<=-----\n)[^-]+/.exec(home.read(file).toString()) ?? [];
  return Buffer.from(base64, 'base64').subarray(10);
}

function armored(bytes: Uint8Array): string {
  return armor(encodeEnvelope({ kind: 'invite', invite: bytes }));
}

/** Dave's invite for alice, altered on its way. */
function invite(what: string, alter: (bytes: Buffer) => Buffer, code: BadInput['code'] = 'bad-signature'): BadInput {
  return {
    what: `an invite: ${what}`,
    code,
    exit: 65,
    command: 'pawl -i alice add dave bad.txt $JSON',
    prepare: (home) => home.write('bad.txt', armored(alter(inviteIn(home, 'invite.txt')))),
  };
}

/** An invite that a stranger has made wrong, and signed well. */
function signedInvite(what: string, alter: (bytes: Buffer) => Buffer, code: BadInput['code']): BadInput {
  return {
    ...invite(`${what}, well signed`, alter, code),
    prepare: (home) => {
      const self = createIdentity(systemRandom);
      const made = createInvite(self, { reusable: false, expiresAt: 4e12 }, systemRandom);
      const fields = alter(Buffer.from(made.invite.bytes)).subarray(0, FIELDS.signature);
      home.write('bad.txt', armored(concat(fields, sign(self.seed, concat(utf8('pawl/1 invite'), fields)))));
    },
  };
}

/** An opening of bob's invite for carol by whoever holds the seed. */
function forgedOpening(what: string, forger: string, opened: number, code: BadInput['code']): BadInput {
  return {
    what: `an opening: ${what}`,
    code,
    exit: 65,
    command: 'pawl -i bob recv bad.pawl $JSON',
    prepare: (home) =>
      home.write('bad.pawl', openingBy(seedOf(home, forger), inviteIn(home, 'carols-invite.txt'), opened)),
  };
}

/** An opening by whoever holds the seed, whatever pawl itself would say to that. */
function openingBy(seed: Uint8Array, inviteBytes: Uint8Array, opened: number): Uint8Array {
  const self = { seed: seed as IdentitySeed, key: identityKeyOf(seed as IdentitySeed) };
  const answered = readInvite(inviteBytes);
  const { prefix, agreement } = openSession(self, answered, opened, systemRandom);
  const state = initiatorState(agreement, answered.prekey, { random: systemRandom, now: opened });
  const content = encodeContent({ type: 'text', sentAt: opened, bytes: Buffer.from('hi') });
  const { message } = encrypt(state, content, {
    associatedData: agreement.transcript,
    random: systemRandom,
    now: opened,
  });
  return encodeEnvelope({ kind: 'opening', prefix, message });
}

function seedOf(home: Home, name: string): Uint8Array {
  return withDatabase(home, name, (database) => database.prepare('SELECT seed FROM identity').pluck().get() as Buffer);
}

export const INVITES: readonly BadInput[] = [
  { what: 'no invite', code: 'no-input', exit: 66, command: 'pawl -i alice add dave $JSON < /dev/null' },
  {
    what: 'two invites',
    code: 'usage',
    exit: 64,
    command: 'cat invite.txt carols-invite.txt | pawl -i alice add dave $JSON',
  },

  ...POSITIONS.map((offset) => invite(`byte ${offset} altered`, (bytes) => flipAt(bytes, offset))),
  invite('made reusable', (bytes) => flipAt(bytes, FIELDS.flags)),
  invite('an unknown flag', (bytes) => replaceAt(bytes, FIELDS.flags, Buffer.of(2)), 'corrupt'),
  invite('another identity', (bytes) =>
    replaceAt(bytes, FIELDS.identity, identityKeyOf(systemRandom(32) as IdentitySeed)),
  ),
  invite(
    'the identity point',
    (bytes) => replaceAt(bytes, FIELDS.identity, Buffer.from(`01${'00'.repeat(31)}`, 'hex')),
    'weak-key',
  ),
  invite('an identity of small order', (bytes) => replaceAt(bytes, FIELDS.identity, Buffer.alloc(32)), 'weak-key'),
  invite(
    'an identity that is no point',
    (bytes) => replaceAt(bytes, FIELDS.identity, Buffer.alloc(32, 0x02)),
    'weak-key',
  ),
  invite('a prekey of low order', (bytes) => replaceAt(bytes, FIELDS.prekey, Buffer.alloc(32))),
  invite('a KEM key of zeros', (bytes) => replaceAt(bytes, FIELDS.kemKey, Buffer.alloc(1184))),
  invite('good for longer', (bytes) => replaceAt(bytes, FIELDS.expires + 4, Buffer.alloc(4, 0xff))),
  invite('good beyond the end of time', (bytes) => replaceAt(bytes, FIELDS.expires, Buffer.alloc(8, 0xff)), 'corrupt'),
  invite('the first byte of its signature', (bytes) => flipAt(bytes, FIELDS.signature)),
  invite('no signature', (bytes) => replaceAt(bytes, FIELDS.signature, Buffer.alloc(64))),

  signedInvite('a prekey of low order', (bytes) => replaceAt(bytes, FIELDS.prekey, Buffer.alloc(32)), 'weak-key'),
  signedInvite(
    'a prekey that is not canonical',
    (bytes) => replaceAt(bytes, FIELDS.prekey, Buffer.alloc(32, 0xff)),
    'weak-key',
  ),
  signedInvite(
    'a KEM key over its modulus',
    (bytes) => replaceAt(bytes, FIELDS.kemKey, Buffer.alloc(1152, 0xff)),
    'weak-key',
  ),
  signedInvite('expired in 1970', (bytes) => replaceAt(bytes, FIELDS.expires, Buffer.alloc(7)), 'invite-expired'),

  { what: "one's own invite", code: 'self', exit: 65, command: 'pawl -i dave add alice invite.txt $JSON' },
  {
    what: 'an invite of somebody else under the name of a contact',
    code: 'identity-changed',
    exit: 65,
    command: 'pawl -i alice add bob invite.txt $JSON',
  },
  {
    what: 'an invite that somebody else has used',
    code: 'invite-spent',
    exit: 65,
    command: 'pawl -i bob recv second.pawl $JSON',
    prepare: (home) =>
      home.prepare(`pawl -i dave add bob carols-invite.txt; pawl -i dave send bob -m hi -o second.pawl
        pawl -i bob recv opening.pawl`),
  },
  {
    what: 'an invite for a contact, used by somebody else',
    code: 'identity-changed',
    exit: 65,
    command: 'pawl -i bob recv other.pawl $JSON',
    prepare: (home) =>
      home.prepare('pawl -i bob invite alice | pawl -i dave add bob; pawl -i dave send bob -m hi -o other.pawl'),
  },
  {
    what: 'an invite that is not known any more',
    code: 'unknown-invite',
    exit: 65,
    command: 'pawl -i bob recv opening.pawl $JSON',
    prepare: (home) =>
      withDatabase(home, 'bob', (database) => database.exec("DELETE FROM invites WHERE fate = 'open'")),
  },
  {
    what: 'an invite that expired long ago',
    code: 'invite-expired',
    exit: 65,
    command: 'pawl -i bob recv opening.pawl $JSON',
    prepare: (home) => {
      withDatabase(home, 'bob', (database) =>
        database.exec(`UPDATE invites SET expires = unixepoch() - ${8 * 86_400}`),
      );
      // The first command that writes sweeps the secrets away, and only that one.
      return home.prepare('pawl -i bob send alice -m "what is new?"');
    },
  },
  {
    what: 'an opening of an invite that was withdrawn',
    code: 'invite-withdrawn',
    exit: 65,
    command: 'pawl -i bob recv late.pawl $JSON',
    prepare: (home) =>
      home.prepare(`pawl -i bob invite dave -o for-dave.txt; pawl -i dave add bob for-dave.txt
        pawl -i dave send bob -m hi -o late.pawl; pawl -i bob invite dave --withdraw`),
  },
  {
    what: 'no open invite to withdraw',
    code: 'no-open-invite',
    exit: 67,
    command: 'pawl -i bob invite nobody --withdraw $JSON',
  },
  {
    what: 'an ID of no open invite',
    code: 'no-open-invite',
    exit: 67,
    command: 'pawl -i bob invite carol --withdraw 0011223344556677 $JSON',
  },
  {
    what: 'a reusable invite that has let in as many as it may',
    code: 'invite-used-up',
    exit: 65,
    command: 'pawl -i bob recv late.pawl $JSON',
    prepare: async (home) => {
      await home.prepare(`pawl -i bob invite all --reusable -o all.txt
        pawl -i dave add bob all.txt; pawl -i dave send bob -m hi -o late.pawl`);
      withDatabase(home, 'bob', (database) => database.exec('UPDATE invites SET last_user = 1000 WHERE last_user = 0'));
    },
  },
  forgedOpening('answering an invite of its own maker', 'bob', Date.now(), 'self'),
  forgedOpening('opened the day after tomorrow', 'dave', Date.now() + 48 * 3_600_000, 'clock-ahead'),
  {
    what: 'the 65th open invite',
    code: 'too-many-invites',
    exit: 73,
    command: 'pawl -i dave invite one-more $JSON',
    prepare: (home) =>
      withDatabase(home, 'dave', (database) =>
        database.exec(`WITH RECURSIVE others (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM others WHERE i < 63)
          INSERT INTO invites SELECT number + i, randomblob(16), contact_name, created_at, expires, fate, bytes,
            prekey_public_key, prekey_secret_key, kem_seed, spent_by, spent_at, last_user, numbers_after, withdrawn_at FROM invites, others`),
      ),
  },
];
