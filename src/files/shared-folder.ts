/**
 * Files of a folder that others write to as well: other users, other machines, programs that keep folders the same.
 * Nothing here blocks the process: such a folder may be far away. Knows no names.
 */
import { constants, type Stats } from 'node:fs';
import { link, lstat, open, opendir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './system-error.ts';

/** What the system says of a path that leads to no regular file: nothing, a link, a socket. */
const NO_FILE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENODEV', 'EISDIR', 'EMLINK']);
/** What the system says where a folder cannot be synced: the file system has no such thing, or we may not open it. */
const NO_SYNC: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EACCES', 'EPERM', 'EISDIR']);
/** So many names are read, and looked at, at once. */
const AT_ONCE = 64;

/** A regular file. */
export interface RegularFile {
  readonly bytes: Uint8Array;
  readonly status: Stats;
}

/**
 * Reads a regular file of `least` to `most` bytes. Follows no link, and waits at no pipe.
 * @returns `undefined` where there is something else, or nothing. Fewer bytes than its status says where it shrinks.
 * @throws the errors of the system.
 */
export async function readRegularFile(
  path: string,
  { least, most }: { readonly least: number; readonly most: number },
): Promise<RegularFile | undefined> {
  const file = await unlessGone(open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size < least || status.size > most) return undefined;
    const bytes = new Uint8Array(status.size);
    let at = 0;
    for (let read = 1; at < bytes.length && read > 0; at += read) {
      read = (await file.read(bytes, at, bytes.length - at, at)).bytesRead;
    }
    return { bytes: bytes.subarray(0, at), status };
  } finally {
    await file.close();
  }
}

/**
 * Looks at what a folder has, in no order, a few names at a time. Follows no link. What is gone meanwhile is left out.
 * @param wanted says whether a name is looked at.
 * @throws the errors of the system.
 */
export async function* filesOf(
  folder: string,
  wanted: (name: string) => boolean,
): AsyncGenerator<readonly [name: string, status: Stats], void, undefined> {
  let names: string[] = [];
  for await (const name of namesOf(folder)) {
    if (wanted(name)) names.push(name);
    if (names.length < AT_ONCE) continue;
    yield* await statusOf(folder, names);
    names = [];
  }
  yield* await statusOf(folder, names);
}

/** The names of a folder, in no order. @throws the errors of the system. */
export async function* namesOf(folder: string): AsyncGenerator<string, void, undefined> {
  for await (const { name } of await opendir(folder, { bufferSize: 1_024 })) yield name;
}

async function statusOf(folder: string, names: readonly string[]): Promise<(readonly [string, Stats])[]> {
  const found = await Promise.all(
    names.map(async (name) => [name, await unlessGone(lstat(join(folder, name)))] as const),
  );
  return found.flatMap(([name, status]) => (status === undefined ? [] : [[name, status] as const]));
}

/**
 * Writes a file durably: under another name, which it then changes. Its mode is what the umask leaves of 0666. Replaces
 * what has the name.
 * @param draft a path in the same folder that nothing has.
 * @throws the errors of the system. Nothing has changed then, except where the name could not be made durable.
 */
export async function putSharedFile(draft: string, path: string, bytes: Uint8Array): Promise<void> {
  await throughDraft(draft, path, bytes, () => rename(draft, path));
}

/**
 * The same, where nothing has the name; what has it stays.
 * @returns whether the file was made.
 */
export async function makeSharedFile(draft: string, path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await throughDraft(draft, path, bytes, () => moveUnlessExists(draft, path));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A link, because a rename would replace what has the name. */
async function moveUnlessExists(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // The file system has no links: an empty file reserves the name until the rename replaces it.
    await (await open(path, 'wx', 0o666)).close();
    try {
      await rename(draft, path);
    } catch (cause) {
      await removeSharedFile(path).catch(() => undefined);
      throw cause;
    }
    return;
  }
  await removeSharedFile(draft);
}

async function throughDraft(draft: string, path: string, bytes: Uint8Array, move: () => Promise<void>): Promise<void> {
  const file = await open(draft, 'wx', 0o666);
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await move();
  } catch (error) {
    await removeSharedFile(draft).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * What time it is by the clock of the disk that a folder is on: unix milliseconds.
 * @param draft a path in the folder that nothing has: a file that is made, and removed.
 * @throws the errors of the system.
 */
export async function timeOfDisk(draft: string): Promise<number> {
  const file = await open(draft, 'wx', 0o666);
  try {
    return (await file.stat()).mtimeMs;
  } finally {
    await file.close();
    await removeSharedFile(draft);
  }
}

/** Removes a file that may be gone. @throws the errors of the system, except `ENOENT`. */
export async function removeSharedFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Whether a path leads to something. @throws the errors of the system. */
export async function isTaken(path: string): Promise<boolean> {
  return (await unlessGone(stat(path))) !== undefined;
}

/** @throws the errors of the system, except where nothing is there. */
export async function isFolder(path: string): Promise<boolean> {
  return (await unlessGone(stat(path)))?.isDirectory() ?? false;
}

async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!NO_SYNC.has(codeOf(error))) throw error;
  }
}

async function unlessGone<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (NO_FILE.has(codeOf(error))) return undefined;
    throw error;
  }
}
