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
To put it back, here or on another machine: pawl restore FILE.

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
