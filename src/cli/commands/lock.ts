/**
 * `pawl lock`: has the keys forgotten that `pawl unlock` has given to agents.
 */
import type { CommandContext, DefineCommand } from '../context.ts';
import { endAgents, type Locked } from '../identity/agent.ts';
import { chosenIdentity, namedIdentity } from '../identity/path.ts';
import { count } from '../terminal/format.ts';

export const defineLock: DefineCommand = (program, makeAction) => {
  program
    .command('lock')
    .description('end what pawl unlock began')
    .addHelpText(
      'after',
      `
Of every identity that is unlocked, or of the one that -i or PAWL_IDENTITY names. Where none is, nothing happens.

Examples:
  $ pawl lock
  $ pawl -i alice lock`,
    )
    .action(
      makeAction(
        async (context) => {
          const path = namedIdentity(context) === undefined ? undefined : chosenIdentity(context).path;
          await report(context, await endAgents(context, path));
          return 0;
        },
        () => false,
      ),
    );
};

async function report({ reporter }: CommandContext, { count: forgotten, silent }: Locked): Promise<void> {
  if (reporter.json) await reporter.document({ type: 'locked', count: forgotten, silent });
  else if (forgotten > 0) await reporter.notice(`locked: ${count(forgotten, 'identity', 'identities')}`);
  else if (silent === 0) await reporter.notice('nothing was unlocked');
  if (silent === 0) return;
  const agents = count(silent, 'process has a key and does', 'processes have a key and do');
  await reporter.warn(`${agents} not answer: no command finds it any more, and it ends by itself once it goes on`);
}
