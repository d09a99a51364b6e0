/**
 * `pawl rename`: changes the name of a contact.
 */
import { rename } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';

export const defineRename: DefineCommand = (program, makeAction) => {
  program
    .command('rename <old> <new>')
    .description('call the contact OLD from now on NEW')
    .addHelpText(
      'after',
      `
Names are yours alone: the other side is not told, and the conversation goes on.

Examples:
  $ pawl rename bob robert
  $ pawl rename friends-2 carol`,
    )
    .action(
      makeAction(async (context, name: string, newName: string) => {
        const { reporter } = context;
        await withIdentity(context, (identity) => rename(identity, name, newName));
        if (reporter.json) await reporter.document({ type: 'renamed', from: name, to: newName });
        else await reporter.notice(`${name} is ${newName} from now on`);
        return 0;
      }),
    );
};
