import { PawlError } from '../../errors.ts';
import { type Forgotten, forget, previewForget } from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { count } from '../terminal/format.ts';
import { askYes } from '../terminal/prompt.ts';

export const defineForget: DefineCommand = (program, act) => {
  program
    .command('forget <name>')
    .description('forget a contact with all keys and texts, and withdraw the open invites for NAME')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
It cannot be undone. Messages of theirs that come later cannot be read, and no message that came before brings them
back: it takes a new invite. That an invite was used, and by whom, is remembered for 90 days.

Examples:
  $ pawl forget mallory
  $ pawl forget friends --yes`,
    )
    .action(
      act(async (context, name: string, { yes }: { yes?: true }) => {
        const { reporter } = context;
        const forgotten = await withIdentity(context, async (identity) => {
          const sure = yes || (await ask(context, name, await previewForget(identity, name)));
          return sure ? forget(identity, name) : undefined;
        });
        if (forgotten === undefined) await reporter.notice('nothing was forgotten');
        else if (reporter.json)
          await reporter.document({ type: 'forgotten', name, ...forgotten.contact, invites: forgotten.invites });
        else await reporter.notice(`forgotten: ${inWords(name, forgotten)}`);
        return 0;
      }),
    );
};

/** @throws `usage` where nobody can be asked; `interrupted`. */
async function ask({ io, options }: CommandContext, name: string, previewForget: Forgotten): Promise<boolean> {
  const answer = options.input ? await askYes(io, `forget ${inWords(name, previewForget)}?`) : undefined;
  if (answer !== undefined) return answer;
  throw new PawlError('usage', {
    problem: 'this cannot be undone, and there is no terminal to ask on whether you are sure',
    hint: `pawl forget ${name} --yes`,
  });
}

function inWords(name: string, { contact, invites }: Forgotten): string {
  const parts = [
    ...(contact === undefined ? [] : [`the contact ${name} (${contact.fingerprint})`]),
    ...counted(contact?.sessions, 'session'),
    ...counted(contact?.texts, 'text that was not delivered', 'texts that were not delivered'),
    ...counted(contact?.envelopes, 'envelope that was not written', 'envelopes that were not written'),
    ...counted(contact?.history, 'text of the history', 'texts of the history'),
    ...counted(invites, `open invite for ${name}`, `open invites for ${name}`),
  ];
  return parts.join(', ');
}

function counted(number = 0, noun: string, nouns?: string): readonly string[] {
  if (number === 0) return [];
  return [nouns !== undefined && number > 1 ? `${number} ${nouns}` : count(number, noun)];
}
