/**
 * Who else can get at an identity: its file is made accessible to its owner only, and what cannot be mended is told.
 * Knows nothing of what is in the file.
 */
import { realpathSync, statSync } from 'node:fs';
import type { CommandContext } from '../context.ts';
import { shellWord } from '../terminal/format.ts';

/** An open identity file. */
export interface OpenFile {
  /** As it was given. */
  readonly path: string;
  tighten(userId: number | undefined): 'tightened' | 'open' | undefined;
}

/** Takes away what others may do with an identity file, and tells of that. */
export async function keepOthersOut({ io, reporter }: CommandContext, store: OpenFile): Promise<void> {
  const found = store.tighten(io.userId);
  if (found === 'tightened') await reporter.warn(`${store.path} could be read by others: its mode is 0600 now`);
  if (found === 'open') await reporter.warn(`${store.path} can be read by others, and its mode cannot be changed`);
}

/**
 * Tells of folders that others can write to, each once: of the home, and of the one that an identity file is in, if the home
 * has only a link to it. They could remove or replace the files in it; where the folder has
 * a sticky bit, as /tmp has, they could still put files there, such as an identity or a journal for one.
 */
export async function warnOfOthers({ io, reporter }: CommandContext, ...folders: readonly string[]): Promise<void> {
  if (io.userId === undefined) return;
  const known = new Set<string>();
  for (const folder of folders) {
    const real = realOf(folder);
    if (real === undefined || known.has(real)) continue;
    known.add(real);
    if (isOpenToOthers(real)) {
      await reporter.warn(
        `others can write to ${folder}, and replace or add files there: chmod go-w ${shellWord(folder)}`,
      );
    }
  }
}

function realOf(folder: string): string | undefined {
  try {
    return realpathSync(folder);
  } catch {
    return undefined;
  }
}

function isOpenToOthers(folder: string): boolean {
  return ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o022) !== 0;
}
