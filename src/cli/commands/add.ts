/**
 * `pawl add`: adds a contact from an invite.
 */
import { add, checkName } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { refuseSharedInput } from '../identity/key-source.ts';
import { withIdentity } from '../identity/open.ts';
import { readInviteFrom } from '../stream/envelopes.ts';
import { STANDARD_INPUT } from '../stream/read.ts';

export const defineAdd: DefineCommand = (program, makeAction) => {
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
      makeAction(async (context, name: string, file: string | undefined) => {
        const { reporter } = context;
        checkName(name);
        const readsInput = file === undefined || file === STANDARD_INPUT;
        if (readsInput) refuseSharedInput(context, 'the invite');
        // What is pasted comes after the passphrase: a wrong one must not throw it away.
        const early = readsInput && context.io.input.isTerminal ? undefined : await readInviteFrom(context, file);
        const added = await withIdentity(context, async (identity) =>
          add(identity, name, early ?? (await readInviteFrom(context, file))),
        );
        await reporter.result(`fingerprint ${added.fingerprint}`, {
          type: 'contact',
          name: added.name,
          fingerprint: added.fingerprint,
        });
        if (added.name !== name) await reporter.notice(`this person is known already, and stays ${added.name}`);
        if (added.answeredBefore) await reporter.notice('this invite was answered already: nothing was changed');
        else
          await reporter.notice(
            `the conversation opens with the first message: pawl send ${added.name} (carried by itself: pawl route ${added.name} dir:FOLDER first)`,
          );
        return 0;
      }),
    );
};
