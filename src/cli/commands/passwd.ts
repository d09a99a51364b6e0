/**
 * `pawl passwd`: encrypts the identity file under another passphrase or key.
 */
import { PawlError } from '../../errors.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { refuseSharedInput } from '../identity/key-source.ts';
import { changeSecret } from '../identity/make.ts';
import { loadNativeParts, type OpenIdentity, withIdentity } from '../identity/open.ts';
import { nextSecretFor } from '../identity/secret.ts';
import { STANDARD_INPUT } from '../stream/read.ts';
import { explain } from '../terminal/error-messages.ts';

interface PasswdOptions {
  readonly newKeyFile?: string;
  readonly newPassphraseFile?: string;
}

export const definePasswd: DefineCommand = (program, makeAction) => {
  program
    .command('passwd')
    .description('lock the identity file with a new passphrase or key file')
    .option('--new-key-file <file>', 'with this key file, which is made unless it exists')
    .option('--new-passphrase-file <file>', 'with the passphrase in this file')
    .addHelpText(
      'after',
      `
Asks for the new passphrase on the terminal, unless a file is named. The one that it has already is refused. Older copies and backups still open with the
old one. The file is replaced by a new one, all at once, which takes room for both.

Examples:
  $ pawl passwd
  $ pawl passwd --new-key-file alice.key`,
    )
    .action(
      makeAction(async (context, options: PasswdOptions) => {
        checkOptions(context, options);
        await loadNativeParts(context, { isNewPassphrase: options.newKeyFile === undefined, asksAgent: false });
        const { newKeyFile, newPassphraseFile } = options;
        const change = async (identity: OpenIdentity) => {
          const files = {
            ...(newKeyFile !== undefined && { keyFile: newKeyFile }),
            ...(newPassphraseFile !== undefined && { passphraseFile: newPassphraseFile }),
          };
          await changeSecret(context, identity, await nextSecretFor(context, identity.title, files));
          await reportRekeyed(context, identity);
        };
        await withIdentity(context, change, 'rekeys');
        await context.reporter.notice('from now on it opens with the new one');
        await context.reporter.notice('older copies of the file still open with the old passphrase or key');
        return 0;
      }),
    );
};

function checkOptions(context: CommandContext, { newKeyFile, newPassphraseFile }: PasswdOptions): void {
  if (newKeyFile !== undefined && newPassphraseFile !== undefined) {
    const problem = '--new-key-file and --new-passphrase-file do not go together';
    throw new PawlError('usage', { problem, hint: 'give one of them' });
  }
  if (newKeyFile === STANDARD_INPUT) {
    const problem = 'a new key file needs a name, and cannot be standard input or output';
    throw new PawlError('usage', { problem, hint: 'pawl passwd --new-key-file FILE, or --new-passphrase-file -' });
  }
  if (newPassphraseFile === STANDARD_INPUT) refuseSharedInput(context, 'the new passphrase');
}

/**
 * The exit code tells which key opens the file, so it is 0 even if the result cannot be written: the old passphrase or key
 * does not open the file any more.
 */
async function reportRekeyed({ reporter }: CommandContext, { path, title }: OpenIdentity): Promise<void> {
  try {
    await reporter.result(title, { type: 'rekeyed', path });
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    await reporter.warn(
      `the new passphrase or key is in force, and only the result could not be written: ${explain(error).message}`,
    );
  }
}
