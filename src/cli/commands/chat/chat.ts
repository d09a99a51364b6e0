/**
 * `pawl chat`: what has to be there before a conversation on the terminal begins, and how it ends.
 */
import { PawlError } from '../../../errors.ts';
import { checkBoxes, routeFor } from '../../../session/index.ts';
import { checkTrust } from '../../carrier/places.ts';
import type { CommandContext, DefineCommand } from '../../context.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import type { Terminal } from '../../terminal/io.ts';

export const defineChat: DefineCommand = (program, makeAction) => {
  program
    .command('chat <name>')
    .description('what comes from NAME along the route, and a line to type')
    .addHelpText(
      'after',
      `
It begins with what the history keeps (pawl history 30d). Return sends the line; what is pasted is one message, however many
lines it has: \u2424 stands for the end of each. Files, and messages of others, wait for pawl recv. What cannot be handed over
waits, and is once the place is back. Ctrl-D ends it, and hands over first; Ctrl-C ends it at once.

Examples:
  $ pawl chat bob
  $ pawl chat bob --passphrase-file ~/.pawl-passphrase`,
    )
    .action(makeAction(chat));
};

async function chat(context: CommandContext, name: string): Promise<number> {
  const { io, options, reporter } = context;
  if (reporter.json) throw new PawlError('usage', { problem: 'chat and --json do not go together', hint: INSTEAD });
  if (!options.input || !io.input.isTerminal || !io.output.isTerminal) throw noTerminal();
  await withIdentity(context, async (identity) => {
    await checkReachable(identity, name);
    const terminal = io.openTerminal();
    if (terminal === undefined) throw noTerminal();
    try {
      await converse(context, identity, { name, terminal });
    } finally {
      terminal.close();
    }
  });
  return 0;
}

const INSTEAD = 'pawl recv --follow, and pawl send NAME';

function noTerminal(): PawlError {
  return new PawlError('usage', { problem: 'chat needs a terminal to show and to read on', hint: INSTEAD });
}

async function checkReachable(identity: OpenIdentity, name: string): Promise<void> {
  const route = await routeFor(identity, name);
  if (route === undefined) {
    throw new PawlError('usage', { problem: `there is no route to ${name}`, hint: `pawl route ${name} dir:FOLDER` });
  }
  checkTrust(route);
  // There is nobody to send to yet; what comes first opens the conversation.
  if (!route.isForInvite) await checkBoxes(identity, name);
}

/** @throws `interrupted` after Ctrl-C, and what receiving throws. */
async function converse(
  context: CommandContext,
  identity: OpenIdentity,
  { name, terminal }: { readonly name: string; readonly terminal: Terminal },
): Promise<void> {
  const [{ ChatScreen }, { Conversation }] = await Promise.all([import('./screen.ts'), import('./conversation.ts')]);
  const screen = new ChatScreen(context);
  const conversation = new Conversation(screen, identity, name);
  try {
    await conversation.begin();
    const lines = screen.open(terminal, `to ${name}: `, (line) => conversation.say(line));
    const how = await Promise.race([lines.ended, conversation.follow()]);
    screen.close();
    // From here on, Ctrl-C ends the process.
    terminal.close();
    if (how === 'interrupted') throw new PawlError('interrupted', {});
    await conversation.finish();
  } finally {
    screen.close();
    await conversation.end();
  }
}
