import { existsSync, statSync, writeFileSync } from 'node:fs';
import { isPawlError, PawlError } from '../../errors.ts';
import { makeFile, readDescriptor, readFile, reasonOf } from '../../files/index.ts';
import { utf8 } from '../../primitives/index.ts';
import type { CommandContext } from '../context.ts';
import type { Io } from '../terminal/io.ts';
import { askSecret, showOnTerminal } from '../terminal/prompt.ts';
import { type KeyOptions, type KeySource, keySourceOf } from './key-source.ts';

/** What opens an identity file: a key as it is, or a passphrase that one is derived from. */
export type Secret =
  | { readonly kind: 'key'; readonly bytes: Uint8Array }
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array };

const KEY_LENGTH = 32;
/** Nobody types more; a device has no end. */
export const LONGEST_SECRET = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * The secret of the identity file at `path`, from the first source that is given.
 * @param isNew it is to lock the file from now on: asked for twice, and an empty answer lets words be made.
 * @throws `missing-file`, `read-failed`, `exposed-key`, `bad-key-file`, `empty-passphrase`, `several-lines`,
 * `passphrase-command`, `no-passphrase`, `interrupted`.
 */
export async function secretFor(context: CommandContext, path: string, isNew = false): Promise<Secret> {
  const source = keySourceOf(context);
  switch (source.kind) {
    case 'key-file':
      return { kind: 'key', bytes: readKey(context.io, source.path) };
    case 'terminal':
      return isNew ? askNew(context, path) : ask(context, path, `passphrase of ${path}`);
    default:
      return passphraseFrom(context.io, source);
  }
}

/** The secret that is to take the place of the present one: in a file that was named, or asked for twice on the terminal. */
export async function newSecretFor(context: CommandContext, path: string, files: KeyOptions): Promise<Secret> {
  const { input, wait } = context.options;
  // What the environment names is the present secret.
  const io = { ...context.io, environment: {} };
  if (files.keyFile !== undefined) createKeyFile(context, files.keyFile);
  try {
    return await secretFor({ ...context, io, options: { input, wait, ...files } }, path, true);
  } catch (error) {
    throw isPawlError(error, 'no-passphrase') ? new PawlError('no-passphrase', { path, isNew: true }) : error;
  }
}

/**
 * Makes a key file of 32 random bytes; an existing one is left as it is. It is never taken back: somebody else may have
 * locked an identity with it by then.
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

function passphraseFrom(io: Io, source: Exclude<KeySource, { kind: 'key-file' | 'terminal' }>): Secret {
  switch (source.kind) {
    case 'passphrase-file':
      return firstLine(readSecretFile(io, source.path), source.path);
    case 'passphrase-fd': {
      const name = `file descriptor ${source.fd}`;
      return firstLine(readDescriptor(source.fd, name, LONGEST_SECRET), name);
    }
    case 'passphrase-command':
      return firstLine(outputOf(io, source.command), 'the output of the passphrase command');
    case 'passphrase':
      return passphrase(utf8(source.text), 'PAWL_PASSPHRASE');
  }
}

function readKey(io: Io, path: string): Uint8Array {
  const bytes = readSecretFile(io, path);
  if (bytes.length !== KEY_LENGTH) throw new PawlError('bad-key-file', { path, bytes: bytes.length });
  return bytes;
}

/** Refuses a file that others can read; but a pipe has no readers to speak of, and a mounted secret is not ours to change. */
function readSecretFile({ userId }: Io, path: string): Uint8Array {
  const mode = modeOf(path, userId);
  if ((mode & 0o077) !== 0) throw new PawlError('exposed-key', { path, mode: mode.toString(8).padStart(4, '0') });
  return readFile(path, LONGEST_SECRET);
}

/** The mode of a file of ours; 0 for what is none, or none of ours. */
function modeOf(path: string, userId: number | undefined): number {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status?.isFile() && status.uid === userId ? status.mode & 0o777 : 0;
  } catch (cause) {
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

function outputOf(io: Io, command: string): Uint8Array {
  const { output, failure } = io.runCommand(command, LONGEST_SECRET);
  if (failure !== undefined) throw new PawlError('passphrase-command', { reason: failure });
  return output;
}

async function ask(context: CommandContext, path: string, question: string): Promise<Secret> {
  return passphrase(utf8(await answerTo(context, path, question)), 'your answer');
}

async function answerTo({ io, options }: CommandContext, path: string, question: string): Promise<string> {
  const answer = options.input ? await askSecret(io, question) : undefined;
  if (answer === undefined) throw new PawlError('no-passphrase', { path });
  return answer;
}

async function askNew(context: CommandContext, path: string): Promise<Secret> {
  for (;;) {
    const first = await answerTo(context, path, 'new passphrase (leave it empty for ten random words)');
    if (first === '') return generated(context, path);
    const second = await answerTo(context, path, 'once more');
    if (first === second) return passphrase(utf8(first), 'your answer');
    await context.reporter.warn('the two passphrases differ: try again');
  }
}

/** Ten words, shown once and only on the terminal. */
async function generated({ io }: CommandContext, path: string): Promise<Secret> {
  const { randomWords } = await import('./random-words.ts');
  const words = randomWords(io.random);
  await showOnTerminal(io, `the passphrase of ${path}, shown this once; write it down:\n\n  ${words}\n\n`);
  return passphrase(utf8(words), 'your answer');
}

function passphrase(bytes: Uint8Array, source: string): Secret {
  if (bytes.length === 0) throw new PawlError('empty-passphrase', { source });
  return { kind: 'passphrase', bytes };
}

/**
 * The one line there is, without its newline, as editors and `echo` write it. More than one is taken for a mistake: the
 * wrong file, or a note below the passphrase, which another program would pass over.
 */
function firstLine(bytes: Uint8Array, source: string): Secret {
  const line = withoutNewline(bytes);
  if (line.includes(NEWLINE)) throw new PawlError('several-lines', { source });
  return passphrase(line, source);
}

function withoutNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}
