/**
 * `pawl passwd`: encrypts the identity file under another passphrase or key.
 */
import type { DefineCommand } from '../context.ts';
import { changeSecret, withIdentity } from '../identity/open.ts';
import { newSecretFor } from '../identity/secret.ts';

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
          await context.reporter.result(identity.path, { type: 'rekeyed', path: identity.path });
        });
        await context.reporter.notice('from now on it opens with the new one');
        await context.reporter.notice('older copies of the file still open with the old passphrase or key');
        return 0;
      }),
    );
};
