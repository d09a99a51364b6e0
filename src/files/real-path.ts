/**
 * Paths with symbolic links resolved.
 */
import { realpathSync } from 'node:fs';
import { PawlError } from '../errors.ts';

/** What Node puts in the place of bytes that are no UTF-8. */
export const REPLACEMENT = '\ufffd';

/**
 * Resolves the symbolic links in a path. The working folder, and those that links lead to, may have names that are no UTF-8:
 * what Node makes of such a name leads elsewhere.
 * @throws `not-utf8`; the errors of the system.
 */
export function realPath(path: string): string {
  return textPath(realpathSync.native(textPath(path)));
}

function textPath(path: string): string {
  if (path.includes(REPLACEMENT)) throw new PawlError('not-utf8', { what: `the path ${path}` });
  return path;
}
