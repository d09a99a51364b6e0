/**
 * Whether a file is on a read-only mount, as secrets in containers are: nobody changes it there, its mode neither.
 * Knows nothing of who may read it.
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import { codeOf } from './system-error.ts';

/**
 * Tells whether nothing can be written through this path. Permissions do not matter.
 * @param path absolute, with symbolic links resolved.
 */
export function isOnReadOnlyMount(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    if (codeOf(error) === 'EROFS') return true;
  }
  // The system may have looked at the permissions first.
  try {
    return isReadOnlyIn(readFileSync('/proc/self/mountinfo', 'latin1'), Buffer.from(path).toString('latin1'));
  } catch {
    return false;
  }
}

/**
 * The same from the list of mounts (proc(5)), both as Latin-1, which keeps bytes.
 * @example `36 35 98:0 / /run/secrets ro,noatime master:1 - tmpfs tmpfs rw`
 */
export function isReadOnlyIn(mounts: string, path: string): boolean {
  let [longest, isReadOnly] = [-1, false];
  for (const line of mounts.split('\n')) {
    const [mount = '', fileSystem = ''] = line.split(' - ');
    const [, , , , escaped, options = ''] = mount.split(' ');
    const place = escaped?.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
    if (place === undefined || !isWithin(path, place) || place.length < longest) continue;
    // Of several mounts at one place, the last one is seen.
    longest = place.length;
    isReadOnly = [options, fileSystem.split(' ')[2] ?? ''].some((list) => list.split(',').includes('ro'));
  }
  return isReadOnly;
}

function isWithin(path: string, place: string): boolean {
  return place === '/' || path === place || path.startsWith(`${place}/`);
}
