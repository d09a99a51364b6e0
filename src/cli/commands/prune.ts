/**
 * `pawl prune`: deletes old skipped message keys and expired invites.
 */
import { DAY, dropOldIncoming, prune } from '../../session/index.ts';
import { discardPartialFile } from '../carrier/discard.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { timeSpan } from '../option-types.ts';
import { count } from '../terminal/format.ts';

/** In milliseconds. Every command that writes deletes what is older. */
const KEPT = 30 * DAY;

export const definePrune: DefineCommand = (program, makeAction) => {
  program
    .command('prune')
    .description('delete old keys of missing messages, expired invites, unfinished contents')
    .option('--older-than <time>', 'older than this: 45m, 12h, 8d (30d)', timeSpan(KEPT))
    .addHelpText(
      'after',
      `
Keys of missing messages go by themselves after 30 days, and an invite 7 days after it expires, with the next command
that writes. Large contents of which parts are missing go after 30 days as well, with what came of them. Earlier means that a thief of the file finds less, and that what comes late cannot be read.

Examples:
  $ pawl prune
  $ pawl prune --older-than 2d`,
    )
    .action(
      makeAction(async (context, { olderThan = KEPT }: { olderThan?: number }) => {
        const { skippedKeys, invites, outgoing, incoming } = await withIdentity(context, async (identity) => ({
          incoming: await dropOldIncoming(identity, olderThan),
          ...(await prune(identity, olderThan)),
        }));
        for (const { place } of incoming) await discardPartialFile(context, place);
        const unfinished = incoming.length + outgoing;
        await context.reporter.result(
          [
            count(skippedKeys, 'skipped key'),
            count(invites, 'expired invite'),
            ...(unfinished > 0
              ? [count(unfinished, 'large content that was not finished', 'large contents that were not finished')]
              : []),
          ].join('\n'),
          { type: 'pruned', skipped_keys: skippedKeys, invites, incoming: incoming.length, outgoing },
        );
        return 0;
      }),
    );
};
