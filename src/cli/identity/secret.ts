/**
 * Reads, asks for, and generates passphrases and keys of identity files.
 * Knows nothing of the identity file itself, and of how a key is derived from a passphrase.
 */
import { type Stats, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { isPawlError, PawlError } from '../../errors.ts';
import { inodeAt, isOnReadOnlyMount, makeFile, readFileIf, readInherited, realPath } from '../../files/index.ts';
import { equal, fromUtf8, utf8, wipe } from '../../primitives/index.ts';
import type { CommandContext } from '../context.ts';
import { nameOfInput, readInput, STANDARD_INPUT } from '../stream/read.ts';
import { escapeInLine } from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';
import { askSecret, showOnTerminal } from '../terminal/prompt.ts';
import { type KeyOptions, type KeySource, keySourceOf } from './key-source.ts';
import { refusePlaceOfIdentity } from './output.ts';
import { formForLock, isShort, LONGEST_SECRET, lineOf, randomWords } from './passphrase.ts';
import { homeOf } from './path.ts';

/** What opens an identity file: the key, or a passphrase from which the key is derived. */
export type Secret =
  | { readonly kind: 'key'; readonly bytes: Uint8Array }
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array };

const KEY_LENGTH = 32;
const STICKY = 0o1000;
/** What others may do with a file. */
const ANYTHING = 0o077;
const READING = 0o044;
/** What a short passphrase is told with. */
const COST_OF_A_GUESS =
  'this passphrase is short: a guess costs whoever gets the file 0.1 s and 64 MiB, and a thousand machines try 860 million a day; ten random words cannot be guessed (leave it empty where it is asked for)';
const CHANGED_LATER = 'pawl passwd changes it';
const CHANGED_NOW = `for another, leave the next answer empty; later, ${CHANGED_LATER}`;

/** What is to lock an identity file from now on. */
export interface NewSecret {
  readonly secret: Secret;
  /** The key file that is still to be made of it. */
  readonly keyFile?: NewKeyFile;
}

/**
 * Gets the passphrase or key of the identity file at `path`, from the source that `keySourceOf` finds.
 * @param before what the question on the terminal begins with, as why it is asked again.
 * @throws `missing-file`, `read-failed`, `exposed-key`, `bad-key-file`, `empty-passphrase`, `several-lines`,
 * `bad-passphrase`, `passphrase-command`, `no-passphrase`, `interrupted`, `usage`.
 */
export async function secretFor(context: CommandContext, path: string, before = ''): Promise<Secret> {
  const source = keySourceOf(context);
  switch (source.kind) {
    case 'key-file':
      return keySecret(await readSecretFile(context.io, source.path, refuseExposed), source.path);
    case 'terminal':
      return passphraseSecret(await askOnTerminal(context, path, `${before}passphrase of ${path}`), ANSWER);
    default:
      return readPassphrase(context.io, source);
  }
}

/** What errors call what was typed. */
const ANSWER = 'your answer';

/**
 * Gets the passphrase or key of a new identity file. A passphrase is asked for twice on the terminal, and an empty answer
 * generates one. A key file that is not there is still to be made.
 * @throws what `secretFor` throws; `untrusted-key` for a key file that others made or can change; `protected` for a file
 * where identity files are, which would be removed.
 */
export async function newSecretFor(context: CommandContext, path: string): Promise<NewSecret> {
  const source = keySourceOf(context);
  if ('path' in source && source.path !== STANDARD_INPUT) refusePlaceOfIdentity(context, source.path);
  switch (source.kind) {
    case 'key-file':
      return newKeyFrom(context, source.path);
    case 'terminal':
      return { secret: await askNewPassphrase(context, path) };
    default: {
      const { bytes } = await readPassphrase(context.io, source);
      return { secret: await lockSecret(context, bytes, { source: nameOfSource(source), hint: CHANGED_LATER }) };
    }
  }
}

/** Makes of a passphrase what locks a file, and tells if it is short. @param hint what can be done about that. */
async function lockSecret(
  { reporter }: CommandContext,
  line: Uint8Array,
  { source, hint }: { readonly source: string; readonly hint: string },
): Promise<Secret> {
  const bytes = formForLock(line, source);
  if (isShort(bytes)) await reporter.notice(`${COST_OF_A_GUESS}; ${hint}`);
  return { kind: 'passphrase', bytes };
}

/**
 * Gets the passphrase or key that replaces the present one: from `files`, else from the terminal.
 * @throws what `newSecretFor` throws.
 */
export async function nextSecretFor(context: CommandContext, path: string, files: KeyOptions): Promise<NewSecret> {
  const { input, wait } = context.options;
  const home = homeOf(context);
  // The environment variables are about the present secret.
  const io = { ...context.io, environment: {} };
  try {
    return await newSecretFor({ ...context, io, options: { input, wait, home, ...files } }, path);
  } catch (error) {
    throw isPawlError(error, 'no-passphrase') ? new PawlError('no-passphrase', { path, isNew: true }) : error;
  }
}

/** A key file that is not there yet. It is made as late as possible, so that a command that fails leaves none behind. */
export class NewKeyFile {
  readonly #context: CommandContext;
  readonly #path: string;
  readonly #key: Uint8Array;
  /** Of the file, once it is made. */
  #inode: string | undefined;

  constructor(context: CommandContext, path: string, key: Uint8Array) {
    this.#context = context;
    this.#path = path;
    this.#key = key;
  }

  /**
   * Makes the file, which is durable then.
   * @throws `exists`, also for a file that another command has made in the meantime; `cannot-create`, `protected`.
   */
  make(): void {
    // Once more: its folder may not have been there before.
    refusePlaceOfIdentity(this.#context, this.#path);
    makeFile(this.#path, (draft) => writeFileSync(draft, this.#key));
    this.#inode = inodeAt(this.#path);
  }

  /** Removes the file if this has made it. For a failure just after `make`, before anybody can have come to rely on it. */
  remove(): void {
    try {
      if (this.#inode !== undefined && inodeAt(this.#path) === this.#inode) unlinkSync(this.#path);
    } catch {}
  }
}

async function newKeyFrom(context: CommandContext, path: string): Promise<NewSecret> {
  const { io, reporter } = context;
  let found: Uint8Array;
  try {
    found = await readSecretFile(io, path, refuseUntrusted);
  } catch (error) {
    if (!isPawlError(error, 'missing-file')) throw error;
    const key = io.random(KEY_LENGTH);
    return { secret: keySecret(key, path), keyFile: new NewKeyFile(context, path, key) };
  }
  const secret = keySecret(found, path);
  if (path !== STANDARD_INPUT) await reporter.notice(`uses the key file that is there: ${path}`);
  return { secret };
}

type PassphraseSource = Exclude<KeySource, { kind: 'key-file' | 'terminal' }>;

async function readPassphrase(io: Io, source: PassphraseSource): Promise<Secret> {
  return passphraseSecret(await bytesFrom(io, source), nameOfSource(source));
}

async function bytesFrom(io: Io, source: PassphraseSource): Promise<Uint8Array> {
  switch (source.kind) {
    case 'passphrase-file':
      return readSecretFile(io, source.path, refuseExposed);
    case 'passphrase-fd':
      if (isatty(source.fd)) throw typedInTheOpen();
      return readInherited(source.fd, nameOfSource(source), LONGEST_SECRET);
    case 'passphrase-command':
      return runPassphraseCommand(io, source.command);
    case 'passphrase':
      return utf8(source.text);
  }
}

/** What errors call a source. */
function nameOfSource(source: PassphraseSource): string {
  switch (source.kind) {
    case 'passphrase-file':
      return nameOfInput(source.path);
    case 'passphrase-fd':
      return `file descriptor ${source.fd}`;
    case 'passphrase-command':
      return 'the output of the passphrase command';
    case 'passphrase':
      return 'PAWL_PASSPHRASE';
  }
}

/** @throws `empty-passphrase`, `several-lines`, `bad-passphrase`. */
function passphraseSecret(given: Uint8Array, source: string): Secret {
  return { kind: 'passphrase', bytes: lineOf(given, source) };
}

/** @throws `bad-key-file`. */
function keySecret(bytes: Uint8Array, path: string): Secret {
  if (bytes.length !== KEY_LENGTH)
    throw new PawlError('bad-key-file', { path: nameOfInput(path), bytes: bytes.length });
  return { kind: 'key', bytes };
}

/** Throws if a file is not to be trusted, or not to be used any more. */
type CheckSecretFile = (path: string, status: Stats, userId: number) => void;

/**
 * Reads a file, or standard input.
 * @throws what `check` throws; `missing-file`, `read-failed`; `usage` for a terminal.
 */
async function readSecretFile(io: Io, path: string, check: CheckSecretFile): Promise<Uint8Array> {
  const { userId } = io;
  if (path !== STANDARD_INPUT) {
    return readFileIf(path, LONGEST_SECRET, (status) => {
      if (userId !== undefined) check(path, status, userId);
    });
  }
  if (io.input.isTerminal) throw typedInTheOpen();
  return readInput(io, path, LONGEST_SECRET);
}

function typedInTheOpen(): PawlError {
  return new PawlError('usage', {
    problem: 'a passphrase or key is not typed on standard input, or elsewhere where it would be shown',
    hint: 'leave the option out: pawl asks for the passphrase',
  });
}

/**
 * Refuses a file of the user that others can read or write, unless it is a mounted secret. Pipes and files of another
 * owner are not checked: whether the file opens the identity shows whether it is the right one.
 * @throws `exposed-key`.
 */
function refuseExposed(path: string, status: Stats, userId: number): void {
  const open = status.mode & ANYTHING;
  if (!status.isFile() || status.uid !== userId || open === 0) return;
  if ((open & ~READING) === 0 && isOnReadOnlyMount(realPath(path))) return;
  throw new PawlError('exposed-key', { path, mode: (status.mode & 0o777).toString(8).padStart(4, '0') });
}

/**
 * Refuses a key file for a new lock that somebody else has made, can read or can change: nothing shows whether it is the
 * one that was meant. What is no file, such as an open pipe, is only refused if it belongs to somebody else. A secret that
 * root has mounted read-only may be root's, and readable by others: whoever mounts has meant it.
 * @throws `untrusted-key`, `exposed-key`.
 */
function refuseUntrusted(path: string, status: Stats, userId: number): void {
  if (status.isCharacterDevice() || status.isDirectory()) return;
  const isMounted = status.isFile() && status.uid === 0 && isOnReadOnlyMount(realPath(path));
  if (status.uid !== userId && !isMounted) throw new PawlError('untrusted-key', { path });
  refuseExposed(path, status, status.uid);
  if (!status.isFile()) return;
  for (const folder of new Set([dirname(resolve(path)), dirname(realPath(path))])) {
    // In a folder with a sticky bit, as /tmp has, nobody else can rename or remove the file; nor on a read-only mount.
    const { mode } = statSync(folder);
    const isOpen = (mode & 0o022) !== 0 && (mode & STICKY) === 0;
    if (isOpen && !isOnReadOnlyMount(realPath(folder))) throw new PawlError('untrusted-key', { path, folder });
  }
}

function runPassphraseCommand(io: Io, command: string): Uint8Array {
  const { output, failure } = io.runCommand(command, LONGEST_SECRET);
  if (failure !== undefined) throw new PawlError('passphrase-command', { reason: failure });
  return output;
}

async function askOnTerminal({ io, options }: CommandContext, path: string, question: string): Promise<Uint8Array> {
  const answer = options.input ? await askSecret(io, question) : undefined;
  if (answer === undefined) throw new PawlError('no-passphrase', { path });
  return answer;
}

async function askNewPassphrase(context: CommandContext, path: string): Promise<Secret> {
  for (;;) {
    const first = await askOnTerminal(context, path, 'new passphrase (leave it empty for ten random words)');
    if (first.length === 0) return generatePassphrase(context, path);
    // What is wrong with it, or weak, is told before it is typed once more.
    const secret = await lockSecret(context, lineOf(first, ANSWER), { source: ANSWER, hint: CHANGED_NOW });
    const second = await askOnTerminal(context, path, 'once more');
    const isSame = equal(first, second);
    wipe(second);
    if (isSame) return secret;
    wipe(first, secret.bytes);
    await context.reporter.warn('the two passphrases differ: try again');
  }
}

/** Generates a passphrase, and shows it once, on the terminal only. */
async function generatePassphrase({ io }: CommandContext, path: string): Promise<Secret> {
  const bytes = randomWords(io.random);
  const about = `the passphrase of ${escapeInLine(path)}, shown this once; write it down`;
  await showOnTerminal(io, `${about}:\n\n  ${fromUtf8(bytes)}\n\n`);
  return { kind: 'passphrase', bytes };
}
