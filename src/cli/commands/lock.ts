/**
 * `pawl lock`: has the keys forgotten that `pawl unlock` has given to agents.
 */
import type { DefineCommand } from '../context.ts';
import { endAgents } from '../identity/agent.ts';
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
          const { reporter } = context;
          const path = namedIdentity(context) === undefined ? undefined : chosenIdentity(context).path;
          const { count: forgotten, silent } = await endAgents(context, path);
          if (reporter.json) await reporter.document({ type: 'locked', count: forgotten, silent });
          else
            await reporter.notice(
              forgotten === 0 ? 'nothing was unlocked' : `locked: ${count(forgotten, 'identity', 'identities')}`,
            );
          if (silent > 0) {
            const agents = count(silent, 'process has a key and does', 'processes have a key and do');
            await reporter.warn(
              `${agents} not answer; no command finds it any more, and it ends by itself once it goes on`,
            );
          }
          return 0;
        },
        () => false,
      ),
    );
};
