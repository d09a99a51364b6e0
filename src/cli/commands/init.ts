/**
 * `pawl init`: creates an identity.
 */
import type { Retention } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { createIdentity } from '../identity/make.ts';
import { MAY_LOSE } from '../identity/marks.ts';
import { retention } from '../option-types.ts';
import { HISTORY_WARNING } from '../show/history.ts';
import { isDatabase } from '../terminal/format.ts';

export const defineInit: DefineCommand = (program, makeAction) => {
  program
    .command('init <identity>')
    .description('make an identity, encrypted in a file or database')
    .option('--history <time>', 'keep delivered and sent texts: on, or for 30d (off)', retention)
    .addHelpText(
      'after',
      `
With --key-file FILE, makes FILE as well unless it exists; keep it apart from the identity file.

Examples:
  $ pawl init alice
  $ pawl init alice --key-file /media/stick/alice.key
  $ pawl init bot --home postgres://bot@db.example/pawl`,
    )
    .action(
      makeAction(async (context, name: string, { history = 'off' }: { history?: Retention }) => {
        const { path, title, fingerprint, mayLose } = await createIdentity(context, name, history);
        await context.reporter.result(`${title}\nfingerprint ${fingerprint}`, {
          type: 'created',
          name,
          path,
          fingerprint,
        });
        await context.reporter.notice(
          `without this ${isDatabase(path) ? 'database and the' : 'file and its'} passphrase or key, nobody can read what is sent to you`,
        );
        if (mayLose) await context.reporter.notice(MAY_LOSE);
        await context.reporter.notice('next: pawl invite NAME, or with an invite of theirs pawl add NAME FILE');
        if (history !== 'off') await context.reporter.notice(HISTORY_WARNING);
        return 0;
      }),
    );
};
