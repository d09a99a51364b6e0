/**
 * The files that commands make, and those that none may take the place of: identity files, keys, inputs.
 * Writes nothing itself.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PawlError } from '../../errors.ts';
import { Folder, type IsPrecious, inodeAt, isStream, OutputFile, realPath } from '../../files/index.ts';
import type { CommandContext } from '../context.ts';
import { STANDARD_INPUT } from '../stream/read.ts';
import { keySourceOf } from './key-source.ts';
import { folderOf, marksOf } from './path.ts';

/** What SQLite and `passwd` put beside an identity file. They also remove it, whoever has put it there. */
const BESIDE = ['-journal', '-draft', '-draft-journal', '-wal', '-shm'];
const OF_AN_IDENTITY = new RegExp(`\\.db(${BESIDE.join('|')})?$`);

const PART_OF_AN_IDENTITY = 'an identity file, or part of one';

/** The paths of the files that a command reads; `-` is standard input. */
type Inputs = readonly string[];

/**
 * Chooses the file that a command writes its result to, before it commits anything.
 * @throws `exists`, `protected`, `cannot-create`.
 */
export function outputFileAt(
  context: CommandContext,
  path: string,
  { force = false, inputs = [] }: { readonly force?: boolean | undefined; readonly inputs?: Inputs },
): OutputFile {
  return new OutputFile(path, { force, userId: context.io.userId, isPrecious: preciousFor(context, inputs) });
}

/**
 * Opens the folder that a command puts files into.
 * @throws `no-folder`, `write-failed`.
 */
export function outputFolderAt(context: CommandContext, path: string, inputs: Inputs = []): Folder {
  return new Folder(path, preciousFor(context, inputs));
}

/**
 * Refuses a path where an identity file or a part of one is, or would be looked for. What a command makes there, such as a
 * backup or a key file, would be taken for it, and removed.
 * @throws `protected`.
 */
export function refusePlaceOfIdentity(context: CommandContext, path: string): void {
  // A pipe is nowhere.
  if (isStream(path)) return;
  const folder = dirname(resolve(path));
  // A folder that is missing is none of ours; nothing can be made in it either.
  if (!existsSync(folder)) return;
  const located = existsSync(path) ? realPath(path) : join(realPath(folder), basename(path));
  if (isPlaceOfIdentity(folderOf(context), located)) {
    throw new PawlError('protected', { path, what: PART_OF_AN_IDENTITY });
  }
}

function preciousFor(context: CommandContext, inputs: Inputs): IsPrecious {
  const home = folderOf(context);
  return (path, inode) => {
    if (isPlaceOfIdentity(home, path)) return PART_OF_AN_IDENTITY;
    if (inode === undefined) return undefined;
    const is = (file: string) => leadsTo(file, inode);
    const parts = filesIn(home).filter((file) => OF_AN_IDENTITY.test(file));
    if ([...parts, ...placesBehindLinks(home)].some(is)) return PART_OF_AN_IDENTITY;
    const { folder: marks } = marksOf(context);
    if (marks !== undefined && filesIn(marks).some(is)) return 'a mark of pawl';
    const source = keySourceOf(context);
    if ('path' in source && is(pathOfInput(source.path))) {
      return source.kind === 'key-file' ? 'the key file' : 'the passphrase file';
    }
    if (source.kind === 'passphrase-fd' && is(`/dev/fd/${source.fd}`)) return 'the passphrase file';
    return inputs.map(pathOfInput).some(is) ? 'the input' : undefined;
  };
}

/**
 * @param home the folder of the identity files; `undefined` where there are none.
 * @param path absolute; its folder without symbolic links.
 */
function isPlaceOfIdentity(home: string | undefined, path: string): boolean {
  if (home === undefined) return false;
  const isInHome = existsSync(home) && realPath(home) === dirname(path);
  return (isInHome && OF_AN_IDENTITY.test(basename(path))) || placesBehindLinks(home).includes(path);
}

/** Where the identity files are that the home only has links to, and what is or would be beside them. */
function placesBehindLinks(home: string | undefined): readonly string[] {
  const files = filesIn(home).filter((file) => file.endsWith('.db') && existsSync(file));
  return files.map((file) => realPath(file)).flatMap((file) => [file, ...BESIDE.map((suffix) => file + suffix)]);
}

/** Standard input may be a file, too. */
function pathOfInput(path: string): string {
  return path === STANDARD_INPUT ? '/dev/stdin' : path;
}

function filesIn(folder: string | undefined): readonly string[] {
  if (folder === undefined) return [];
  try {
    return readdirSync(folder).map((file) => join(folder, file));
  } catch {
    return [];
  }
}

/** A file that cannot be looked at is not the one that was found. */
function leadsTo(path: string, inode: string): boolean {
  try {
    return inodeAt(path) === inode;
  } catch {
    return false;
  }
}
