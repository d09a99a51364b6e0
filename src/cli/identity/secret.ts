/**
 * Reads, asks for, and generates passphrases and keys of identity files.
 * Knows nothing of the identity file itself, and of how a key is derived from a passphrase.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { isPawlError, PawlError } from '../../errors.ts';
import { makeFile, readDescriptor, readFile, reasonOf } from '../../files/index.ts';
import { type Random, utf8 } from '../../primitives/index.ts';
import type { CommandContext } from '../context.ts';
import type { Io } from '../terminal/io.ts';
import { askSecret, showOnTerminal } from '../terminal/prompt.ts';
import { type KeyOptions, type KeySource, keySourceOf } from './key-source.ts';

/** What opens an identity file: the key, or a passphrase from which the key is derived. */
export type Secret =
  | { readonly kind: 'key'; readonly bytes: Uint8Array }
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array };

const KEY_LENGTH = 32;
/** The most bytes to read: a device may be endless. */
const LONGEST_SECRET = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Ten words out of 2,048 are 110 bits. */
const GENERATED_WORDS = 10;

/**
 * Gets the passphrase or key of the identity file at `path`, from the source that `keySourceOf` finds.
 * @param isNew whether the secret is a new one for the file. A new passphrase is asked for twice on the terminal, and an
 * empty answer generates one.
 * @throws `missing-file`, `read-failed`, `exposed-key`, `bad-key-file`, `empty-passphrase`, `several-lines`,
 * `passphrase-command`, `no-passphrase`, `interrupted`.
 */
export async function secretFor(context: CommandContext, path: string, isNew = false): Promise<Secret> {
  const source = keySourceOf(context);
  switch (source.kind) {
    case 'key-file':
      return { kind: 'key', bytes: readKey(context.io, source.path) };
    case 'terminal':
      return isNew ? askNewPassphrase(context, path) : askPassphrase(context, path, `passphrase of ${path}`);
    default:
      return readPassphrase(context.io, source);
  }
}

/**
 * Gets the passphrase or key that replaces the present one: from `files`, else from the terminal.
 * @throws what `secretFor` throws; `cannot-create` for a key file.
 */
export async function newSecretFor(context: CommandContext, path: string, files: KeyOptions): Promise<Secret> {
  const { input, wait } = context.options;
  // The environment variables are about the present secret.
  const io = { ...context.io, environment: {} };
  if (files.keyFile !== undefined) createKeyFile(context, files.keyFile);
  try {
    return await secretFor({ ...context, io, options: { input, wait, ...files } }, path, true);
  } catch (error) {
    throw isPawlError(error, 'no-passphrase') ? new PawlError('no-passphrase', { path, isNew: true }) : error;
  }
}

/**
 * Creates a key file of 32 random bytes, unless the file exists. It is not deleted if the command fails later, because
 * another command may have used it in the meantime.
 * @throws `cannot-create`.
 */
export function createKeyFile({ io }: CommandContext, path: string): void {
  if (existsSync(path)) return;
  try {
    makeFile(path, (draft) => writeFileSync(draft, io.random(KEY_LENGTH)));
  } catch (error) {
    if (!isPawlError(error, 'exists')) throw error;
  }
}

function readPassphrase(io: Io, source: Exclude<KeySource, { kind: 'key-file' | 'terminal' }>): Secret {
  switch (source.kind) {
    case 'passphrase-file':
      return parsePassphrase(readSecretFile(io, source.path), source.path);
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

function readKey(io: Io, path: string): Uint8Array {
  const bytes = readSecretFile(io, path);
  if (bytes.length !== KEY_LENGTH) throw new PawlError('bad-key-file', { path, bytes: bytes.length });
  return bytes;
}

/**
 * Reads a file, unless other users can read it too. Pipes and files of another owner, such as a mounted secret, are not
 * checked.
 * @throws `exposed-key`, `missing-file`, `read-failed`.
 */
function readSecretFile({ userId }: Io, path: string): Uint8Array {
  const mode = modeOf(path, userId);
  if ((mode & 0o077) !== 0) throw new PawlError('exposed-key', { path, mode: mode.toString(8).padStart(4, '0') });
  return readFile(path, LONGEST_SECRET);
}

/** The mode of a regular file that belongs to the user; 0 for anything else. */
function modeOf(path: string, userId: number | undefined): number {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status?.isFile() && status.uid === userId ? status.mode & 0o777 : 0;
  } catch (cause) {
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
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
