import { decodeEnvelope, type Envelope, MAX_INPUT, scan } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import type { Arrival } from '../session/index.ts';
import { readInput } from './input.ts';
import type { Shell } from './shell.ts';

/** One thing found in the input: an envelope, or why there is none. `source` says where. */
export type Read<Arrived = { readonly source: string; readonly envelope: Envelope }> =
  | Arrived
  | { readonly source: string; readonly error: PawlError };

/**
 * Reads every envelope in the files, or in standard input where none is given, as they are asked for.
 * @throws `missing-file`, `read-failed`.
 */
export async function* readEnvelopes(shell: Shell, files: readonly string[]): AsyncGenerator<Read, void, undefined> {
  for (const file of files.length === 0 ? ['-'] : files) {
    const name = file === '-' ? 'standard input' : file;
    for (const found of scan(await input(shell, file))) yield decode(`${name}, ${found.at}`, found);
  }
}

/** Like `readEnvelopes`, for messages: an invite among them is refused. */
export async function* readMessages(
  shell: Shell,
  files: readonly string[],
): AsyncGenerator<Read<Arrival>, void, undefined> {
  for await (const read of readEnvelopes(shell, files)) {
    if ('error' in read) yield read;
    else if (read.envelope.kind !== 'invite') yield { source: read.source, envelope: read.envelope };
    else yield { source: read.source, error: new PawlError('wrong-kind', { expected: 'message', found: 'invite' }) };
  }
}

/**
 * The one invite in a file or in standard input: 1,321 bytes.
 * @throws `missing-file`, `read-failed`, `no-input`, `wrong-kind`, `usage` for several, and what reading it throws.
 */
export async function readInviteFrom(shell: Shell, file: string | undefined): Promise<Uint8Array> {
  const [read, ...more] = await all(readEnvelopes(shell, [file ?? '-']));
  if (read === undefined) throw new PawlError('no-input', { source: file ?? 'standard input' });
  if ('error' in read) throw read.error;
  if (read.envelope.kind !== 'invite') throw new PawlError('wrong-kind', { expected: 'invite', found: 'message' });
  if (more.length > 0) {
    throw new PawlError('usage', { problem: 'there are several envelopes here', hint: 'give one invite at a time' });
  }
  return read.envelope.invite;
}

/** Every envelope in one file or in standard input. @throws for the first that is broken; `no-input` for none. */
export async function readIntactEnvelopes(
  shell: Shell,
  file: string,
): Promise<readonly { readonly source: string; readonly envelope: Envelope }[]> {
  const reads = await all(readEnvelopes(shell, [file]));
  if (reads.length === 0) throw new PawlError('no-input', { source: file });
  return reads.map((read) => {
    if ('error' in read) throw read.error;
    return read;
  });
}

async function input(shell: Shell, file: string): Promise<Uint8Array> {
  if (file === '-' && shell.io.input.isTerminal) await shell.tell.notice('paste it here, then press Ctrl-D');
  return readInput(shell.io, file, MAX_INPUT);
}

function decode(source: string, found: { bytes: Uint8Array } | { error: PawlError }): Read {
  if ('error' in found) return { source, error: found.error };
  try {
    return { source, envelope: decodeEnvelope(found.bytes) };
  } catch (error) {
    if (error instanceof PawlError) return { source, error };
    throw error;
  }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}
