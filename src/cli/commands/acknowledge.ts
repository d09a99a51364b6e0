/**
 * `pawl acknowledge`: marks the contradictions in the messages of a contact as known.
 */
import { acknowledgeForks } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { count } from '../terminal/format.ts';

export const defineAcknowledge: DefineCommand = (program, makeAction) => {
  program
    .command('acknowledge <name>')
    .description('mark the contradictions in the messages of NAME as known')
    .addHelpText(
      'after',
      `
Messages contradict each other where one of the two identities was copied, restored from a backup, or is in other
hands. Find out which (pawl verify NAME), and exchange a new invite, before you acknowledge it. Then pawl inspect and pawl
contacts do not ask for attention any more. pawl inspect NAME still has what was found, and a new contradiction asks for
attention again. Nothing else changes.

Examples:
  $ pawl acknowledge bob
  $ pawl acknowledge bob --json`,
    )
    .action(
      makeAction(async (context, name: string) => {
        const { reporter } = context;
        const forks = await withIdentity(context, (identity) => acknowledgeForks(identity, name));
        if (reporter.json) await reporter.document({ type: 'acknowledged', contact: name, forks });
        else if (forks === 0) await reporter.notice(`nothing of ${name} waits to be acknowledged`);
        else await reporter.notice(`acknowledged: ${count(forks, 'contradiction')} in the messages of ${name}`);
        return 0;
      }),
    );
};
