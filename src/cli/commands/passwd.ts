/**
 * `pawl passwd`: encrypts the identity file under another passphrase or key.
 */
import { PawlError } from '../../errors.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { changeSecret, withIdentity } from '../identity/open.ts';
import { newSecretFor } from '../identity/secret.ts';
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
Asks for the new passphrase on the terminal, unless a file is named. Older copies and backups still open with the
old one. The file is replaced by a new one, all at once, which takes room for both.

Examples:
  $ pawl passwd
  $ pawl passwd --new-key-file alice.key`,
    )
    .action(
      makeAction(async (context, { newKeyFile, newPassphraseFile }: PasswdOptions) => {
        await withIdentity(context, async (identity) => {
          const files = {
            ...(newKeyFile !== undefined && { keyFile: newKeyFile }),
            ...(newPassphraseFile !== undefined && { passphraseFile: newPassphraseFile }),
          };
          await changeSecret(context, identity, await newSecretFor(context, identity.path, files));
          await reportRekeyed(context, identity.path);
        });
        await context.reporter.notice('from now on it opens with the new one');
        await context.reporter.notice('older copies of the file still open with the old passphrase or key');
        return 0;
      }),
    );
};

/**
 * The exit code tells which key opens the file, so it is 0 even if the result cannot be written: the old passphrase or key
 * does not open the file any more.
 */
async function reportRekeyed({ reporter }: CommandContext, path: string): Promise<void> {
  try {
    await reporter.result(path, { type: 'rekeyed', path });
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    await reporter.warn(
      `the new passphrase or key is in force, and only the result could not be written: ${explain(error).message}`,
    );
  }
}
