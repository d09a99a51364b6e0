/**
 * `pawl lock`: has the keys forgotten that `pawl unlock` has given to agents.
 */
import type { CommandContext, DefineCommand } from '../context.ts';
import { endAgents, type Locked, notForgotten } from '../identity/agent.ts';
import { count } from '../terminal/format.ts';

/** As for an identity that another pawl holds: README, "Exit codes". */
const STILL_THERE = 75;

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
        async (context) => report(context, await endAgents(context)),
        () => false,
      ),
    );
};

/** @returns the exit code. */
async function report({ reporter }: CommandContext, { count: forgotten, silent }: Locked): Promise<number> {
  if (reporter.json) await reporter.document({ type: 'locked', count: forgotten, silent });
  else if (forgotten > 0) await reporter.notice(`locked: ${count(forgotten, 'identity', 'identities')}`);
  else if (silent === 0) await reporter.notice('nothing was unlocked');
  if (silent === 0) return 0;
  await reporter.warn(notForgotten(silent));
  return STILL_THERE;
}
