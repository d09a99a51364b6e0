/**
 * The message, hint and exit code of every error code, and the words for facts that other texts share with them.
 * Knows nothing of where they are written.
 */
import { dirname, join } from 'node:path';
import type {
  BlockDamage,
  ErrorCode,
  ErrorDetails,
  ForkReason,
  LargeQueued,
  Leaving,
  PassphraseFlaw,
  PassphraseOddity,
  PawlError,
  Release,
} from '../../errors.ts';
import { isName, LARGEST_GAP } from '../../session/index.ts';
import { bytesInWords, count, day, instant, isDatabase, shellWord } from './format.ts';
import { similarTo } from './similar.ts';

export interface Explanation {
  /** One sentence in lower case, without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The exit code (README, "Exit codes"). */
  readonly exit: number;
}

export function explain<Code extends ErrorCode>(error: PawlError<Code>): Explanation {
  return EXPLANATIONS[error.code](error.detail);
}

// Exit codes

const USAGE = 64;
const REFUSED = 65;
const NO_INPUT = 66;
const UNKNOWN = 67;
const UNREACHABLE = 69;
const CANNOT_CREATE = 73;
const IO = 74;
const BUSY = 75;
const ROLLED_BACK = 76;
const NO_KEY = 77;
const NO_IDENTITY = 78;

// Shared words

const KEY_SOURCES =
  'give a key: --key-file FILE, --passphrase-file FILE, --passphrase-fd N, --passphrase-command LINE; or PAWL_KEY_FILE and the like in the environment (pawl --help)';

const NOTHING_LOST =
  'nothing is lost: pawl inspect shows what waits; pawl outbox resend, or pawl recv --waiting, writes it';

const goOn = ({ name, path, to }: Leaving): string =>
  `go on: pawl -i ${name} --home ${shellWord(isDatabase(path) ? path : dirname(path))} move --to ${shellWord(to)}; if it is not there and cannot be: --after-restore`;

/** The words for each kind of contradiction. */
export const FORKS: Readonly<Record<ForkReason, string>> = {
  'two-texts-at-one-position': 'two different messages at one position',
  'two-keys-in-one-chain': 'two keys for one chain',
  'past-the-end-of-a-chain': 'a message past the end of its chain',
  'chain-shorter-than-received': 'a chain shorter than what was received of it',
  'answer-to-an-unknown-chain': 'an answer to something that this copy of the identity never sent',
  'answer-without-an-offer': 'an answer to a post-quantum key that this copy of the identity never offered',
  'body-does-not-authenticate': 'a message made under another state',
};

/** The words for what programs on the way do to an envelope. */
const DAMAGES: Readonly<Record<BlockDamage, string>> = {
  'cut-off': 'it is cut off: its END line has not come',
  'no-begin': 'an END line is there, and its BEGIN line is not',
  missing: 'lines or characters of it are missing',
  added: 'there are lines or characters in it that are not of it',
  altered: 'it was changed: characters of it are others, or some are missing or added',
  replaced: 'characters of it were replaced by ?',
  'taken-for-text': 'a program took its bytes for text, such as UTF-16, and rewrote them',
};

/** What is wrong with a passphrase, and what helps. */
const FLAWS: Readonly<Record<PassphraseFlaw | PassphraseOddity, readonly [problem: string, remedy: string]>> = {
  replaced: [
    'has bytes that are no UTF-8, or U+FFFD, which Node puts in the place of such bytes',
    'give it as bytes: --passphrase-file FILE',
  ],
  bom: ['begins with a byte order mark', 'save it as UTF-8 without one'],
  'utf-16': ['is saved as UTF-16', 'save it as UTF-8'],
  nul: ['has a NUL in it, as UTF-16 has', 'save it as UTF-8'],
  blank: ['begins or ends with a blank', 'leave that out, unless it is part of it'],
  'not-utf8': ['has bytes that are no UTF-8, as in Latin-1', 'save it as UTF-8'],
  long: ['has more than 65536 bytes', 'a passphrase is one line; a key file has 32 bytes: --key-file FILE'],
};

/** What is wrong with the folder of an agent. */
const AGENT_FLAWS: Readonly<Record<ErrorDetails['exposed-agent']['flaw'], string>> = {
  'no-folder': 'it is a link, or no folder',
  'other-owner': 'it belongs to somebody else',
  open: 'others can get into it',
};

/** What must arrive before anything is sent from a file that was restored, or is behind what was sent from it. */
export const HOLDS: Readonly<Record<Release, string>> = {
  answered: 'an answer of theirs, or a new invite',
  invited: 'a new invite',
};

function didYouMean(name: string, known: readonly string[]): string {
  const similar = similarTo(name, known);
  return similar.length === 0 ? '' : `did you mean ${similar.join(' or ')}? `;
}

/** SQLite is compiled when it is installed, under Node 20 only. `npm rebuild -g pawl` would not reach it. */
function wayToInstall(part: string, node: string): string {
  const again = 'npm uninstall -g pawl, then install it again, with this Node';
  if (part === 'the NATS client')
    return 'install pawl again, as before, with its optional packages (npm install --include=optional)';
  return part === 'SQLite' && Number.parseInt(node, 10) < 22
    ? `npm rebuild -g better-sqlite3-multiple-ciphers (npm 12: with --allow-scripts=better-sqlite3-multiple-ciphers); if it is still so: ${again}`
    : again;
}

// One explanation for each error code, by subject

type Explain<Code extends ErrorCode> = (detail: ErrorDetails[Code]) => Explanation;

const EXPLANATIONS: { readonly [Code in ErrorCode]: Explain<Code> } = {
  // the command line
  usage: ({ problem, hint = 'pawl --help lists the commands and options' }) => ({
    message: problem,
    hint,
    exit: USAGE,
  }),
  'not-utf8': ({ what }) => ({
    message: `${what} has bytes that are no UTF-8, or U+FFFD, which Node puts in the place of such bytes`,
    hint: 'give a text by a pipe: pawl send NAME < FILE; give a file or folder another name',
    exit: USAGE,
  }),
  'bad-name': ({ name }) => ({
    message: `${JSON.stringify(name)} cannot be a name`,
    hint: `${isName(name.toLowerCase()) ? `${name.toLowerCase()} can; ` : ''}a name is 1 to 64 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit`,
    exit: USAGE,
  }),
  'cannot-run': ({ command, exit }) => ({
    message: `the command ${JSON.stringify(command)} cannot be run: exit ${exit}`,
    hint: 'run it by itself in /bin/sh; what it was to get waits: pawl recv --waiting',
    exit: USAGE,
  }),
  'editor-failed': ({ command, reason }) => ({
    message: `nothing is sent: the editor ${JSON.stringify(command)} failed: ${reason}`,
    hint: 'name one that works here in VISUAL or EDITOR; or give the text: pawl send NAME -m TEXT',
    exit: NO_INPUT,
  }),
  'no-input': ({ source, toSend }) =>
    toSend
      ? {
          message: `there is nothing to send: ${source} is empty`,
          hint: "give it a text: pawl send NAME -m TEXT; -m '' sends an empty one",
          exit: NO_INPUT,
        }
      : {
          message: `there is nothing to read in ${source}`,
          hint: 'give a file, or send the bytes through a pipe: pawl recv < message.pawl',
          exit: NO_INPUT,
        },
  'cut-line': ({ limit }) => ({
    message: `a line is longer than the ${limit} bytes that a terminal passes on, so its end may be missing`,
    hint: 'give it by a pipe or in a file, and not by the terminal; nothing was done with it',
    exit: IO,
  }),
  'missing-file': ({ path, to }) => ({
    message: `there is no file ${path}`,
    hint: `check the name${to === undefined ? '' : `; or send a text: pawl send ${to} -m TEXT`}`,
    exit: NO_INPUT,
  }),
  interrupted: () => ({ message: 'interrupted', exit: 130 }),

  // envelopes
  corrupt: ({ what, damage, isInvite = what === 'invite' }) => ({
    message: `this is damaged, or was altered on its way: ${what}${damage === undefined ? '' : `; ${DAMAGES[damage]}`}`,
    hint: wayToGetItWhole({ damage, isInvite, isNone: what.startsWith('input') }),
    exit: REFUSED,
  }),
  'unknown-version': ({ version }) => ({
    message: `this was made by another version of pawl (format ${version})`,
    hint: 'bring pawl up to date: npm install -g pawl',
    exit: REFUSED,
  }),
  'wrong-kind': ({ expected, found }) =>
    found === 'part'
      ? { message: `this is a part of a large content, not a ${expected}`, hint: 'give it to pawl recv', exit: REFUSED }
      : found === 'invite'
        ? { message: `this is an invite, not a ${expected}`, hint: 'keep it: pawl add NAME FILE', exit: REFUSED }
        : { message: `this is a message, not an ${expected}`, hint: 'read it: pawl recv FILE', exit: REFUSED },
  'too-large': ({ what, bytes, limit, isLeast }) =>
    what === 'envelope'
      ? {
          message: `this is damaged, or was altered on its way: an envelope that says it has ${bytes} bytes, where ${limit} are the most`,
          hint: wayToGetItWhole({ damage: 'taken-for-text', isInvite: false, isNone: false }),
          exit: REFUSED,
        }
      : {
          message: `${what} is too large: ${isLeast ? 'at least ' : ''}${bytes} bytes, of at most ${limit}`,
          hint: what === 'line' ? 'send it as a file: pawl send NAME FILE' : 'give less at a time',
          exit: REFUSED,
        },
  'weak-key': ({ what }) => ({
    message: `this holds a key that is refused because it protects nothing: ${what}`,
    hint: 'no honest pawl makes one: ask the sender, on another channel, what they sent',
    exit: REFUSED,
  }),

  // contents in parts
  'unknown-part': () => ({
    message: 'this is a part of a large content that is not awaited here',
    hint: 'what describes it comes first in the same output of pawl send: give that first; or the content was received before, or given up',
    exit: REFUSED,
  }),
  'parts-contradict': ({ index }) => ({
    message: `part ${index + 1} does not go with the other parts: the file was changed while it was sent, or between two attempts`,
    hint: 'nothing gets its name; ask for it to be sent anew (pawl send NAME FILE)',
    exit: REFUSED,
  }),
  'part-too-far': ({ index, missing }) => ({
    message: `part ${index + 1} is too far behind part ${missing + 1}, which is missing`,
    hint: 'give the parts that are missing first, then this one again',
    exit: REFUSED,
  }),
  'too-many-incoming': ({ name, limit }) => ({
    message: `${limit} large contents of ${name} are not complete, so that no other is begun`,
    hint: `give the parts of those first (pawl inspect), or verify ${name} for more; what was refused can be given again`,
    exit: BUSY,
  }),
  'over-max-size': ({ bytes, limit }) => ({
    message: `this is larger than what is taken: ${bytes} bytes, of at most ${limit}`,
    hint: 'pawl recv --max-size 100G takes more; the same parts can be given again',
    exit: REFUSED,
  }),
  'no-room': ({ path, free }) => ({
    message: `the disk of ${path} would have less than ${free} bytes free`,
    hint: 'make room, or choose a folder on another disk; the same parts can be given again',
    exit: IO,
  }),
  'taken-elsewhere': ({ what }) => ({
    message: `another pawl takes the parts of ${what}`,
    hint: 'try again when it is done; the same parts can be given again',
    exit: BUSY,
  }),
  'collected-elsewhere': ({ what, host }) => ({
    message: `${what} is collected on ${host}`,
    hint: 'give its parts there; where that machine is gone, --out-dir DIR --force begins anew here, with all of them',
    exit: BUSY,
  }),
  'no-place': ({ what }) => ({
    message: `there is no place for the parts of ${what}`,
    hint: 'give them again with one: pawl recv FILE --out-dir DIR, or -o FILE; a pipe and a file take one at a time',
    exit: CANNOT_CREATE,
  }),
  'parts-missing': ({ missing, total }) => ({
    message: `it is cut short: part ${missing + 1}${total === undefined ? '' : ` of ${total}`} is missing`,
    hint: 'what was written is genuine, but not all; give all of it again, or with --out-dir the parts that are missing',
    exit: REFUSED,
  }),
  'source-changed': ({ path }) => ({
    message: `${path} has changed since it was begun to be sent`,
    hint: 'the other side gets no file of it; send it anew once nothing writes to it',
    exit: IO,
  }),
  'source-elsewhere': ({ path, host }) => ({
    message: `${path} is a file on ${host}`,
    hint: 'pawl outbox resend on that machine goes on with it; pawl prune gives up what is old',
    exit: NO_INPUT,
  }),
  'cannot-resume': ({ id }) => ({
    message: `number ${id} came from a pipe, and cannot be read again`,
    hint: 'it is given up: send it anew; the other side sees that parts are missing',
    exit: NO_INPUT,
  }),

  // contacts and conversations
  'unknown-contact': ({ name, known = [], isFile, isInvited, isList }) => ({
    message: isInvited ? `nobody has come in by the invite for ${name} yet` : `there is no contact ${name}`,
    hint: isInvited
      ? 'the conversation opens with their first message: pawl recv'
      : isFile
        ? `what the file shows: pawl inspect --envelope ${shellWord(name)}; pawl contacts lists whom you know`
        : isList
          ? `to all of the list of that name: pawl send @${name}`
          : `${didYouMean(name, known)}pawl contacts lists whom you know${isName(name) ? `; somebody new: pawl invite ${name}, or pawl add ${name} FILE` : ''}`,
    exit: UNKNOWN,
  }),
  'unknown-list': ({ name, known, isContact }) => ({
    message: `there is no list ${name}`,
    hint: isContact
      ? `to the contact of that name: pawl send ${name}; a list: pawl list ${name} NAME NAME`
      : `${didYouMean(name, known)}pawl list shows the lists${isName(name) ? `; a new one: pawl list ${name} NAME NAME` : ''}`,
    exit: UNKNOWN,
  }),
  'name-taken': ({ name }) => ({
    message: `${name} is the name of another contact`,
    hint: `use another name, or give ${name} another one first: pawl rename ${name} NEW`,
    exit: CANNOT_CREATE,
  }),
  'wrong-safety-number': ({ name, wasVerified }) => ({
    message: `this is NOT the safety number of ${name}: somebody may stand between you${wasVerified ? `; ${name} is verified no longer` : ''}`,
    hint: `read it to each other once more, each from pawl verify; if it still differs, trust nothing that came from ${name}, send nothing there, and exchange a new invite in person`,
    exit: REFUSED,
  }),
  'not-in-outbox': ({ id }) => ({
    message: `no envelope with the number ${id} is waiting`,
    hint: 'pawl outbox lists what is waiting',
    exit: NO_INPUT,
  }),
  'no-session': ({ name }) => ({
    message: `there is no conversation with ${name} yet`,
    hint: `send something: pawl send ${name}; or add an invite of theirs: pawl add ${name} FILE`,
    exit: UNKNOWN,
  }),
  held: ({ name, until }) => ({
    message: `nothing is sent to ${name} before ${HOLDS[until]}: this copy of the identity is older, or may be, than what was sent from it`,
    hint: `${until === 'answered' ? `receive what ${name} sends next (pawl recv), or ` : ''}exchange a new invite: pawl invite ${name}, or pawl add ${name} FILE`,
    exit: ROLLED_BACK,
  }),
  'not-for-you': () => ({
    message: 'this message is not for this identity',
    hint: 'you may have sent it yourself; it may be for another of your identities (pawl -i NAME recv); you or they may have a new identity since, as after a new installation: exchange a new invite; or this copy of the identity is older than what was sent from it: put the newest one back',
    exit: REFUSED,
  }),
  'other-sender': ({ from }) => ({
    message: `left alone: this message is from ${from}`,
    hint: `read it: pawl recv --from ${from}`,
    exit: 0,
  }),
  'gap-too-large': ({ missing, limit, inNewChain }) => ({
    message: `${missing} messages before this one are missing, more than the ${limit} that are skipped unasked`,
    hint:
      missing > LARGEST_GAP
        ? 'nothing can bridge that: exchange a new invite'
        : `pawl recv --max-gap ${missing}${inNewChain ? '' : '; or send them anything, and what they send after reading it can be read'}`,
    exit: REFUSED,
  }),
  'inbox-full': ({ name, texts, bytes }) => ({
    message: `too much of ${name} waits here already: ${count(texts, 'text')}, ${bytesInWords(bytes)}`,
    hint: 'take it out: pawl recv --waiting --out-dir DIR > FILE; then receive this once more: nothing of it was used up',
    exit: BUSY,
  }),
  fork: ({ reason }) => ({
    message: `this message contradicts an earlier one: ${FORKS[reason]}`,
    hint: 'one of the two identities was copied, restored from a backup, or is in other hands: compare safety numbers (pawl verify NAME), then exchange a new invite',
    exit: REFUSED,
  }),
  'kem-missing': () => ({
    message: 'this message does not answer the post-quantum key that was offered, and nothing weaker is accepted',
    hint: 'no honest pawl leaves it out: compare safety numbers (pawl verify NAME), then exchange a new invite',
    exit: REFUSED,
  }),
  'not-begun': () => ({
    message: 'nothing can be sent before the first message of the other side has come',
    hint: 'receive it: pawl recv FILE',
    exit: UNKNOWN,
  }),
  exhausted: () => ({
    message: 'this chain of messages is used up',
    hint: 'receive an answer, and a new chain begins: pawl recv FILE',
    exit: REFUSED,
  }),
  'clock-ahead': ({ opened }) => ({
    message: `this conversation says that it was opened more than a day from now, on ${instant(opened)}`,
    hint: 'one of the two clocks is wrong: mend it, then exchange a new invite',
    exit: REFUSED,
  }),

  // places
  unreachable: ({ place, reason, isNew }) => ({
    message: `${place} cannot be reached: ${reason}`,
    hint: isNew
      ? 'no route was set: see whether it is there, and runs'
      : 'nothing is lost: what waits to be handed over goes with the next pawl send or recv, or by pawl outbox resend; do not send it again',
    exit: UNREACHABLE,
  }),
  queued: ({ to, place, reason, large }) => ({
    message:
      large === undefined
        ? `the message for ${to} is encrypted, and waits: ${place} cannot be reached: ${reason}`
        : `${queuedInWords(to, large)}: ${place} cannot be reached: ${reason}`,
    hint:
      large === undefined
        ? 'it goes with the next pawl send or recv, or by pawl outbox resend; do not send it again'
        : `the rest goes by pawl outbox resend L${large.id}, while the file is unchanged; do not send it again`,
    exit: UNREACHABLE,
  }),
  'stream-lost': ({ to, why }) => ({
    message: `what came from a pipe for ${to} is given up: ${why}`,
    hint: `it cannot be read again, and ${to} gets nothing of it: send it again; a file would wait (pawl send ${to} FILE)`,
    exit: UNREACHABLE,
  }),
  'untrusted-route': ({ route }) => ({
    message: `this copy of the identity comes from elsewhere, and its route was not typed on this machine: ${route}`,
    hint: `if it is yours, make the route again: pawl route NAME ${shellWord(route)}`,
    exit: UNREACHABLE,
  }),
  'no-route': ({ name }) => ({
    message: `there is no route for ${name}`,
    hint: `pawl route ${name} ROUTE; or carry it by hand: pawl send ${name} -o FILE`,
    exit: UNKNOWN,
  }),
  'no-boxes': ({ name }) => ({
    message: `the conversation with ${name} is older than routes`,
    hint: `one new invite, in either direction, and an answer to it: pawl invite ${name} -o invite.txt; until then: pawl send ${name} -o FILE`,
    exit: UNREACHABLE,
  }),
  'other-place': ({ place, expected, found }) => ({
    message:
      found === undefined
        ? `${place} is not the place that the route was made for: it has no .pawl-place`
        : `${place} is not the place that the route was made for: it is marked ${found.slice(0, 8)}, and that one was ${expected.slice(0, 8)}`,
    hint: 'see whether its disk is mounted, or has been filled yet; nothing was put there, and nothing is lost; if the place is to be this one from now on, make the route again: pawl route NAME dir:FOLDER',
    exit: UNREACHABLE,
  }),
  'bad-route': ({ route, reason }) => ({
    message: `${JSON.stringify(route)} is no route: ${reason}`,
    hint: "a route is dir:FOLDER, nats://HOST, or exec:COMMAND, as exec:'ssh relay pawl-box /srv/pawl'",
    exit: USAGE,
  }),
  'unsuited-stream': ({ place, reason }) => ({
    message: `the stream of ${place} does not suit: ${reason}`,
    hint: 'pawl route NAME nats://HOST --create makes one where there is none; --any-stream takes it as it is, and envelopes may get lost',
    exit: UNREACHABLE,
  }),

  // invites
  'bad-signature': () => ({
    message: 'the signature of this invite is wrong: it was altered on its way',
    hint: 'ask for it once more, on a channel that nobody else writes to',
    exit: REFUSED,
  }),
  'unknown-invite': () => ({
    message: 'this message answers an invite that this identity does not know any more',
    hint: 'send them a new one: pawl invite NAME',
    exit: REFUSED,
  }),
  'invite-expired': ({ expiredAt }) => ({
    message: `the invite expired on ${day(expiredAt)}`,
    hint: 'a new one is needed: whoever made this one types pawl invite NAME',
    exit: REFUSED,
  }),
  'invite-spent': ({ at, by, name }) => ({
    message: `the invite for ${name} was used already, on ${instant(at)}, by ${by}`,
    hint: `if ${name} says that it was not them, trust nothing that came under this name; for a new start: pawl invite ${name}`,
    exit: REFUSED,
  }),
  'invite-withdrawn': ({ at, name }) => ({
    message: `the invite for ${name} that this answers was withdrawn here, on ${instant(at)}`,
    hint: `if ${name} is to write to you, tell them, and send a new one: pawl invite ${name}`,
    exit: REFUSED,
  }),
  'no-open-invite': ({ name, id }) => ({
    message: id === undefined ? `no invite for ${name} is open` : `no open invite for ${name} has the ID ${id}`,
    hint: 'pawl inspect lists the invites, with their IDs',
    exit: UNKNOWN,
  }),
  'invite-used-up': ({ name, limit }) => ({
    message: `the reusable invite for ${name} has let in ${limit}, which is the most`,
    hint: `make another, and send it to whoever this came from: pawl invite ${name} --reusable`,
    exit: REFUSED,
  }),
  'too-many-invites': ({ limit }) => ({
    message: `${limit} invites are open, which is the most`,
    hint: 'wait until some are used or expire, or withdraw one: pawl inspect lists them, pawl invite NAME --withdraw [ID]',
    exit: CANNOT_CREATE,
  }),
  'identity-changed': ({ name, known, offered }) => ({
    message: `${name} is known as ${known}, and this is from ${offered}`,
    hint: `ask ${name}, on another channel, whether they made a new identity; only if they did: pawl rename ${name} old-${name} --keep-invites, then this once more, and pawl verify ${name}`,
    exit: REFUSED,
  }),
  self: ({ what }) => ({
    message: `this ${what} is your own`,
    hint: what === 'invite' ? 'send it to the person it is for' : 'only the other side can read it',
    exit: REFUSED,
  }),

  // files and streams
  exists: ({ path, waits, force }) => ({
    message: `${path} exists already`,
    hint: waits
      ? 'pawl recv --waiting --out-dir DIR puts it into another folder, or with --force in the place of what is there'
      : force
        ? 'use another name, or --force to replace it'
        : `use another name${isDatabase(path) ? '' : ', or move the file away'}`,
    exit: CANNOT_CREATE,
  }),
  protected: ({ path, what }) => ({
    message: `${path} is ${what}, which is never replaced`,
    hint: 'use another name or folder',
    exit: CANNOT_CREATE,
  }),
  'no-addon': ({ part, why, node }) => ({
    message: {
      missing: `pawl needs ${part}, which is missing from its installation`,
      'other-node': `pawl needs ${part}, which was installed for another Node than this ${node}`,
      'other-system': `pawl needs ${part}, which was built for another system or processor than this one`,
      disabled: `pawl needs ${part}, which is a native part, and Node is told to load none`,
    }[why],
    hint: why === 'disabled' ? 'run pawl without --no-addons (NODE_OPTIONS)' : wayToInstall(part, node),
    exit: NO_IDENTITY,
  }),
  'no-folder': ({ path, isTaken }) => ({
    message: isTaken ? `${path} is no folder` : `there is no folder ${path}`,
    hint: isTaken ? 'choose another name' : `make it: mkdir ${shellWord(path)}`,
    exit: CANNOT_CREATE,
  }),
  'cannot-create': ({ path, reason, leaves }) => ({
    message: `${path} cannot be made: ${reason}`,
    hint: leaves === undefined ? 'choose another place, where you can write' : `it has left already; ${goOn(leaves)}`,
    exit: CANNOT_CREATE,
  }),
  'read-failed': ({ path, reason }) => ({ message: `${path} cannot be read: ${reason}`, exit: IO }),
  'write-failed': ({ path, reason, isUndone, leaves }) => ({
    message: `${path} cannot be written: ${reason}`,
    hint:
      leaves !== undefined
        ? `it has left already; ${goOn(leaves)}`
        : isUndone === undefined
          ? NOTHING_LOST
          : isUndone
            ? 'nothing of this was done: mend that, then do it again'
            : 'pawl inspect shows whether this was done; pawl outbox resend, or pawl recv --waiting, writes what waits',
    exit: IO,
  }),
  'database-unreachable': ({ path, reason, isUndone, leaves }) => ({
    message: `${path} cannot be reached: ${reason}`,
    hint:
      leaves !== undefined
        ? `it has left already; ${goOn(leaves)}`
        : isUndone
          ? 'nothing of this was done: do it again once it can be reached'
          : 'nothing that was committed is lost: pawl outbox and pawl inspect show what was done',
    exit: IO,
  }),
  'commit-unknown': ({ path }) => ({
    message: `the connection to ${path} was lost while a change was committed, and whether it was is not known yet`,
    hint: 'see what is there before you try again: pawl outbox, pawl inspect; after passwd, try the new key first',
    exit: BUSY,
  }),
  moving: ({ wasThere, ...leaving }) => ({
    message: `the identity in ${leaving.path} is being moved to ${leaving.to}, and may be in use there already`,
    hint:
      wasThere === true
        ? 'it is not found there, and may have been: use it where it is by now, or go on on the machine where that was begun; if it is nowhere: --after-restore'
        : goOn(leaving),
    exit: BUSY,
  }),
  'closed-pipe': () => ({
    message: 'the output was closed before everything was written',
    hint: NOTHING_LOST,
    exit: IO,
  }),

  // the identity file
  'no-home': () => ({
    message: 'there is no home folder to look for identities in',
    hint: 'say where they are: --home DIR, or PAWL_HOME=DIR in the environment',
    exit: NO_IDENTITY,
  }),
  'no-identity': ({ home }) => ({
    message: `there is no identity in ${home}`,
    hint: 'make one: pawl init NAME',
    exit: NO_IDENTITY,
  }),
  'several-identities': ({ names }) => ({
    message: `there are several identities: ${names.join(', ')}`,
    hint: `say which: pawl -i ${names[0] ?? 'NAME'} ..., or set PAWL_IDENTITY`,
    exit: NO_IDENTITY,
  }),
  'identity-missing': ({ name, home, known = [] }) => ({
    message: `there is no identity ${name} in ${home}`,
    hint: `${didYouMean(name, known)}make it: pawl init ${name}; or say where it is: --home DIR`,
    exit: NO_IDENTITY,
  }),
  damaged: ({ path }) => ({
    message: isDatabase(path)
      ? `rows in ${path} are damaged, or were changed by somebody without the key`
      : `${path} is damaged`,
    hint: isDatabase(path)
      ? 'have the database restored, or put a backup in another place (pawl restore FILE); each conversation is held then'
      : 'put a backup in its place; each conversation then needs a new invite',
    exit: IO,
  }),
  'not-an-identity': ({ path }) => ({
    message: isDatabase(path)
      ? `the identity is not in ${path.replace(/^.* in /, '')} any more`
      : `${path} is not an identity file of pawl`,
    hint: isDatabase(path)
      ? 'see what is there: pawl -i NAME inspect; a backup is put back by pawl restore FILE'
      : 'identity files are made by pawl init NAME',
    exit: NO_IDENTITY,
  }),
  'newer-schema': ({ path, found, known }) => ({
    message: `${path} was written by a newer pawl (schema ${found}; this one knows ${known})`,
    hint: 'bring pawl up to date: npm install -g pawl',
    exit: NO_IDENTITY,
  }),
  busy: ({ path }) => ({
    message: `${path} is in use by another pawl${isDatabase(path) ? ', or takes no more connections now' : ''}`,
    hint: 'try again, or wait for longer: --wait SECONDS',
    exit: BUSY,
  }),
  'no-locks': ({ folder }) => ({
    message: `the file system of ${folder} does not lock files, and without a lock two commands could use one key twice`,
    hint: 'keep identities where files can be locked, as on a local disk: --home DIR, or PAWL_HOME; with NFS, the lock service must run on both machines',
    exit: IO,
  }),
  replaced: ({ path }) => ({
    message: `the passphrase or key of ${path} was changed, or it was restored, meanwhile`,
    hint: 'try again, with the new passphrase or key',
    exit: BUSY,
  }),
  'not-rekeyed': ({ path, reason, isMounted }) =>
    isMounted
      ? {
          message: `the passphrase or key of ${path} could not be changed: the file is mounted by itself, and so cannot be replaced`,
          hint: 'it still opens with the old one; mount the folder that it is in, or run pawl passwd where the file lies',
          exit: IO,
        }
      : {
          message: `the passphrase or key of ${path} could not be changed: ${reason}`,
          hint: `it still opens with the old one${!isDatabase(path) && /space|quota/.test(reason) ? '; make room for a second copy of the file beside it' : ''}`,
          exit: IO,
        },
  'rolled-back': ({ path }) => ({
    message: isDatabase(path)
      ? `${path} is older than what this machine wrote last: the database was restored, or this server lags behind another`
      : `${path} is older than what this machine wrote last: it was restored, or a copy of it is in use`,
    hint: 'put the newest one back; if there is none, go on with --after-restore, once',
    exit: ROLLED_BACK,
  }),
  unmarked: ({ path }) => ({
    message: isDatabase(path)
      ? `${path} is on another server than at its last change, so it may be older than what was sent from it`
      : `${path} was never used on this machine, so it may be older than what was sent from it`,
    hint: isDatabase(path)
      ? 'if this server has all that the other one had, and that one is used no more: --moved, once; if not, or not surely: --after-restore, once'
      : 'if it is the newest copy, and used nowhere else any more: --moved, once; if not, or not surely: --after-restore, once; in a container or the like: PAWL_MARKS=none',
    exit: ROLLED_BACK,
  }),
  misplaced: ({ path, name }) => ({
    message: `${path} holds the identity ${name}`,
    hint: `give it its name: mv ${shellWord(path)} ${shellWord(join(dirname(path), `${name}.db`))}`,
    exit: IO,
  }),

  // the passphrase or key
  'wrong-passphrase': ({ path, flaw }) => ({
    message: `wrong passphrase or key for ${path}, or ${isDatabase(path) ? 'its row' : 'the file'} is damaged: they look alike`,
    hint:
      flaw === undefined
        ? 'try again, with --key-file FILE if it was made with one; nothing was changed'
        : `the passphrase ${FLAWS[flaw][0]}: ${FLAWS[flaw][1]}; nothing was changed`,
    exit: NO_KEY,
  }),
  'no-passphrase': ({ path, isNew }) =>
    isNew
      ? {
          message: 'there is no terminal to ask for the new passphrase on',
          hint: 'pawl passwd --new-passphrase-file FILE, or --new-key-file FILE',
          exit: NO_KEY,
        }
      : {
          message: `${path} is locked, and there is no terminal to ask for the passphrase on`,
          hint: KEY_SOURCES,
          exit: NO_KEY,
        },
  'empty-passphrase': ({ source }) => ({
    message: `the passphrase in ${source} is empty`,
    hint: KEY_SOURCES,
    exit: NO_KEY,
  }),
  'several-lines': ({ source }) => ({
    message: `there is more than one line in ${source}`,
    hint: 'keep the passphrase alone there, on one line',
    exit: NO_KEY,
  }),
  'bad-passphrase': ({ source, flaw }) => ({
    message: `the passphrase in ${source} ${FLAWS[flaw][0]}`,
    hint: FLAWS[flaw][1],
    exit: NO_KEY,
  }),
  'passphrase-command': ({ reason }) => ({
    message: `the passphrase command failed: ${reason}`,
    hint: 'run it by itself: it is to print the passphrase, and nothing else, on standard output',
    exit: NO_KEY,
  }),
  'bad-key-file': ({ path, bytes }) => ({
    message: `${path} is not a key file: it has ${bytes} bytes, and a key file has 32`,
    hint: 'pawl init NAME --key-file FILE makes one',
    exit: NO_KEY,
  }),
  'exposed-key': ({ path, mode }) => ({
    message: `${path} can be ${othersCan(mode)} by others (mode ${mode})`,
    hint: `chmod 600 ${shellWord(path)}; where its mode cannot be changed, give it by a pipe, in bash: <(cat ${shellWord(path)}) in its place`,
    exit: NO_KEY,
  }),
  'untrusted-key': ({ path, folder }) =>
    folder === undefined
      ? {
          message: `${path} is no key for a new lock: it belongs to somebody else`,
          hint: `name a file that is not there, and it is made; if the key is yours, copy it, or give it by a pipe, in bash: <(cat ${shellWord(path)}) in its place`,
          exit: NO_KEY,
        }
      : {
          message: `${path} is no key for a new lock: others can write to its folder`,
          hint: `chmod go-w ${shellWord(folder)}, if the key is yours; or name a file that is not there, and it is made`,
          exit: NO_KEY,
        },
  'no-agent': ({ reason }) => ({
    message: `the key cannot be kept for other commands: ${reason}`,
    hint: 'nothing was changed; a folder of your own for its socket, with a short path, is named by XDG_RUNTIME_DIR',
    exit: CANNOT_CREATE,
  }),
  'exposed-agent': ({ folder, flaw }) => ({
    message: `no key is given out in ${folder}: ${AGENT_FLAWS[flaw]}`,
    hint:
      flaw === 'open'
        ? `chmod 700 ${shellWord(folder)}`
        : `have a folder of your own there, which is no link: look at it (ls -ld ${shellWord(folder)}), and move it away; or name another place: XDG_RUNTIME_DIR`,
    exit: NO_KEY,
  }),
  'same-key': ({ path, what }) => ({
    message: `${path} has this ${what} already`,
    hint:
      what === 'key'
        ? 'nothing was changed; name a file that is not there, and a new key is made: pawl passwd --new-key-file FILE'
        : 'nothing was changed; give another passphrase',
    exit: NO_KEY,
  }),
};

/** What to do about something that did not come as it was sent. */
function wayToGetItWhole({
  damage,
  isInvite,
  isNone,
}: {
  readonly damage: BlockDamage | undefined;
  readonly isInvite: boolean;
  readonly isNone: boolean;
}): string {
  if (isNone && damage === undefined)
    return 'see whether it is what you were sent, or ask for it once more; nothing was changed here';
  const attached = `as an attachment (${isInvite ? 'pawl invite NAME -o FILE' : 'pawl send NAME -b -o FILE'}), which no mail program rewrites`;
  if (damage === undefined)
    return `nothing was changed here: see whether it is all of what you were sent, or ask for it once more, ${attached}`;
  return damage === 'taken-for-text' && !isInvite
    ? `nothing was changed here: ask for it as text (pawl send NAME -a), or ${attached}`
    : `nothing was changed here: copy all of it, from BEGIN to END, or ask for it ${attached}`;
}

/** How far a content has come that waits because its place cannot be reached. */
export function queuedInWords(to: string, { what, parts, total }: LargeQueued): string {
  const of = total === undefined ? '' : ` of ${total}`;
  return `${what} for ${to} waits, ${parts}${of} ${(total ?? parts) === 1 ? 'part' : 'parts'} of it handed over`;
}

function othersCan(mode: string): string {
  const bits = Number.parseInt(mode, 8);
  return [(bits & 0o055) !== 0 && 'read', (bits & 0o022) !== 0 && 'changed'].filter(Boolean).join(' and ');
}
