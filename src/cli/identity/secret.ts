/**
 * Reads, asks for, and generates passphrases and keys of identity files.
 * Knows nothing of the identity file itself, and of how a key is derived from a passphrase.
 */
import { realpathSync, type Stats, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { isPawlError, PawlError } from '../../errors.ts';
import { inodeAt, makeFile, readDescriptor, readFileIf } from '../../files/index.ts';
import { type Random, utf8 } from '../../primitives/index.ts';
import type { CommandContext } from '../context.ts';
import { nameOfInput, readInput, STANDARD_INPUT } from '../stream/read.ts';
import type { Io } from '../terminal/io.ts';
import { askSecret, showOnTerminal } from '../terminal/prompt.ts';
import { type KeyOptions, type KeySource, keySourceOf } from './key-source.ts';
import { refusePlaceOfIdentity } from './output.ts';
import { homeOf } from './path.ts';

/** What opens an identity file: the key, or a passphrase from which the key is derived. */
export type Secret =
  | { readonly kind: 'key'; readonly bytes: Uint8Array }
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array };

const KEY_LENGTH = 32;
const STICKY = 0o1000;
/** The most bytes to read: a device may be endless. */
const LONGEST_SECRET = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Ten words out of 2,048 are 110 bits. */
const GENERATED_WORDS = 10;

/** What is to lock an identity file from now on. */
export interface NewSecret {
  readonly secret: Secret;
  /** The key file that is still to be made of it. */
  readonly keyFile?: NewKeyFile;
}

/**
 * Gets the passphrase or key of the identity file at `path`, from the source that `keySourceOf` finds.
 * @throws `missing-file`, `read-failed`, `exposed-key`, `bad-key-file`, `empty-passphrase`, `several-lines`,
 * `passphrase-command`, `no-passphrase`, `interrupted`, `usage`.
 */
export async function secretFor(context: CommandContext, path: string): Promise<Secret> {
  const source = keySourceOf(context);
  switch (source.kind) {
    case 'key-file':
      return keySecret(await readSecretFile(context.io, source.path, refuseExposed), source.path);
    case 'terminal':
      return askPassphrase(context, path, `passphrase of ${path}`);
    default:
      return readPassphrase(context.io, source);
  }
}

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
    default:
      return { secret: await readPassphrase(context.io, source) };
  }
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

async function readPassphrase(io: Io, source: Exclude<KeySource, { kind: 'key-file' | 'terminal' }>): Promise<Secret> {
  switch (source.kind) {
    case 'passphrase-file':
      return parsePassphrase(await readSecretFile(io, source.path, refuseExposed), nameOfInput(source.path));
    case 'passphrase-fd': {
      const name = `file descriptor ${source.fd}`;
      return parsePassphrase(readDescriptor(source.fd, name, LONGEST_SECRET), name);
    }
    case 'passphrase-command':
      return parsePassphrase(runPassphraseCommand(io, source.command), 'the output of the passphrase command');
    case 'passphrase':
      return passphraseSecret(utf8(source.text), 'PAWL_PASSPHRASE');
  }
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
  if (io.input.isTerminal) {
    throw new PawlError('usage', {
      problem: 'a passphrase or key is not typed on standard input, where it would be shown',
      hint: 'leave the option out: pawl asks for the passphrase',
    });
  }
  return readInput(io, path, LONGEST_SECRET);
}

/**
 * Refuses a file of the user that others can read or write. Pipes and files of another owner, such as a mounted secret,
 * are not checked: whether the file opens the identity shows whether it is the right one.
 * @throws `exposed-key`.
 */
function refuseExposed(path: string, status: Stats, userId: number): void {
  if (!status.isFile() || status.uid !== userId || (status.mode & 0o077) === 0) return;
  throw new PawlError('exposed-key', { path, mode: (status.mode & 0o777).toString(8).padStart(4, '0') });
}

/**
 * Refuses a key file for a new lock that somebody else has made, can read or can change: nothing shows whether it is the
 * one that was meant. What is no file, such as an open pipe, is only refused if it belongs to somebody else.
 * @throws `untrusted-key`, `exposed-key`.
 */
function refuseUntrusted(path: string, status: Stats, userId: number): void {
  if (status.isCharacterDevice() || status.isDirectory()) return;
  if (status.uid !== userId) throw new PawlError('untrusted-key', { path });
  refuseExposed(path, status, userId);
  if (!status.isFile()) return;
  for (const folder of new Set([dirname(resolve(path)), dirname(realpathSync(path))])) {
    // In a folder with a sticky bit, as /tmp has, nobody else can rename or remove the file.
    const { mode } = statSync(folder);
    if ((mode & 0o022) !== 0 && (mode & STICKY) === 0) throw new PawlError('untrusted-key', { path, folder });
  }
}

function runPassphraseCommand(io: Io, command: string): Uint8Array {
  const { output, failure } = io.runCommand(command, LONGEST_SECRET);
  if (failure !== undefined) throw new PawlError('passphrase-command', { reason: failure });
  return output;
}

async function askPassphrase(context: CommandContext, path: string, question: string): Promise<Secret> {
  return passphraseSecret(utf8(await askOnTerminal(context, path, question)), 'your answer');
}

async function askOnTerminal({ io, options }: CommandContext, path: string, question: string): Promise<string> {
  const answer = options.input ? await askSecret(io, question) : undefined;
  if (answer === undefined) throw new PawlError('no-passphrase', { path });
  return answer;
}

async function askNewPassphrase(context: CommandContext, path: string): Promise<Secret> {
  for (;;) {
    const first = await askOnTerminal(context, path, 'new passphrase (leave it empty for ten random words)');
    if (first === '') return generatePassphrase(context, path);
    const second = await askOnTerminal(context, path, 'once more');
    if (first === second) return passphraseSecret(utf8(first), 'your answer');
    await context.reporter.warn('the two passphrases differ: try again');
  }
}

/** Generates a passphrase, and shows it once, on the terminal only. */
async function generatePassphrase({ io }: CommandContext, path: string): Promise<Secret> {
  const words = randomWords(io.random);
  await showOnTerminal(io, `the passphrase of ${path}, shown this once; write it down:\n\n  ${words}\n\n`);
  return passphraseSecret(utf8(words), 'your answer');
}

/** Random words of the BIP-39 list, joined by dashes, so that the passphrase can be written down and typed. */
function randomWords(random: Random): string {
  const bytes = random(2 * GENERATED_WORDS);
  const words = Array.from({ length: GENERATED_WORDS }, (_, i) => {
    // 2^16 is a multiple of the length of the list, so that every word is equally likely.
    const index = (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)) % wordlist.length;
    return wordlist[index] ?? '';
  });
  return words.join('-');
}

/** @throws `empty-passphrase`. */
function passphraseSecret(bytes: Uint8Array, source: string): Secret {
  if (bytes.length === 0) throw new PawlError('empty-passphrase', { source });
  return { kind: 'passphrase', bytes };
}

/**
 * Takes a passphrase from a single line, without its newline. More lines are most likely a mistake: the wrong file, or a
 * note below the passphrase.
 * @throws `several-lines`, `empty-passphrase`.
 */
function parsePassphrase(bytes: Uint8Array, source: string): Secret {
  const line = stripNewline(bytes);
  if (line.includes(NEWLINE)) throw new PawlError('several-lines', { source });
  return passphraseSecret(line, source);
}

function stripNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}
