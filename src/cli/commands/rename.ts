import { rename } from '../../session/index.ts';
import type { Define } from '../context.ts';
import { withIdentity } from '../identity/open.ts';

export const defineRename: Define = (program, act) => {
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
      act(async (shell, name: string, newName: string) => {
        const { tell } = shell;
        await withIdentity(shell, (identity) => rename(identity, name, newName));
        if (tell.json) await tell.document({ type: 'renamed', from: name, to: newName });
        else await tell.notice(`${name} is ${newName} from now on`);
        return 0;
      }),
    );
};
