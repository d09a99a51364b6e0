/**
 * Where identity files are, and which identity a command uses.
 * Makes the folder of the identity files; opens no file.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { codeOf, makeFolder, reasonOf } from '../../files/index.ts';
import { checkName, isName } from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import type { Io } from '../terminal/io.ts';

const SUFFIX = '.db';

/**
 * The path of the folder of the identity files: `--home`, else `PAWL_HOME`, else `pawl` in the XDG data folder.
 * @throws `no-home`.
 */
export function homeOf(context: CommandContext): string {
  const home = findHome(context);
  if (home === undefined) throw new PawlError('no-home', {});
  return home;
}

/** The same; `undefined` where there is none. */
export function findHome({ io, options }: CommandContext): string | undefined {
  return options.home ?? (io.environment.PAWL_HOME || folderOfPawl(io, 'XDG_DATA_HOME', 'share'));
}

/**
 * The folder `pawl` in a folder that an XDG variable names, else in its default below the home folder; `undefined` where
 * there is neither. The specification of the variables has relative paths ignored.
 */
function folderOfPawl(
  io: Io,
  variable: 'XDG_DATA_HOME' | 'XDG_STATE_HOME',
  name: 'share' | 'state',
): string | undefined {
  const folder = io.environment[variable];
  if (folder !== undefined && isAbsolute(folder)) return join(folder, 'pawl');
  const home = io.home();
  return home && join(home, '.local', name, 'pawl');
}

/** Where marks are kept; or why none are. */
export type Marks =
  /** The path of a folder, which need not exist. */
  | { readonly folder: string }
  /** `isChosen`: the place is one that keeps nothing, so that a notice is enough. */
  | { readonly folder: undefined; readonly why: string; readonly isChosen: boolean };

/**
 * Where the marks are, which record how far each identity file has advanced: `pawl` in the XDG state folder. It is apart
 * from the identity files, so that restoring a backup of those does not restore the marks. None are kept where
 * `PAWL_MARKS` is `none`, without a home folder, and where root would have to make folders in the home of another user.
 * @throws `usage` for any other value of `PAWL_MARKS`.
 */
export function marksOf({ io }: CommandContext): Marks {
  const { PAWL_MARKS } = io.environment;
  if (PAWL_MARKS === 'none') return { folder: undefined, why: 'PAWL_MARKS is none', isChosen: true };
  if (PAWL_MARKS)
    throw new PawlError('usage', { problem: `PAWL_MARKS can only be none, not ${JSON.stringify(PAWL_MARKS)}` });
  const folder = folderOfPawl(io, 'XDG_STATE_HOME', 'state');
  if (folder === undefined) return { folder, why: 'there is no home folder', isChosen: true };
  if (isMadeForAnother(io, folder)) return { folder: undefined, why: `${NOT_BY_ROOT}: ${folder}`, isChosen: false };
  return { folder };
}

/**
 * The folder where agents give out the keys of identity files, which need not exist: `pawl` in the XDG folder of what runs,
 * which goes with the login; else `agent` beside the marks.
 * @throws `no-agent` without a home folder, and where root would have to make folders in one of another user's.
 */
export function agentFolderOf(context: Pick<CommandContext, 'io'>): string {
  const [folder] = agentFoldersOf(context);
  const { io } = context;
  if (folder === undefined) throw new PawlError('no-agent', { reason: 'there is no home folder' });
  if (isMadeForAnother(io, folder)) throw new PawlError('no-agent', { reason: `${NOT_BY_ROOT}: ${folder}` });
  return folder;
}

/** That folder first, then where it would be for a command without the variable: a key may have been given out there. */
export function agentFoldersOf({ io }: Pick<CommandContext, 'io'>): readonly string[] {
  const { XDG_RUNTIME_DIR: runtime } = io.environment;
  const isThere = runtime !== undefined && isAbsolute(runtime) && existsSync(runtime);
  const state = folderOfPawl(io, 'XDG_STATE_HOME', 'state');
  return [...(isThere ? [join(runtime, 'pawl')] : []), ...(state === undefined ? [] : [join(state, 'agent')])];
}

const NOT_BY_ROOT = 'root makes no folders in the home of another user';

/** Whether root would make a folder, found by the variables, where another user could not use it. */
function isMadeForAnother({ userId }: Io, folder: string): boolean {
  return userId === 0 && (ownerOfNearest(folder) ?? 0) !== 0;
}

/**
 * Makes the folder of the identity files, unless it is there. A folder that was named, by `--home` or `PAWL_HOME`, is made
 * anywhere.
 * @throws `no-home`, `cannot-create`.
 */
export function makeHome(context: CommandContext): void {
  const home = homeOf(context);
  const { options, io } = context;
  const isNamed = options.home !== undefined || Boolean(io.environment.PAWL_HOME);
  if (!isNamed && isMadeForAnother(io, home)) throw new PawlError('cannot-create', { path: home, reason: NOT_BY_ROOT });
  try {
    makeFolder(home);
  } catch (cause) {
    // Another pawl has created it in the meantime.
    if (codeOf(cause) === 'EEXIST') return;
    throw new PawlError('cannot-create', { path: home, reason: reasonOf(cause) }, { cause });
  }
}

/** The owner of the folder that a missing folder would be made in; `undefined` where the folder exists. */
function ownerOfNearest(folder: string): number | undefined {
  if (existsSync(folder)) return undefined;
  let parent = dirname(folder);
  while (!existsSync(parent)) parent = dirname(parent);
  return statSync(parent).uid;
}

/**
 * The path of the identity file of that name, whether or not it exists.
 * @throws `bad-name`.
 */
export function pathOf(context: CommandContext, name: string): string {
  return join(homeOf(context), checkName(name) + SUFFIX);
}

/** The name that `-i` gives, else `PAWL_IDENTITY`; `undefined` without either. */
export function namedIdentity({ io, options }: CommandContext): string | undefined {
  return options.identity ?? (io.environment.PAWL_IDENTITY || undefined);
}

/**
 * The identity that the command uses: `-i`, else `PAWL_IDENTITY`, else the only one in the folder.
 * @throws `bad-name`, `identity-missing`, `no-identity`, `several-identities`.
 */
export function chosenIdentity(context: CommandContext): { name: string; path: string } {
  const home = homeOf(context);
  const chosen = namedIdentity(context);
  if (chosen !== undefined) {
    const path = pathOf(context, chosen);
    if (!existsSync(path)) throw new PawlError('identity-missing', { name: chosen, home, known: identitiesIn(home) });
    return { name: chosen, path };
  }
  const names = identitiesIn(home);
  const [name] = names;
  if (name === undefined) throw new PawlError('no-identity', { home });
  if (names.length > 1) throw new PawlError('several-identities', { names });
  return { name, path: pathOf(context, name) };
}

/**
 * The names of the identities in a folder, sorted; none if there is no such folder.
 * @throws `read-failed`.
 */
export function identitiesIn(home: string | undefined): readonly string[] {
  if (home === undefined || !existsSync(home)) return [];
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
