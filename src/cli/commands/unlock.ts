/**
 * `pawl unlock`: has an agent keep the key of an identity file for the commands that follow.
 */
import type { DefineCommand } from '../context.ts';
import { giveToAgent, LONGEST_UNLOCKED } from '../identity/agent.ts';
import { loadNativeParts, withIdentity } from '../identity/open.ts';
import { timeSpan } from '../option-types.ts';
import { iso, timeSpanOf } from '../terminal/format.ts';

/** In milliseconds. */
const USUAL = 15 * 60_000;

export const defineUnlock: DefineCommand = (program, makeAction) => {
  program
    .command('unlock')
    .description('have the passphrase or key asked for once, and not by each command')
    .option('--for <span>', 'how long after each use: 5m, 15m, 8h (15m)', timeSpan(LONGEST_UNLOCKED))
    .addHelpText(
      'after',
      `
A process of pawl keeps the key of the identity file in memory, never the passphrase, and gives it to your own commands.
It forgets it when it was not used for as long as --for says, after 8 hours in any case, by pawl lock, when the
passphrase or key is changed, and soon after you log out, where the system removes $XDG_RUNTIME_DIR then. Unlocking once
more begins anew. A key that is named by an option or in the environment goes before.

Every program that runs as you can ask for the key meanwhile.

Examples:
  $ pawl unlock
  $ pawl -i alice unlock --for 2h`,
    )
    .action(
      makeAction(async (context, { for: idle = USUAL }: { readonly for?: number }) => {
        const { io, reporter } = context;
        await loadNativeParts(context, { asksAgent: false });
        await withIdentity(
          context,
          async ({ name, path, lock }) => {
            await giveToAgent(context, lock, idle);
            const now = io.now();
            if (reporter.json) {
              const times = { expires_at: iso(now + idle), ends_at: iso(now + LONGEST_UNLOCKED) };
              return reporter.document({ type: 'unlocked', name, path, ...times });
            }
            const span = idle === LONGEST_UNLOCKED ? '' : `${timeSpanOf(idle)} after each use, `;
            await reporter.notice(
              `${name} is unlocked: ${span}${timeSpanOf(LONGEST_UNLOCKED)} at most; pawl lock ends it`,
            );
          },
          'unlocks',
        );
        return 0;
      }),
    );
};
