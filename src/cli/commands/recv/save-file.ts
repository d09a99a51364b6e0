/**
 * Saves a received file in a folder, under a name that is safe there.
 * Knows nothing of the inbox.
 */
import type { FileContent } from '../../../envelope/index.ts';
import { isPawlError, PawlError } from '../../../errors.ts';
import type { Folder } from '../../../files/index.ts';
import { replaceInvisible } from '../../terminal/format.ts';

/** A received file in the folder: `put` now, or there before with the same bytes. */
export interface Saved {
  readonly path: string;
  readonly how: 'put' | 'was there';
  /** The name that the sender gave it, if it was saved under another one. */
  readonly originalName: string | undefined;
}

/**
 * Saves a file under the name that the sender gave it, made safe.
 * @param options.force replace another file of that name.
 * @returns the saved file, or the error if it cannot be saved: `exists`, `protected`, `write-failed`.
 */
export function saveFile(
  folder: Folder,
  { name, bytes }: FileContent,
  { force = false }: { readonly force?: boolean },
): Saved | { readonly error: PawlError } {
  const safeName = sanitizeFileName(name);
  try {
    const how = folder.put(safeName, bytes, { replace: force });
    return { path: folder.pathOf(safeName), how, originalName: safeName === name ? undefined : name };
  } catch (error) {
    if (isPawlError(error, 'exists')) return { error: new PawlError('exists', { ...error.detail, waits: true }) };
    if (error instanceof PawlError) return { error };
    throw error;
  }
}

/**
 * Makes the name of a file from a stranger safe. Programs read hidden files (`.profile`) unasked and take a leading dash
 * for an option (`rm *`), and bidirectional controls can hide the extension. Names that lead out of the folder cannot be
 * sent at all (`isFileName`).
 */
export function sanitizeFileName(name: string): string {
  return replaceInvisible(name, () => '_').replace(/^[.-]/, '_');
}
