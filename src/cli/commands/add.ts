import { add } from '../../session/index.ts';
import type { Define } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { readInviteFrom } from '../stream/envelopes.ts';

export const defineAdd: Define = (program, act) => {
  program
    .command('add <name> [file]')
    .description('keep the invite of the person you call NAME')
    .addHelpText(
      'after',
      `
Reads standard input unless a FILE is given. The conversation opens with your first message. Until you
have compared the safety number (pawl verify NAME), NAME is whoever made this invite.

Examples:
  $ pawl add alice from-alice.txt
  $ pbpaste | pawl add alice`,
    )
    .action(
      act(async (shell, name: string, file: string | undefined) => {
        const { tell } = shell;
        const invite = await readInviteFrom(shell, file);
        const added = await withIdentity(shell, (identity) => add(identity, name, invite));
        await tell.result(added.fingerprint, { type: 'contact', name: added.name, fingerprint: added.fingerprint });
        if (added.name !== name) await tell.notice(`this person is known already, and stays ${added.name}`);
        if (added.answeredBefore) await tell.notice('this invite was answered already: nothing was changed');
        else await tell.notice(`the conversation opens with the first message: pawl send ${added.name}`);
        return 0;
      }),
    );
};
