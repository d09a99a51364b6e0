/**
 * `pawl backup`: copies the identity file.
 */
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';

export const defineBackup: DefineCommand = (program, makeAction) => {
  program
    .command('backup <file>')
    .description('write a consistent copy of the identity file, under the same key')
    .addHelpText(
      'after',
      `
To put it back, copy it to where pawl inspect says that the identity file is. It is older than what you sent since: pawl
asks for --after-restore then, and each conversation goes on once the other side has answered, or by a new invite.

Examples:
  $ pawl backup alice-2026.db
  $ pawl -i alice backup /media/stick/alice.db`,
    )
    .action(
      makeAction(async (context, file: string) => {
        await withIdentity(context, async ({ store }) => store.backup(file), 'reads');
        await context.reporter.result(file, { type: 'backup', path: file });
        return 0;
      }),
    );
};
