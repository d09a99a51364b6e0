/**
 * `pawl forget`: deletes a contact and everything about it, after asking. Parts of contents that lie at a place go as well.
 */
import { PawlError } from '../../errors.ts';
import { formatRoute } from '../../places/index.ts';
import { type BoxToEmpty, type Forgotten, forget, previewForget } from '../../session/index.ts';
import { LIST_SIGN } from '../addressees.ts';
import { discardPartialFile } from '../carrier/discard.ts';
import { PartBoxes } from '../carrier/part-boxes.ts';
import { Places } from '../carrier/places.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { type OpenIdentity, withIdentity } from '../identity/open.ts';
import { count } from '../terminal/format.ts';
import { confirm } from '../terminal/prompt.ts';

export const defineForget: DefineCommand = (program, makeAction) => {
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
      makeAction(async (context, name: string, { yes }: { yes?: true }) => {
        const { reporter } = context;
        const forgotten = await withIdentity(context, async (identity) => {
          const sure = yes || (await confirmForget(context, name, await previewForget(identity, name)));
          if (!sure) return undefined;
          const all = await forget(identity, name);
          if (all.boxes.length > 0) await emptyBoxes(context, identity, all.boxes);
          return all;
        });
        for (const place of forgotten?.partialFiles ?? []) await discardPartialFile(context, place);
        if (forgotten === undefined) await reporter.notice('nothing was forgotten');
        else if (reporter.json) {
          const { contact, invites } = forgotten;
          const lists = contact && { lists: contact.lists.length };
          await reporter.document({ type: 'forgotten', name, ...contact, ...lists, invites });
        } else await reporter.notice(`forgotten: ${describe(name, forgotten)}`);
        return 0;
      }),
    );
};

/** The identity file knows nothing of these boxes any more: what cannot be removed now, stays as long as the place keeps it. */
async function emptyBoxes(
  context: CommandContext,
  identity: OpenIdentity,
  boxes: readonly BoxToEmpty[],
): Promise<void> {
  const places = new Places(context);
  try {
    const emptied = await new PartBoxes(context, identity, places, { follows: false }).empty(boxes);
    const [first] = boxes;
    if (first === undefined || emptied.length === boxes.length) return;
    const title = formatRoute(first.route);
    await context.reporter.warn(
      `${title} cannot be reached: parts of large contents may lie there still, which nobody can read any more`,
    );
  } finally {
    await places.close();
  }
}

/** @throws `usage` if there is no terminal; `interrupted`. */
async function confirmForget({ io, options }: CommandContext, name: string, losses: Forgotten): Promise<boolean> {
  const answer = options.input ? await confirm(io, `forget ${describe(name, losses)}?`) : undefined;
  if (answer !== undefined) return answer;
  throw new PawlError('usage', {
    problem: 'this cannot be undone, and there is no terminal to ask on whether you are sure',
    hint: `pawl forget ${name} --yes`,
  });
}

function describe(name: string, { contact, invites }: Forgotten): string {
  const parts = [
    ...(contact === undefined ? [] : [`the contact ${name} (${contact.fingerprint})`]),
    ...countIfAny(contact?.sessions, 'session'),
    ...countIfAny(contact?.texts, 'text that was not delivered', 'texts that were not delivered'),
    ...countIfAny(contact?.envelopes, 'envelope that was not written', 'envelopes that were not written'),
    ...countIfAny(contact?.history, 'text of the history', 'texts of the history'),
    ...countIfAny(contact?.unfinished, 'large content that was not finished', 'large contents that were not finished'),
    ...placesIn(contact?.lists),
    ...countIfAny(invites, `open invite for ${name}`, `open invites for ${name}`),
  ];
  return parts.join(', ');
}

function placesIn(lists: readonly string[] = []): readonly string[] {
  if (lists.length === 0) return [];
  if (lists.length > FEW_LISTS) return [`its place in ${lists.length} lists`];
  return [`its place in ${lists.map((name) => LIST_SIGN + name).join(' and ')}`];
}

/** So many lists are named. */
const FEW_LISTS = 2;

function countIfAny(number = 0, noun: string, nouns?: string): readonly string[] {
  return number === 0 ? [] : [count(number, noun, nouns)];
}
