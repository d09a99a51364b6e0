import type { BadInput } from './bad-input.ts';
import { COMMAND_LINE } from './command-line.ts';
import { CONVERSATIONS } from './conversations.ts';
import { ENVELOPES } from './envelopes.ts';
import { INVITES } from './invites.ts';
import { FILES, KEYS } from './keys-and-files.ts';

/** What can be wrong, in lists by where it is. */
export const BAD_INPUT: Readonly<Record<string, readonly BadInput[]>> = {
  envelopes: ENVELOPES,
  invites: INVITES,
  'the command line': COMMAND_LINE,
  conversations: CONVERSATIONS,
  keys: KEYS,
  'identity files': FILES,
};
