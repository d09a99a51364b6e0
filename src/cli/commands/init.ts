/**
 * `pawl init`: creates an identity and its file.
 */
import type { Retention } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { createIdentity } from '../identity/make.ts';
import { retention } from '../option-types.ts';
import { HISTORY_WARNING } from '../show/history.ts';

export const defineInit: DefineCommand = (program, makeAction) => {
  program
    .command('init <identity>')
    .description('make an identity and its encrypted file')
    .option('--history <time>', 'keep delivered and sent texts: on, or for 30d (off)', retention)
    .addHelpText(
      'after',
      `
With --key-file FILE, makes FILE as well unless it exists; keep it apart from the identity file.

Examples:
  $ pawl init alice
  $ pawl init alice --key-file /media/stick/alice.key`,
    )
    .action(
      makeAction(async (context, name: string, { history = 'off' }: { history?: Retention }) => {
        const { path, fingerprint } = await createIdentity(context, name, history);
        await context.reporter.result(`${path}\nfingerprint ${fingerprint}`, {
          type: 'created',
          name,
          path,
          fingerprint,
        });
        await context.reporter.notice(
          'without this file and its passphrase or key, nobody can read what is sent to you',
        );
        await context.reporter.notice('next: pawl invite NAME, or with an invite of theirs pawl add NAME FILE');
        if (history !== 'off') await context.reporter.notice(HISTORY_WARNING);
        return 0;
      }),
    );
};
