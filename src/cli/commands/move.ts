/**
 * `pawl move`: moves an identity to another folder of identity files, into a database, or out of one.
 */
import { resolve } from 'node:path';
import { PawlError } from '../../errors.ts';
import type { DefineCommand } from '../context.ts';
import { MAY_LOSE } from '../identity/marks.ts';
import { moveIdentityTo } from '../identity/move.ts';
import { isAddress } from '../terminal/format.ts';

export const defineMove: DefineCommand = (program, makeAction) => {
  program
    .command('move')
    .description('move the identity to another folder or database')
    .requiredOption('--to <home>', 'a folder of identity files, or a database: postgres://user@host/db')
    .addHelpText(
      'after',
      `
With all that belongs to it, under the same passphrase or key. From the moment it leaves, no command uses it where it was, and
it is deleted there once it has been read back where it is now. If anything stops in between, the same command goes on.

Backups of before, and what a database keeps in its own logs and backups, are not deleted.

Examples:
  $ pawl -i bot move --to postgres://bot@db.example/pawl
  $ pawl --home postgres://bot@db.example/pawl move --to ~/.local/share/pawl`,
    )
    .action(
      makeAction(async (context, { to }: { readonly to: string }) => {
        if (to === '') throw new PawlError('usage', { problem: '--to names a folder or a database' });
        // It is found again from any folder.
        const { name, from, path, title, mayLose } = await moveIdentityTo(context, isAddress(to) ? to : resolve(to));
        const { reporter } = context;
        await reporter.result(title, { type: 'moved', name, from, path });
        await reporter.notice(`${from} is deleted; name the new place by --home or PAWL_HOME`);
        if (mayLose) await reporter.notice(MAY_LOSE);
        return 0;
      }),
    );
};
