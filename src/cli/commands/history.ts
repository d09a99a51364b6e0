/**
 * `pawl history`: shows or changes how long texts are kept, after asking if that deletes some.
 */
import { PawlError } from '../../errors.ts';
import { countDeletable, historyReport, type Retention, setHistory } from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { retention } from '../option-types.ts';
import { HISTORY_WARNING, historyFields, historyWords } from '../show/history.ts';
import { count, timeSpanOf } from '../terminal/format.ts';
import { confirm } from '../terminal/prompt.ts';

export const defineHistory: DefineCommand = (program, makeAction) => {
  program
    .command('history')
    .argument('[setting]', 'on, off, or for how long: 12h, 30d, 8w', retention)
    .description('keep delivered and sent texts, or not; show what is set')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Off at first: a text that has been delivered is nowhere in the file any more. Where texts are kept, pawl log shows them,
and so does the file to whoever has it with its passphrase or key. With a time, each goes after it, with the next command
that writes; off deletes all of them.

Examples:
  $ pawl history 30d
  $ pawl history off --yes`,
    )
    .action(
      makeAction(async (context, setting: Retention | undefined, { yes = false }: { yes?: boolean }) => {
        if (setting === undefined) await showSetting(context);
        else await setRetention(context, setting, yes);
        return 0;
      }),
    );
};

async function showSetting(context: CommandContext): Promise<void> {
  const report = await withIdentity(context, historyReport, 'reads');
  await context.reporter.result(historyWords(report), { type: 'history', ...historyFields(report) });
}

async function setRetention(context: CommandContext, setting: Retention, yes: boolean): Promise<void> {
  const { reporter } = context;
  await withIdentity(context, async (identity) => {
    const before = await countDeletable(identity, setting);
    if (before > 0 && !yes && !(await confirmDeletion(context, setting, before)))
      return reporter.notice('nothing was changed');
    const deleted = await setHistory(identity, setting);
    const report = await historyReport(identity);
    if (reporter.json) return reporter.document({ type: 'history', ...historyFields(report), deleted });
    await reporter.notice(`history: ${historyWords(report)}`);
    if (deleted > 0) await reporter.notice(`deleted: ${count(deleted, 'text')}`);
    if (report.on) await reporter.notice(HISTORY_WARNING);
  });
}

/** @throws `usage` if there is no terminal; `interrupted`. */
async function confirmDeletion({ io, options }: CommandContext, setting: Retention, texts: number): Promise<boolean> {
  const question = `delete ${count(texts, 'text')} of the history?`;
  const answer = options.input ? await confirm(io, question) : undefined;
  if (answer !== undefined) return answer;
  throw new PawlError('usage', {
    problem: `this deletes ${count(texts, 'text')}, and there is no terminal to ask on whether you are sure`,
    hint: `pawl history ${typeof setting === 'number' ? timeSpanOf(setting) : setting} --yes`,
  });
}
