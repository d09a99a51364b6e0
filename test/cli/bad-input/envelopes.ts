import { altered, type BadInput, flipAt, replaceAt } from './bad-input.ts';

const EMPTY = { code: 'no-input', exit: 66 } as const;
const CORRUPT = { code: 'corrupt', exit: 65 } as const;

/** Where the fields of an envelope begin (docs/PROTOCOL.md §7, §4). */
const HEAD = { version: 4, kind: 5, length: 6 };
const MESSAGE = { headerNonce: 10, headerLength: 34, sealedHeader: 36, body: 108 };
const OPENING = { ephemeral: 10, ciphertext: 42, hint: 1130, sender: 1162, headerNonce: 1218, body: 1316 };

/** A changed `message.pawl` for bob. */
function message(
  what: string,
  alter: (bytes: Buffer) => Uint8Array,
  refusal: Pick<BadInput, 'code' | 'exit'>,
): BadInput {
  return {
    what: `a message: ${what}`,
    ...refusal,
    command: 'pawl -i bob recv bad.pawl $JSON',
    prepare: (home) => altered(home, 'message.pawl', 'bad.pawl', alter),
  };
}

/** A changed `opening.pawl` for bob. */
function opening(what: string, alter: (bytes: Buffer) => Uint8Array, code: BadInput['code']): BadInput {
  return {
    what: `an opening: ${what}`,
    code,
    exit: 65,
    command: 'pawl -i bob recv bad.pawl $JSON',
    prepare: (home) => altered(home, 'opening.pawl', 'bad.pawl', alter),
  };
}

/** A changed armored message for bob. */
function armored(what: string, alter: (text: string) => string, code: BadInput['code'] = 'corrupt'): BadInput {
  return {
    what: `armor: ${what}`,
    code,
    exit: 65,
    command: 'pawl -i bob recv $JSON < bad.txt',
    prepare: (home) => altered(home, 'message.txt', 'bad.txt', (bytes) => Buffer.from(alter(bytes.toString()))),
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Keys on which every secret gives the same result: the five points of low order, and other ways to write them. */
const WEAK_KEYS: Readonly<Record<string, string>> = {
  zero: '00'.repeat(32),
  one: `01${'00'.repeat(31)}`,
  'minus one': `ec${'ff'.repeat(30)}7f`,
  'of order 8': 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  'of order 8, the other one': '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'zero, not canonical': `ed${'ff'.repeat(30)}7f`,
  'nine, not canonical': `f6${'ff'.repeat(30)}7f`,
  'nine, with bit 255 set': `09${'00'.repeat(30)}80`,
};

export const ENVELOPES: readonly BadInput[] = [
  { what: 'empty input', ...EMPTY, command: 'pawl -i bob recv $JSON < /dev/null' },
  { what: 'an empty file', ...EMPTY, command: ': > empty; pawl -i bob recv empty $JSON' },
  { what: 'blank input', ...EMPTY, command: 'printf "\\n \\r\\n" | pawl -i bob recv $JSON' },
  { what: 'an empty file to inspect', ...EMPTY, command: 'pawl inspect --envelope /dev/null $JSON' },
  { what: 'a file that is not there', code: 'missing-file', exit: 66, command: 'pawl -i bob recv missing.pawl $JSON' },
  { what: 'a folder', code: 'read-failed', exit: 74, command: 'pawl -i bob recv . $JSON' },
  { what: 'a name too long', code: 'read-failed', exit: 74, command: `pawl -i bob recv ${'x'.repeat(300)} $JSON` },

  { what: 'a text', ...CORRUPT, command: 'echo "hello, bob" | pawl -i bob recv $JSON' },
  { what: 'zeros', ...CORRUPT, command: 'head -c 5000 /dev/zero | pawl -i bob recv $JSON' },
  { what: 'noise', ...CORRUPT, command: 'head -c 1000000 "$(command -v node)" | pawl -i bob recv $JSON' },
  { what: 'noise to inspect', ...CORRUPT, command: 'echo "hello, bob" | pawl inspect --envelope - $JSON' },
  { what: 'many beginnings', ...CORRUPT, command: 'yes pawl | head -n 100000 | pawl -i bob recv $JSON' },
  { what: 'a BEGIN line', ...CORRUPT, command: 'echo "-----BEGIN PAWL MESSAGE-----" | pawl -i bob recv $JSON' },

  message('another version', (bytes) => replaceAt(bytes, HEAD.version, Buffer.of(2)), {
    code: 'unknown-version',
    exit: 65,
  }),
  message('an unknown kind', (bytes) => replaceAt(bytes, HEAD.kind, Buffer.of(3)), CORRUPT),
  message('a length of 2^32 - 1', (bytes) => replaceAt(bytes, HEAD.length, uint32(2 ** 32 - 1)), {
    code: 'too-large',
    exit: 65,
  }),
  message('a length over 17 MiB', (bytes) => replaceAt(bytes, HEAD.length, uint32(17 * 2 ** 20 + 1)), {
    code: 'too-large',
    exit: 65,
  }),
  message('a length of 0', (bytes) => replaceAt(bytes, HEAD.length, uint32(0)), CORRUPT),
  message('a length that is longer than what is there', (bytes) => replaceAt(bytes, HEAD.length, uint32(638)), CORRUPT),
  message('a length that its kind cannot have', (bytes) => replaceAt(bytes, HEAD.length, uint32(381)), CORRUPT),
  message('the kind of an opening', (bytes) => replaceAt(bytes, HEAD.kind, Buffer.of(1)), CORRUPT),
  message('its header nonce altered', (bytes) => flipAt(bytes, MESSAGE.headerNonce), { code: 'not-for-you', exit: 65 }),
  message('its header length altered', (bytes) => flipAt(bytes, MESSAGE.headerLength + 1), CORRUPT),
  message('its sealed header altered', (bytes) => flipAt(bytes, MESSAGE.sealedHeader), CORRUPT),
  message('its nonce altered', (bytes) => flipAt(bytes, MESSAGE.body), CORRUPT),
  message('its text altered', (bytes) => flipAt(bytes, MESSAGE.body + 12), CORRUPT),
  message('its last byte altered', (bytes) => flipAt(bytes, bytes.length - 1), CORRUPT),

  opening('its ephemeral key altered', (bytes) => flipAt(bytes, OPENING.ephemeral), 'not-for-you'),
  opening('its KEM ciphertext altered', (bytes) => flipAt(bytes, OPENING.ciphertext), 'corrupt'),
  opening('the end of its KEM ciphertext altered', (bytes) => flipAt(bytes, OPENING.hint - 1), 'corrupt'),
  opening('its hint altered', (bytes) => flipAt(bytes, OPENING.hint), 'not-for-you'),
  opening('its sender altered', (bytes) => flipAt(bytes, OPENING.sender), 'corrupt'),
  opening('its header nonce altered', (bytes) => flipAt(bytes, OPENING.headerNonce), 'corrupt'),
  opening('its body altered', (bytes) => flipAt(bytes, OPENING.body), 'corrupt'),
  ...Object.entries(WEAK_KEYS).map(([what, key]) =>
    opening(
      `an ephemeral key that is ${what}`,
      (bytes) => replaceAt(bytes, OPENING.ephemeral, Buffer.from(key, 'hex')),
      'weak-key',
    ),
  ),

  armored('a bad character', (text) => text.replace(/^(.{100})./s, '$1!')),
  armored('a character too many', (text) => text.replace(/^(.{100})/s, '$1A')),
  armored('a character replaced', (text) => text.replace(/^(.{100})./s, '$1?')),
  armored('a line left out', (text) => text.replace(/\n.*/, '')),
  armored('two lines swapped', (text) => text.replace(/\n(.*)\n(.*)\n/, '\n$2\n$1\n')),
  armored('a line twice', (text) => text.replace(/(\n.{64})\n/, '$1$1\n')),
  armored('an empty block', (text) => text.replace(/(\n.{1,64})+\n-/, '\n-')),
  armored('no end', (text) => text.replace(/.*\n-----END.*\n/, '')),
  armored('no BEGIN line', (text) => text.replace(/.*\n/, '')),
  armored('the END line of an invite', (text) => text.replace('END PAWL MESSAGE', 'END PAWL INVITE')),
  armored('the label of an invite', (text) => text.replaceAll('PAWL MESSAGE', 'PAWL INVITE')),
  armored('another version', (text) => text.replace('cGF3bAEC', 'cGF3bAIC'), 'unknown-version'),

  {
    what: 'a message for somebody else',
    code: 'not-for-you',
    exit: 65,
    command: 'pawl -i dave recv message.pawl $JSON',
  },
  {
    what: 'an opening for somebody else',
    code: 'not-for-you',
    exit: 65,
    command: 'pawl -i dave recv opening.pawl $JSON',
  },
  { what: "one's own message", code: 'not-for-you', exit: 65, command: 'pawl -i alice recv message.pawl $JSON' },
  { what: "one's own opening", code: 'not-for-you', exit: 65, command: 'pawl -i carol recv opening.pawl $JSON' },
  { what: 'an invite, to recv', code: 'wrong-kind', exit: 65, command: 'pawl -i bob recv invite.txt $JSON' },
  { what: 'a message, to add', code: 'wrong-kind', exit: 65, command: 'pawl -i bob add alice message.pawl $JSON' },
  { what: 'an opening, to add', code: 'wrong-kind', exit: 65, command: 'pawl -i bob add carol < opening.pawl $JSON' },
];
