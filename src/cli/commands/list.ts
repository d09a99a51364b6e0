/**
 * `pawl list`: shows, makes, changes and deletes lists of contacts, which `send @NAME` sends to.
 */
import { PawlError } from '../../errors.ts';
import {
  changeList,
  deleteList,
  type ListChange,
  type ListReport,
  listNamed,
  listReports,
} from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { listRow } from '../show/list.ts';
import { table } from '../terminal/format.ts';

interface ListOptions {
  readonly add?: true;
  readonly remove?: true;
  readonly delete?: true;
}

export const defineList: DefineCommand = (program, makeAction) => {
  program
    .command('list [list] [contacts...]')
    .description('show, make or change a list of contacts, for pawl send @LIST')
    .option('--add', 'add the contacts to those that are in it')
    .option('--remove', 'take the contacts out of it')
    .option('--delete', 'delete the list, and no contact')
    .addHelpText(
      'after',
      `
A list is yours alone: nobody is told of it, nor of who else is in it. It has the contacts themselves: who is renamed stays
in it, who is forgotten is not in it any more, and nobody gets into it by a name that was freed. A list that nobody is in is
none.

Examples:
  $ pawl list ops bob carol            makes it, or replaces who is in it
  $ pawl list ops --add dave
  $ pawl list
  $ pawl list ops --delete`,
    )
    .action(
      makeAction(async (context, name: string | undefined, contacts: readonly string[], options: ListOptions) => {
        const change = checkOptions(name, contacts, options);
        if (name === undefined) await show(context);
        else if (options.delete) await remove(context, name);
        else if (contacts.length === 0) await show(context, name);
        else await alter(context, name, { change, names: contacts });
        return 0;
      }),
    );
};

/** @throws `usage`. */
function checkOptions(name: string | undefined, contacts: readonly string[], options: ListOptions): ListChange {
  const { add, remove: removes, delete: deletes } = options;
  const given = [add && '--add', removes && '--remove', deletes && '--delete'].filter(Boolean);
  const problem = (text: string, hint = 'pawl help list') => new PawlError('usage', { problem: text, hint });
  if (given.length > 1) throw problem(`${given.join(' and ')} do not go together`);
  if (given.length > 0 && name === undefined) throw problem(`${given.join()} goes with a list`);
  if (deletes && contacts.length > 0)
    throw problem('--delete goes with a list alone', `to take contacts out of it: pawl list ${name} --remove NAME...`);
  if ((add ?? removes) && contacts.length === 0) throw problem(`${given.join()} goes with contacts`);
  return add ? 'add' : removes ? 'remove' : 'set';
}

async function show(context: CommandContext, name?: string): Promise<void> {
  const { reporter } = context;
  const lists = await withIdentity(
    context,
    async (identity) => (name === undefined ? listReports(identity) : [await listNamed(identity, name)]),
    'reads',
  );
  if (reporter.json) for (const list of lists) await reporter.document(documentOf(list));
  else if (lists.length > 0) await reporter.lines(table(lists.map(listRow)).join('\n'));
  else await reporter.notice('there are no lists: pawl list LIST NAME...; pawl contacts lists whom you know');
}

async function alter(
  context: CommandContext,
  name: string,
  given: { readonly change: ListChange; readonly names: readonly string[] },
): Promise<void> {
  const { reporter } = context;
  const list = await withIdentity(context, (identity) => changeList(identity, name, given));
  const { contacts } = list;
  if (reporter.json) await reporter.document(documentOf(list));
  else if (contacts.length === 0) await reporter.notice(`the list ${name} is deleted: nobody is in it any more`);
  else await reporter.notice(`in the list ${name}: ${contacts.join(', ')}`);
}

async function remove(context: CommandContext, name: string): Promise<void> {
  const { reporter } = context;
  const { contacts } = await withIdentity(context, (identity) => deleteList(identity, name));
  if (reporter.json) await reporter.document(documentOf({ name, contacts: [] }));
  else await reporter.notice(`the list ${name} is deleted; it had ${contacts.join(', ')}`);
}

function documentOf({ name, contacts }: ListReport) {
  return { type: 'list', name, contacts };
}
