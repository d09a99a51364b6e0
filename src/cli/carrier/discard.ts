/**
 * Deletes the partial file of a content that is given up.
 * Does not know why it is.
 */
import { removePartialFile } from '../../files/index.ts';
import type { PartialPlace } from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import { hostOfMachine } from '../terminal/process-name.ts';

/** Deletes a partial file, if it is here; tells of one on another machine of the identity, where nobody will ask for it. */
export async function discardPartialFile(
  { io, reporter }: CommandContext,
  place: PartialPlace | undefined,
): Promise<void> {
  if (place === undefined) return;
  const { path, inode, host } = place;
  const isRemoved = removePartialFile(path, inode);
  if (isRemoved || host === undefined || host === io.host()) return;
  await reporter.notice(`${path} of ${hostOfMachine(host)} may be left there: delete it`);
}
