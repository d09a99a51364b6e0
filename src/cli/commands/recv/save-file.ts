import type { FileContent } from '../../../envelope/index.ts';
import { PawlError } from '../../../errors.ts';
import type { Folder } from '../../../files/index.ts';
import { replaceInvisible } from '../../terminal/format.ts';

/** A file of a message that is in its folder: put there now, or there already with the same bytes. */
export interface Saved {
  readonly path: string;
  readonly how: 'put' | 'was there';
  /** The name that it came with, where that was not used. */
  readonly called: string | undefined;
}

/**
 * Puts a file into a folder under the name that it came with, made harmless.
 * @param options.force what is there is replaced.
 * @returns what became of it; or why it could not be put there, which is for the person to decide: `exists`, `write-failed`.
 */
export function saveFile(
  folder: Folder,
  { name, bytes }: FileContent,
  { force = false }: { readonly force?: boolean },
): Saved | { readonly error: PawlError } {
  const own = harmless(name);
  try {
    const how = folder.put(own, bytes, { replace: force });
    return { path: folder.pathOf(own), how, called: own === name ? undefined : name };
  } catch (error) {
    if (error instanceof PawlError) return { error };
    throw error;
  }
}

/**
 * A name under which a stranger's file does no harm: programs read by themselves what is hidden (`.profile`), take a dash
 * for an option (`rm *`), and a name that turns the direction of writing around hides what it ends with. What leads out of
 * a folder has no name that can travel (`isFileName`).
 */
export function harmless(name: string): string {
  return replaceInvisible(name, () => '_').replace(/^[.-]/, '_');
}
