/**
 * Decides where the passphrase or key comes from: an option, an environment variable, or the terminal, before which an
 * agent is asked. Reads none of them.
 */
import { PawlError } from '../../errors.ts';
import type { CommandContext, GlobalOptions } from '../context.ts';
import { STANDARD_INPUT } from '../stream/read.ts';
import type { Io } from '../terminal/io.ts';

/** Where the passphrase or key of an identity file comes from. */
export type KeySource =
  /** A file of 32 bytes: the key itself. Here and below, `-` is standard input. */
  | { readonly kind: 'key-file'; readonly path: string }
  | { readonly kind: 'passphrase-file'; readonly path: string }
  /** A file descriptor, read to its end. */
  | { readonly kind: 'passphrase-fd'; readonly fd: number }
  /** A command line for the shell, which prints the passphrase. */
  | { readonly kind: 'passphrase-command'; readonly command: string }
  | { readonly kind: 'passphrase'; readonly text: string }
  | { readonly kind: 'terminal' };

export type KeyOptions = Pick<GlobalOptions, 'keyFile' | 'passphraseFile' | 'passphraseFd' | 'passphraseCommand'>;

/**
 * Finds the source with the highest priority: options before environment variables, and the terminal last (README, "Keys").
 * Those behind it are not looked at.
 * @throws `usage` if PAWL_PASSPHRASE_FD is not a number; `not-utf8`, `bad-passphrase` for a variable whose bytes were replaced.
 */
export function keySourceOf({ io: { environment }, options }: Pick<CommandContext, 'io' | 'options'>): KeySource {
  return keySourceIn(options) ?? keySourceFrom(environment);
}

function keySourceFrom(environment: Io['environment']): KeySource {
  const keyFile = environment.PAWL_KEY_FILE;
  if (keyFile) return { kind: 'key-file', path: keyFile };
  const passphraseFile = environment.PAWL_PASSPHRASE_FILE;
  if (passphraseFile) return { kind: 'passphrase-file', path: passphraseFile };
  const descriptor = environment.PAWL_PASSPHRASE_FD;
  if (descriptor) return { kind: 'passphrase-fd', fd: parseDescriptor(descriptor) };
  const command = environment.PAWL_PASSPHRASE_COMMAND;
  if (command) return { kind: 'passphrase-command', command };
  const text = environment.PAWL_PASSPHRASE;
  // An empty one is reported as an error later, rather than ignored.
  return text === undefined ? { kind: 'terminal' } : { kind: 'passphrase', text };
}

/**
 * The context in which the passphrase or key is read without a question, or not at all; `undefined` where reading it has
 * side effects. A passphrase command may open a window, and standard input or a file descriptor can be read only once.
 */
export function silently(context: CommandContext): CommandContext | undefined {
  const { kind } = keySourceOf(context);
  const isSilent = kind !== 'passphrase-command' && kind !== 'passphrase-fd' && !readsInput(context);
  return isSilent ? { ...context, options: { ...context.options, input: false } } : undefined;
}

/** Whether the passphrase is typed at a question, where a mistake is likely, and nobody else sees a second try. */
export function isAsked(context: Pick<CommandContext, 'io' | 'options'>): boolean {
  return keySourceOf(context).kind === 'terminal';
}

/**
 * To be called by a command that reads standard input itself, before it does.
 * @param what it reads there.
 * @throws `usage` if the passphrase or key comes from there as well.
 */
export function refuseSharedInput(context: CommandContext, what: string): void {
  if (!readsInput(context)) return;
  throw new PawlError('usage', {
    problem: `${what} and the passphrase or key cannot both come from standard input`,
    hint: 'give the passphrase or key another way: --passphrase-fd 3 3< FILE, --passphrase-file FILE; or name the input as a file',
  });
}

function readsInput(context: Pick<CommandContext, 'io' | 'options'>): boolean {
  const source = keySourceOf(context);
  return 'path' in source ? source.path === STANDARD_INPUT : source.kind === 'passphrase-fd' && source.fd === 0;
}

function keySourceIn({ keyFile, passphraseFile, passphraseFd, passphraseCommand }: KeyOptions): KeySource | undefined {
  if (keyFile !== undefined) return { kind: 'key-file', path: keyFile };
  if (passphraseFile !== undefined) return { kind: 'passphrase-file', path: passphraseFile };
  if (passphraseFd !== undefined) return { kind: 'passphrase-fd', fd: passphraseFd };
  if (passphraseCommand !== undefined) return { kind: 'passphrase-command', command: passphraseCommand };
  return undefined;
}

function parseDescriptor(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new PawlError('usage', {
    problem: `${JSON.stringify(text)} in PAWL_PASSPHRASE_FD is no file descriptor`,
  });
}
