/**
 * `pawl rename`: changes the name of a contact.
 */
import { rename } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { count } from '../terminal/format.ts';

export const defineRename: DefineCommand = (program, makeAction) => {
  program
    .command('rename <old> <new>')
    .description('call the contact OLD from now on NEW')
    .option('--keep-invites', 'open invites for OLD stay for OLD')
    .addHelpText(
      'after',
      `
Names are yours alone: the other side is not told, and the conversation goes on. An open invite for OLD is for the same
person, and so for NEW from then on; with --keep-invites it is still for OLD, whom somebody else becomes who uses it.

Examples:
  $ pawl rename bob robert
  $ pawl rename friends-2 carol`,
    )
    .action(
      makeAction(async (context, name: string, newName: string, { keepInvites }: { keepInvites?: true }) => {
        const { reporter } = context;
        const options = { keepInvites: keepInvites === true };
        const invites = await withIdentity(context, (identity) => rename(identity, name, newName, options));
        const moved = invites === 0 ? '' : `, and so is ${count(invites, 'open invite')} for ${name}`;
        if (reporter.json) await reporter.document({ type: 'renamed', from: name, to: newName, invites });
        else await reporter.notice(`${name} is ${newName} from now on${moved}`);
        return 0;
      }),
    );
};
