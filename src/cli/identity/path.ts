/**
 * Where identities, marks and the sockets of agents are, and the name of the identity that a command line gives.
 * Makes the folder of the identity files; opens nothing.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { codeOf, makeFolder, reasonOf } from '../../files/index.ts';
import type { CommandContext } from '../context.ts';
import { isDatabase, isMistypedDatabase } from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';

/**
 * Where the identities are: `--home`, else `PAWL_HOME`, else `pawl` in the XDG data folder.
 * @returns the path of a folder, or the URL of a database, which may have a password in it.
 * @throws `no-home`; `usage` for another URL, without repeating it.
 */
export function homeOf({ io, options }: CommandContext): string {
  const home = options.home ?? (io.environment.PAWL_HOME || folderOfPawl(io, 'XDG_DATA_HOME', 'share'));
  if (home === undefined) throw new PawlError('no-home', {});
  if (isMistypedDatabase(home)) {
    throw new PawlError('usage', {
      problem: 'the home is an address, and not that of a PostgreSQL database',
      hint: 'postgres://USER@HOST/DATABASE, or a folder',
    });
  }
  return home;
}

/**
 * The path of the folder of the identity files; `undefined` where the identities are in a database.
 * @throws `no-home`.
 */
export function folderOf(context: CommandContext): string | undefined {
  const home = homeOf(context);
  return isDatabase(home) ? undefined : home;
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
 * @throws `cannot-create`.
 */
export function makeHome({ options, io }: CommandContext, home: string): void {
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

/** The name that `-i` gives, else `PAWL_IDENTITY`; `undefined` without either. */
export function namedIdentity({ io, options }: CommandContext): string | undefined {
  return options.identity ?? (io.environment.PAWL_IDENTITY || undefined);
}
