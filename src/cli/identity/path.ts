/**
 * Where identity files are, and which identity a command uses.
 * Opens no file.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { reasonOf } from '../../files/index.ts';
import { checkName, isName } from '../../session/index.ts';
import type { CommandContext } from '../context.ts';

const SUFFIX = '.db';

/** The path of the folder of the identity files: `--home`, else `PAWL_HOME`, else `pawl` in the XDG data folder. */
export function homeOf({ io, options }: CommandContext): string {
  const { PAWL_HOME, XDG_DATA_HOME } = io.environment;
  return options.home ?? (PAWL_HOME || join(XDG_DATA_HOME || join(io.home(), '.local', 'share'), 'pawl'));
}

/**
 * The path of the folder of the marks, which record how far each identity file has advanced. It is apart from the identity
 * files, so that restoring a backup of those does not restore the marks.
 */
export function marksOf({ io }: CommandContext): string {
  return join(io.environment.XDG_STATE_HOME || join(io.home(), '.local', 'state'), 'pawl');
}

/**
 * The path of the identity file of that name, whether or not it exists.
 * @throws `bad-name`.
 */
export function pathOf(context: CommandContext, name: string): string {
  return join(homeOf(context), checkName(name) + SUFFIX);
}

/**
 * The identity that the command uses: `-i`, else `PAWL_IDENTITY`, else the only one in the folder.
 * @throws `bad-name`, `identity-missing`, `no-identity`, `several-identities`.
 */
export function chosenIdentity(context: CommandContext): { name: string; path: string } {
  const home = homeOf(context);
  const chosen = context.options.identity ?? (context.io.environment.PAWL_IDENTITY || undefined);
  if (chosen !== undefined) {
    const path = pathOf(context, chosen);
    if (!existsSync(path)) throw new PawlError('identity-missing', { name: chosen, home });
    return { name: chosen, path };
  }
  const names = identitiesIn(home);
  const [name] = names;
  if (name === undefined) throw new PawlError('no-identity', { home });
  if (names.length > 1) throw new PawlError('several-identities', { names });
  return { name, path: pathOf(context, name) };
}

/**
 * The names of the identities in a folder, sorted; none if the folder does not exist.
 * @throws `read-failed`.
 */
export function identitiesIn(home: string): readonly string[] {
  if (!existsSync(home)) return [];
  try {
    return readdirSync(home)
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
      .filter(isName)
      .sort();
  } catch (cause) {
    throw new PawlError('read-failed', { path: home, reason: reasonOf(cause) }, { cause });
  }
}
