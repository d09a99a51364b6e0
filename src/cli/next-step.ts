import { contactNames } from '../session/index.ts';
import { homeOf, identitiesIn } from './identity-path.ts';
import { asksNothing } from './key-source.ts';
import type { Shell } from './shell.ts';
import { withIdentity } from './unlock.ts';

/** What to type where nothing was: told by how far one has come, as far as this is known without asking. */
export async function nextStep(shell: Shell): Promise<string> {
  const rest = 'pawl help lists the commands';
  if (identitiesIn(homeOf(shell)).length === 0) return `make an identity first: pawl init NAME; ${rest}`;
  const names = asksNothing(shell) ? await withIdentity(shell, contactNames, 'reads').catch(() => []) : [];
  const [name] = names;
  return name === undefined
    ? `meet somebody: pawl invite bob -o for-bob.txt, or pawl add bob FILE; ${rest}`
    : `pawl send ${name}, pawl recv, or pawl inspect for what needs attention; ${rest}`;
}
