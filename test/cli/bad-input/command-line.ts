import type { BadInput } from './bad-input.ts';

function usage(what: string, command: string): BadInput {
  return { what: `usage: ${what}`, code: 'usage', exit: 64, command };
}

const NAMES: readonly string[] = [
  '../alice',
  'a/b',
  'a\\b',
  '..',
  '.',
  '.hidden',
  '-dash',
  '--',
  '--json',
  '_underscore',
  '__proto__',
  'Alice',
  'a b',
  '\u00e4rger',
  'a\u202eb',
  'a\nb',
  '\u001b[31mred',
  '',
  'a'.repeat(65),
];

/** Where else a name of an identity or of a new contact is given. */
const PLACES: Readonly<Record<string, string>> = {
  '-i': 'pawl inspect $JSON "--identity=$NAME"',
  invite: 'pawl -i bob invite $JSON -- "$NAME"',
  add: 'pawl -i alice add $JSON -- "$NAME" invite.txt',
  rename: 'pawl -i alice rename $JSON -- bob "$NAME"',
};

function badName(place: string, command: string, name: string): BadInput {
  const environment = { NAME: name };
  return { what: `${place} ${JSON.stringify(name)}`, code: 'bad-name', exit: 64, command, environment };
}

export const COMMAND_LINE: readonly BadInput[] = [
  usage('an unknown command', 'pawl sned bob $JSON'),
  usage('an unknown option', 'pawl -i bob recv --line $JSON'),
  usage('an unknown global option', 'pawl --ident bob recv $JSON'),
  usage('two texts', 'pawl -i alice send bob -m one -m two $JSON'),
  usage('no name', 'pawl -i bob send $JSON'),
  usage('too many names', 'pawl init one two $JSON'),
  usage('an option without its value', 'pawl $JSON recv --max-gap'),
  usage('a gap of 0', 'pawl -i bob recv --max-gap 0 $JSON'),
  usage('a gap that is no number', 'pawl -i bob recv --max-gap 1e3 $JSON'),
  usage('a gap too large', 'pawl -i bob recv --max-gap 1000001 $JSON'),
  usage('a wait that is no number', 'pawl -i bob recv --wait soon $JSON'),
  usage('an expiry without a unit', 'pawl -i bob invite dave --expires 30 $JSON'),
  usage('an expiry of nothing', 'pawl -i bob invite dave --expires 0d $JSON'),
  usage('an expiry in years', 'pawl -i bob invite dave --expires 400d $JSON'),
  usage('a safety number of 59 digits', `pawl -i alice verify bob ${'1'.repeat(59)} $JSON`),
  usage('a safety number with a letter', `pawl -i alice verify bob ${'1'.repeat(59)}l $JSON`),
  usage('a QR code in a file', 'pawl -i bob invite dave --qr -o dave.txt $JSON'),
  usage('to forget unasked', 'pawl -i bob forget alice $JSON'),
  usage('to prune what is gone already', 'pawl -i bob prune --older-than 31d $JSON'),
  usage('a history of nothing', 'pawl -i bob history 0d $JSON'),
  usage('a history that may be', 'pawl -i bob history maybe $JSON'),
  usage('a history of centuries', 'pawl -i bob history 3651d $JSON'),
  usage('a history from the beginning, of no unit', 'pawl init zoe --history 30 $JSON'),
  usage('a log since no day', 'pawl -i bob log --since 2026-02-30 $JSON'),
  usage('a log of two', 'pawl -i bob log alice carol $JSON'),
  usage('-m and a file', 'pawl -i alice send bob message.txt -m hi $JSON'),
  usage('-m and standard input', 'pawl -i alice send bob - -m hi $JSON'),
  usage('-m and --lines', 'pawl -i alice send bob --lines -m hi $JSON'),
  usage('-a and -b', 'pawl -i alice send bob -a -b -m hi $JSON'),
  usage('recv -o and --out-dir', 'pawl -i bob recv message.pawl -o out --out-dir . $JSON'),
  usage('recv --force without -o and --out-dir', 'pawl -i bob recv message.pawl --force $JSON'),
  usage('send --force without -o', 'pawl -i alice send bob -m hi --force $JSON'),
  usage('invite --force without -o', 'pawl -i alice invite dave --force $JSON'),
  usage('invite --withdraw and -o', 'pawl -i bob invite carol --withdraw -o carol.txt $JSON'),
  usage('invite --withdraw and --reusable', 'pawl -i bob invite carol --reusable --withdraw $JSON'),
  usage('inspect --force without --svg', 'pawl -i alice inspect bob --force $JSON'),
  usage('a folder without a name', "pawl -i bob recv message.pawl --out-dir '' $JSON"),
  usage('--lines and -o', 'pawl -i alice send bob --lines -o out.pawl $JSON'),
  usage('a file name that cannot travel', "touch 'back\\slash'; pawl -i alice send bob 'back\\slash' $JSON"),

  ...NAMES.map((name) => badName('init', 'pawl init $JSON -- "$NAME"', name)),
  ...Object.entries(PLACES).flatMap(([place, command]) =>
    ['../alice', '__proto__', ''].map((name) => badName(place, command, name)),
  ),

  { what: 'send to nobody known', code: 'unknown-contact', exit: 67, command: 'pawl -i alice send zoe -m hi $JSON' },
  { what: 'send to __proto__', code: 'unknown-contact', exit: 67, command: 'pawl -i alice send __proto__ -m hi $JSON' },
  { what: 'inspect nobody known', code: 'unknown-contact', exit: 67, command: 'pawl -i alice inspect zoe $JSON' },
  { what: 'verify nobody known', code: 'unknown-contact', exit: 67, command: 'pawl -i alice verify zoe $JSON' },
  { what: 'rename nobody known', code: 'unknown-contact', exit: 67, command: 'pawl -i alice rename zoe zoey $JSON' },
  { what: 'log of nobody known', code: 'unknown-contact', exit: 67, command: 'pawl -i alice log zoe $JSON' },
  { what: 'forget nobody known', code: 'unknown-contact', exit: 67, command: 'pawl -i alice forget zoe --yes $JSON' },
  {
    what: 'a name that another contact has',
    code: 'name-taken',
    exit: 73,
    command: 'pawl -i alice rename bob dave $JSON',
    prepare: (home) => home.prepare('pawl -i alice add dave invite.txt'),
  },
  {
    what: 'a safety number of somebody else',
    code: 'wrong-safety-number',
    exit: 65,
    command: `pawl -i alice verify bob ${'1'.repeat(60)} $JSON`,
  },
  {
    what: 'inspect before there is a conversation',
    code: 'no-session',
    exit: 67,
    command: 'pawl -i alice inspect dave $JSON',
    prepare: (home) => home.prepare('pawl -i alice add dave invite.txt'),
  },
  {
    what: 'a text over 16 MiB',
    code: 'too-large',
    exit: 65,
    command: 'head -c 16777217 /dev/zero | pawl -i alice send bob $JSON',
  },
  {
    what: 'a file over 16 MiB with its name',
    code: 'too-large',
    exit: 65,
    command: 'head -c 16777213 /dev/zero > big; pawl -i alice send bob big $JSON',
  },
  {
    what: 'a file to send that is not there',
    code: 'missing-file',
    exit: 66,
    command: 'pawl -i alice send bob no $JSON',
  },
  {
    what: 'a file to send whose name is no text',
    code: 'missing-file',
    exit: 66,
    command: "touch $'\\xff'; pawl -i alice send bob $'\\xff' $JSON",
  },
  { what: 'a folder to send', code: 'read-failed', exit: 74, command: 'pawl -i alice send bob . $JSON' },
  {
    what: 'an output file in a folder that is not there',
    code: 'cannot-create',
    exit: 73,
    command: 'pawl -i alice send bob -m hi -o no/such/folder $JSON',
  },
  {
    what: 'an output on a full disk',
    code: 'write-failed',
    exit: 74,
    command: 'pawl -i alice send bob -m hi -o /dev/full $JSON',
    changes: 'the message is committed, and waits',
  },
  {
    what: 'a folder for files that is not there',
    code: 'no-folder',
    exit: 73,
    command: 'pawl -i bob recv message.pawl --out-dir no/such/folder $JSON',
  },
  {
    what: 'a folder for files that is none',
    code: 'no-folder',
    exit: 73,
    command: 'pawl -i bob recv message.pawl --out-dir message.pawl $JSON',
  },
  {
    what: 'a folder for files with a name too long',
    code: 'write-failed',
    exit: 74,
    command: `pawl -i bob recv message.pawl --out-dir ${'x'.repeat(300)} $JSON`,
  },
  {
    what: 'an output that is full',
    code: 'write-failed',
    exit: 74,
    command: 'pawl -i alice send bob -m hi $JSON > /dev/full',
    changes: 'the message is committed, and waits',
  },
  {
    what: 'a reader that goes away',
    code: 'closed-pipe',
    exit: 74,
    command: 'set -o pipefail; head -c 300000 /dev/zero | pawl -i alice send bob $JSON | :',
    changes: 'the message is committed, and waits',
  },
];
