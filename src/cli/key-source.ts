import { existsSync, statSync, writeFileSync } from 'node:fs';
import { isPawlError, PawlError } from '../errors.ts';
import { makeFile, readFile, reasonOf } from '../files/index.ts';
import { utf8 } from '../primitives/index.ts';
import type { Io } from './io.ts';
import { askSecret } from './prompt.ts';
import type { GlobalOptions, Shell } from './shell.ts';

/** What opens an identity file: a key as it is, or a passphrase that one is derived from. */
export type Secret =
  | { readonly kind: 'key'; readonly bytes: Uint8Array }
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array };

const KEY_LENGTH = 32;
/** Nobody types more; a device has no end. */
const LONGEST_SECRET = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The key file that was named, if one was and nothing before it in the order of sources. */
export function keyFileOf({ io, options }: Shell): string | undefined {
  if (options.keyFile !== undefined || options.passphraseFile !== undefined) return options.keyFile;
  return io.environment.PAWL_KEY_FILE || undefined;
}

/**
 * The secret of the identity file at `path`, from the first source that is given (README, "Keys").
 * @param confirm asks twice, as for a new passphrase.
 * @throws `missing-file`, `read-failed`, `exposed-key`, `bad-key-file`, `empty-passphrase`, `no-passphrase`, `interrupted`.
 */
export async function secretFor(shell: Shell, path: string, confirm = false): Promise<Secret> {
  const { io, options } = shell;
  const keyFile = keyFileOf(shell);
  if (keyFile !== undefined) return { kind: 'key', bytes: readKey(io, keyFile) };
  const passphraseFile = options.passphraseFile ?? (io.environment.PAWL_PASSPHRASE_FILE || undefined);
  if (passphraseFile !== undefined) {
    return passphrase(withoutNewline(readSecretFile(io, passphraseFile)), passphraseFile);
  }
  const fromEnvironment = io.environment.PAWL_PASSPHRASE;
  if (fromEnvironment !== undefined) return passphrase(utf8(fromEnvironment), 'PAWL_PASSPHRASE');
  return confirm ? await askNew(shell, path) : await ask(shell, path, `passphrase of ${path}`);
}

/** The secret that is to take the place of the present one: in a file that was named, or asked for twice on the terminal. */
export async function newSecretFor(
  shell: Shell,
  path: string,
  files: Pick<GlobalOptions, 'keyFile' | 'passphraseFile'>,
): Promise<Secret> {
  const { input, wait } = shell.options;
  // What the environment names is the present secret.
  const io = { ...shell.io, environment: {} };
  if (files.keyFile !== undefined) createKeyFile(shell, files.keyFile);
  return secretFor({ ...shell, io, options: { input, wait, ...files } }, path, true);
}

/**
 * Makes a key file of 32 random bytes; an existing one is left as it is. It is never taken back: somebody else may have
 * locked an identity with it by then.
 * @throws `cannot-create`.
 */
export function createKeyFile({ io }: Shell, path: string): void {
  if (existsSync(path)) return;
  try {
    makeFile(path, (draft) => writeFileSync(draft, io.random(KEY_LENGTH)));
  } catch (error) {
    if (!isPawlError(error, 'exists')) throw error;
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

async function ask({ io, options }: Shell, path: string, question: string): Promise<Secret> {
  const answer = options.input ? await askSecret(io, question) : undefined;
  if (answer === undefined) throw new PawlError('no-passphrase', { path });
  return passphrase(utf8(answer), 'your answer');
}

async function askNew(shell: Shell, path: string): Promise<Secret> {
  for (;;) {
    const first = await ask(shell, path, `new passphrase for ${path}`);
    const second = await ask(shell, path, 'once more');
    if (Buffer.from(first.bytes).equals(second.bytes)) return first;
    await shell.tell.warn('the two passphrases differ: try again');
  }
}

function passphrase(bytes: Uint8Array, source: string): Secret {
  if (bytes.length === 0) throw new PawlError('empty-passphrase', { source });
  return { kind: 'passphrase', bytes };
}

/** One trailing newline, as editors and `echo` write it, is not part of a passphrase. */
function withoutNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}
