/**
 * `pawl log`: shows the texts that the history keeps.
 */
import { historyReport, log } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { pointInTime } from '../option-types.ts';
import { logDocument, logLines } from '../show/history.ts';

interface LogOptions {
  readonly since?: ReturnType<typeof pointInTime>;
}

export const defineLog: DefineCommand = (program, makeAction) => {
  program
    .command('log [name]')
    .description('show the texts that history keeps, with NAME or with all, oldest first')
    .option('--since <time>', 'not what is older: 3h, 2d, 2026-01-31, 2026-01-31T14:00', pointInTime)
    .addHelpText(
      'after',
      `
Of a file it shows name and size, of bytes that are no text and of texts over 64 KiB the size. The exact texts are in
--json. A text of yours is kept once it is encrypted, even if its envelope was never written: pawl outbox. Nothing is
kept unless you want it: pawl history 30d.

Examples:
  $ pawl log bob --since 2d
  $ pawl log --json | jq -r 'select(.direction == "received").text // empty'`,
    )
    .action(
      makeAction(async (context, name: string | undefined, { since }: LogOptions) => {
        const { reporter } = context;
        await withIdentity(
          context,
          async (identity) => {
            const wanted = {
              ...(name !== undefined && { contact: name }),
              ...(since !== undefined && { since: since(identity.now()) }),
            };
            let isEmpty = true;
            for await (const slice of log(identity, wanted)) {
              isEmpty = false;
              if (reporter.json) {
                for (const logged of slice) await reporter.document(logDocument(logged));
              } else {
                await reporter.result(slice.flatMap(logLines).join('\n'), { type: 'log' });
              }
            }
            if (!isEmpty) return;
            const { on } = await historyReport(identity);
            await reporter.notice(on ? 'nothing is kept yet' : 'history is off, so nothing is kept: pawl history 30d');
          },
          'reads',
        );
        return 0;
      }),
    );
};
