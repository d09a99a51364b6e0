import { PawlError } from '../../errors.ts';
import type { CommandContext, GlobalOptions } from '../context.ts';

/** Where the secret of an identity file comes from. */
export type KeySource =
  /** 32 random bytes, the key itself. */
  | { readonly kind: 'key-file'; readonly path: string }
  | { readonly kind: 'passphrase-file'; readonly path: string }
  /** An open file descriptor, read to its end. */
  | { readonly kind: 'passphrase-fd'; readonly fd: number }
  /** A line for the shell, whose output is the passphrase. */
  | { readonly kind: 'passphrase-command'; readonly command: string }
  | { readonly kind: 'passphrase'; readonly text: string }
  | { readonly kind: 'terminal' };

export type KeyOptions = Pick<GlobalOptions, 'keyFile' | 'passphraseFile' | 'passphraseFd' | 'passphraseCommand'>;

/** The first that is given (README, "Keys"): an option, then a variable of the environment, then the terminal. */
export function keySourceOf({ io: { environment }, options }: Pick<CommandContext, 'io' | 'options'>): KeySource {
  const { PAWL_KEY_FILE, PAWL_PASSPHRASE_FILE, PAWL_PASSPHRASE_FD, PAWL_PASSPHRASE_COMMAND } = environment;
  return (
    namedBy(options) ??
    namedBy({
      ...(PAWL_KEY_FILE && { keyFile: PAWL_KEY_FILE }),
      ...(PAWL_PASSPHRASE_FILE && { passphraseFile: PAWL_PASSPHRASE_FILE }),
      ...(PAWL_PASSPHRASE_FD && { passphraseFd: descriptorIn(PAWL_PASSPHRASE_FD) }),
      ...(PAWL_PASSPHRASE_COMMAND && { passphraseCommand: PAWL_PASSPHRASE_COMMAND }),
    }) ??
    // An empty one is a mistake to be told of, and no reason to ask.
    (environment.PAWL_PASSPHRASE === undefined
      ? { kind: 'terminal' }
      : { kind: 'passphrase', text: environment.PAWL_PASSPHRASE })
  );
}

/** Whether the secret is there for the taking. A command may open a window, and an open file can be read once. */
export function asksNothing(context: Pick<CommandContext, 'io' | 'options'>): boolean {
  return ['key-file', 'passphrase-file', 'passphrase'].includes(keySourceOf(context).kind);
}

function namedBy({ keyFile, passphraseFile, passphraseFd, passphraseCommand }: KeyOptions): KeySource | undefined {
  if (keyFile !== undefined) return { kind: 'key-file', path: keyFile };
  if (passphraseFile !== undefined) return { kind: 'passphrase-file', path: passphraseFile };
  if (passphraseFd !== undefined) return { kind: 'passphrase-fd', fd: passphraseFd };
  if (passphraseCommand !== undefined) return { kind: 'passphrase-command', command: passphraseCommand };
  return undefined;
}

function descriptorIn(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new PawlError('usage', {
    problem: `${JSON.stringify(text)} in PAWL_PASSPHRASE_FD is no file descriptor`,
  });
}
