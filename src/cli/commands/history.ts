import { PawlError } from '../../errors.ts';
import { countDeletable, historyReport, type Retention, setHistory } from '../../session/index.ts';
import type { Define, Shell } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { retention } from '../option-types.ts';
import { historyFields, historyWords, WHO_READS_IT } from '../show/history.ts';
import { count, timeSpanOf } from '../terminal/format.ts';
import { askYes } from '../terminal/prompt.ts';

export const defineHistory: Define = (program, act) => {
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
      act(async (shell, setting: Retention | undefined, { yes = false }: { yes?: boolean }) => {
        if (setting === undefined) await show(shell);
        else await set(shell, setting, yes);
        return 0;
      }),
    );
};

async function show(shell: Shell): Promise<void> {
  const report = await withIdentity(shell, historyReport, 'reads');
  await shell.tell.result(historyWords(report), { type: 'history', ...historyFields(report) });
}

async function set(shell: Shell, setting: Retention, yes: boolean): Promise<void> {
  const { tell } = shell;
  await withIdentity(shell, async (identity) => {
    const before = await countDeletable(identity, setting);
    if (before > 0 && !yes && !(await ask(shell, setting, before))) return tell.notice('nothing was changed');
    const deleted = await setHistory(identity, setting);
    const report = await historyReport(identity);
    if (tell.json) return tell.document({ type: 'history', ...historyFields(report), deleted });
    await tell.notice(`history: ${historyWords(report)}`);
    if (deleted > 0) await tell.notice(`deleted: ${count(deleted, 'text')}`);
    if (report.on) await tell.notice(WHO_READS_IT);
  });
}

/** @throws `usage` where nobody can be asked; `interrupted`. */
async function ask({ io, options }: Shell, setting: Retention, texts: number): Promise<boolean> {
  const question = `delete ${count(texts, 'text')} of the history?`;
  const answer = options.input ? await askYes(io, question) : undefined;
  if (answer !== undefined) return answer;
  throw new PawlError('usage', {
    problem: `this deletes ${count(texts, 'text')}, and there is no terminal to ask on whether you are sure`,
    hint: `pawl history ${typeof setting === 'number' ? timeSpanOf(setting) : setting} --yes`,
  });
}
