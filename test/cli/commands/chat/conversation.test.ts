import { expect, it } from 'vitest';
import { Conversation } from '../../../../src/cli/commands/chat/conversation.ts';
import type { ChatScreen } from '../../../../src/cli/commands/chat/screen.ts';
import { type Context, claim, LEASE, listWaiting, receive } from '../../../../src/session/index.ts';
import { NOTHING_SETTLED } from '../../../session/party.ts';
import { aliceAndBob, messages } from '../recv/people.ts';

it('shows no text that another machine has taken over while the one before was shown', async () => {
  const { alice, bob, context, identity, inbox } = await aliceAndBob();
  await receive({ ...bob.context, process: 'ended' }, await messages(alice, 'one', 'two', 'three'), {});
  const here = { ...identity, process: 'here', isRunning: (name: string) => name === 'here' };
  const there: Context = { ...bob.context, process: 'there', isRunning: () => undefined };
  const shown: string[] = [];
  let goOn: () => void = () => undefined;
  const secondIsShown = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const show = async (words: string): Promise<void> => {
    shown.push(words);
    if (shown.length > 1) return goOn();
    bob.time += LEASE;
    await claim(there, (await listWaiting(there)).slice(1, 2), NOTHING_SETTLED);
  };
  Object.assign(context.reporter, { end: () => undefined });
  const screen = { context, columns: 80, rows: 24, show } as unknown as ChatScreen;
  const conversation = new Conversation(screen, here, 'alice');
  conversation.follow().catch(() => undefined);
  await secondIsShown;
  await conversation.end();
  expect(shown).toEqual([expect.stringContaining('one'), expect.stringContaining('three')]);
  expect(await inbox()).toHaveLength(1);
});
