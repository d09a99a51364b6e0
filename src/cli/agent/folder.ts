/**
 * The folder of the sockets, which must be its user's alone: its mode is all that keeps other users out.
 * Opens no socket.
 */
import { lstatSync, readdirSync, type Stats, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { codeOf, makeFolder, reasonOf, removeDeadDrafts } from '../../files/index.ts';
import { fromHex, toHex } from '../../primitives/index.ts';

/** macOS takes so many bytes of a path to a socket, Linux four more; what is longer, some versions of Node cut. */
const LONGEST_PATH = 103;
const SOCKET = /^[0-9a-f]{32}$/;

/**
 * The path of the socket for the identity file with this salt.
 * @throws `no-agent` where it is longer than the path of a socket can be.
 */
export function socketFor(folder: string, salt: Uint8Array): string {
  const path = join(folder, toHex(salt));
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new PawlError('no-agent', {
      reason: `the path of a socket in ${folder} is longer than ${LONGEST_PATH} bytes`,
    });
  }
  return path;
}

/**
 * Makes the folder, unless it is there, and removes what killed agents have left in it.
 * @throws `no-agent`; `exposed-agent`.
 */
export function makeSocketFolder(folder: string, userId: number | undefined): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    // Another pawl has made it meanwhile.
    if (codeOf(cause) !== 'EEXIST')
      throw new PawlError('no-agent', { reason: `${folder}: ${reasonOf(cause)}` }, { cause });
  }
  checkSocketFolder(folder, userId);
  removeDeadDrafts(folder);
}

/**
 * @returns whether the folder is there.
 * @throws `exposed-agent` for a link or a file, and for a folder of somebody else, or that others can get into; `no-agent`
 * where it cannot be looked at.
 */
export function checkSocketFolder(folder: string, userId: number | undefined): boolean {
  const status = statusOf(folder);
  if (status === undefined) return false;
  const flaw = !status.isDirectory()
    ? 'no-folder'
    : userId !== undefined && status.uid !== userId
      ? 'other-owner'
      : (status.mode & 0o077) !== 0
        ? 'open'
        : undefined;
  if (flaw !== undefined) throw new PawlError('exposed-agent', { folder, flaw });
  return true;
}

function statusOf(folder: string): Stats | undefined {
  try {
    return lstatSync(folder, { throwIfNoEntry: false });
  } catch (cause) {
    throw new PawlError('no-agent', { reason: `${folder}: ${reasonOf(cause)}` }, { cause });
  }
}

/** The salts of the files that have a socket here, whether or not an agent answers at it. Empty where there is no folder. */
export function saltsIn(folder: string): readonly Uint8Array[] {
  try {
    return readdirSync(folder)
      .filter((name) => SOCKET.test(name))
      .map(fromHex);
  } catch {
    return [];
  }
}

/** Removes a socket at which nobody answers. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone.
  }
}
