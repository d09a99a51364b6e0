/**
 * The files that commands write their results to, and those that no result may replace: identity files, keys, inputs.
 * Writes nothing itself.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { inodeAt, OutputFile, realPath } from '../../files/index.ts';
import type { CommandContext } from '../context.ts';
import { STANDARD_INPUT } from '../stream/read.ts';
import { keySourceOf } from './key-source.ts';
import { homeOf, marksOf } from './path.ts';

/** Identity files, and what the database and `passwd` put beside them. */
const OF_AN_IDENTITY = /\.db(-journal|-draft|-draft-journal|-wal|-shm)?$/;

const PART_OF_AN_IDENTITY = 'an identity file, or part of one';

/**
 * Chooses the file that a command writes its result to, before it commits anything.
 * @param options.inputs the paths of the files that the command reads; `-` is standard input.
 * @throws `exists`, `protected`, `cannot-create`.
 */
export function outputFileAt(
  context: CommandContext,
  path: string,
  { force = false, inputs = [] }: { readonly force?: boolean | undefined; readonly inputs?: readonly string[] },
): OutputFile {
  const home = homeOf(context);
  const isPrecious = (target: string, inode: string | undefined): string | undefined => {
    if (isFolder(home, dirname(target)) && OF_AN_IDENTITY.test(basename(target))) return PART_OF_AN_IDENTITY;
    if (inode === undefined) return undefined;
    const is = (file: string) => leadsTo(file, inode);
    const parts = filesIn(home).filter((file) => OF_AN_IDENTITY.test(file));
    if (parts.some(is)) return PART_OF_AN_IDENTITY;
    const { folder: marks } = marksOf(context);
    if (marks !== undefined && filesIn(marks).some(is)) return 'a mark of pawl';
    const source = keySourceOf(context);
    if ('path' in source && source.path !== STANDARD_INPUT && is(source.path)) {
      return source.kind === 'key-file' ? 'the key file' : 'the passphrase file';
    }
    return inputs.some((file) => file !== STANDARD_INPUT && is(file)) ? 'the input' : undefined;
  };
  return new OutputFile(path, { force, userId: context.io.userId, isPrecious });
}

function filesIn(folder: string): readonly string[] {
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

function isFolder(folder: string, real: string): boolean {
  return existsSync(folder) && realPath(folder) === real;
}
