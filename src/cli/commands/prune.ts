/**
 * `pawl prune`: deletes old skipped message keys and expired invites.
 */
import { DAY, prune } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { timeSpan } from '../option-types.ts';
import { count } from '../terminal/format.ts';

/** In milliseconds. Every command that writes deletes what is older. */
const KEPT = 30 * DAY;

export const definePrune: DefineCommand = (program, makeAction) => {
  program
    .command('prune')
    .description('delete old keys of missing messages, and expired invites')
    .option('--older-than <time>', 'older than this: 45m, 12h, 8d (30d)', timeSpan(KEPT))
    .addHelpText(
      'after',
      `
Keys of missing messages go by themselves after 30 days, and an invite 7 days after it expires, with the next command
that writes. Earlier means that a thief of the file finds less, and that what comes late cannot be read.

Examples:
  $ pawl prune
  $ pawl prune --older-than 2d`,
    )
    .action(
      makeAction(async (context, { olderThan = KEPT }: { olderThan?: number }) => {
        const { skippedKeys, invites } = await withIdentity(context, (identity) => prune(identity, olderThan));
        await context.reporter.result(`${count(skippedKeys, 'skipped key')}\n${count(invites, 'expired invite')}`, {
          type: 'pruned',
          skipped_keys: skippedKeys,
          invites,
        });
        return 0;
      }),
    );
};
