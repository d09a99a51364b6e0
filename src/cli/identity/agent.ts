/**
 * Has agents keep the keys of identity files, asks for them, and has them forgotten.
 * Knows nothing of what a key opens.
 */
import { existsSync } from 'node:fs';
import { isPawlError, type PawlError } from '../../errors.ts';
import type { FileKey, Lock } from '../../storage/index.ts';
import { askForKey, askToEnd } from '../agent/client.ts';
import { checkSocketFolder, makeSocketFolder, removeSocket, saltsIn, socketFor } from '../agent/folder.ts';
import { startAgent } from '../agent/start.ts';
import type { CommandContext } from '../context.ts';
import { count } from '../terminal/format.ts';
import { chosenIdentity, withHome } from './home.ts';
import { agentFolderOf, agentFoldersOf, namedIdentity } from './path.ts';

/** How long a key is kept at most after it was given, however often it is used. In milliseconds. */
export const LONGEST_UNLOCKED = 8 * 3_600_000;

/**
 * Has an agent keep the key of an identity file, instead of the one that has it so far.
 * @param idle how long it is kept after each use, in milliseconds.
 * @throws `no-agent`, `exposed-agent`.
 */
export async function giveToAgent(context: CommandContext, { key, salt }: Lock, idle: number): Promise<void> {
  const folder = agentFolderOf(context);
  makeSocketFolder(folder, context.io.userId);
  // Before a process is started for it.
  socketFor(folder, salt);
  await startAgent(context.io, { key, salt, idle, most: LONGEST_UNLOCKED, folder });
}

/**
 * @param wants `peek` where no person has asked for it: the time of the agent does not begin anew.
 * @returns the key that an agent has for a file with this salt, if one has. Only the file shows whether it fits.
 */
export async function keyFromAgent(
  context: CommandContext,
  salt: Uint8Array,
  wants: 'give' | 'peek',
): Promise<FileKey | undefined> {
  const folder = socketFolderOf(context);
  const path = folder && unless('no-agent', () => socketFor(folder, salt));
  if (path === undefined || !existsSync(path)) return undefined;
  return (await askForKey(path, salt, wants)) as FileKey | undefined;
}

/** Whether there may be an agent for some file. */
export function mayBeUnlocked(context: CommandContext): boolean {
  const folder = socketFolderOf(context);
  return folder !== undefined && saltsIn(folder).length > 0;
}

/** What `endAgents` has found. */
export interface Locked {
  /** So many keys were forgotten. */
  readonly count: number;
  /** So many agents did not answer. They end by themselves, as nothing finds them any more. */
  readonly silent: number;
}

/**
 * Has the key forgotten of the identity that is named, or where none is, those of all: also in a folder that cannot be
 * trusted, since who is asked to forget learns nothing but a salt.
 * @throws `exposed-agent`, once all are asked; what finding the identity, and reading its salt, throws.
 */
export async function endAgents(context: CommandContext): Promise<Locked> {
  const saltOfChosen = () => withHome(context, async (home) => (await chosenIdentity(context, home)).salt());
  const locked = await endIn(context, namedIdentity(context) === undefined ? undefined : await saltOfChosen());
  for (const folder of agentFoldersOf(context)) checkSocketFolder(folder, context.io.userId);
  return locked;
}

/** Has the key of a file with this salt forgotten, which is its key no longer. An agent that does not say so is told of. */
export async function retireAgent(context: CommandContext, salt: Uint8Array): Promise<void> {
  const { silent } = await endIn(context, salt);
  if (silent > 0) await context.reporter.warn(notForgotten(silent));
}

/** What is said of agents that do not say that they have forgotten their key. */
export function notForgotten(silent: number): string {
  const agents = count(silent, 'process has a key and does', 'processes have a key and do');
  return `${agents} not answer: no command finds it any more, and it ends by itself once it goes on`;
}

async function endIn(context: CommandContext, salt: Uint8Array | undefined): Promise<Locked> {
  const sockets = agentFoldersOf(context).flatMap((folder) =>
    (salt === undefined ? saltsIn(folder) : [salt]).map((one) => ({ folder, salt: one })),
  );
  const ends = await Promise.all(sockets.map((one) => endAgent(one.folder, one.salt)));
  const countOf = (end: (typeof ends)[number]) => ends.filter((one) => one === end).length;
  return { count: countOf('ended'), silent: countOf('silent') };
}

async function endAgent(folder: string, salt: Uint8Array): ReturnType<typeof askToEnd> {
  const path = unless('no-agent', () => socketFor(folder, salt));
  if (path === undefined || !existsSync(path)) return 'nobody';
  const end = await askToEnd(path, salt);
  if (end !== 'ended') removeSocket(path);
  return end;
}

/** The folder of sockets, if it is there and can be trusted. */
function socketFolderOf(context: CommandContext): string | undefined {
  return unless('no-agent', () =>
    unless('exposed-agent', () => {
      const folder = agentFolderOf(context);
      return checkSocketFolder(folder, context.io.userId) ? folder : undefined;
    }),
  );
}

function unless<Result>(code: PawlError['code'], work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (isPawlError(error, code)) return undefined;
    throw error;
  }
}
