/**
 * Asks an agent for a key, or to end. An agent that is dead, silent or talks nonsense is none.
 * Does not know for what file it asks.
 */
import { createConnection } from 'node:net';
import { codeOf } from '../../files/index.ts';
import { equal, wipe } from '../../primitives/index.ts';
import { decodeKey, ENDED, encodeRequest, KEY_ANSWER_LENGTH, type Request } from './protocol.ts';

/** How long an agent may take, in milliseconds: its memory may have been swapped out. */
const PATIENCE = 2_000;

/** What a connection to a socket says where no process has it open. */
const NOBODY: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

/**
 * @param wants whether its time begins anew, as with each use.
 * @returns the key, 32 bytes, which may be any other: only the file shows whether it fits.
 */
export async function askForKey(
  path: string,
  salt: Uint8Array,
  wants: 'give' | 'peek' = 'give',
): Promise<Uint8Array | undefined> {
  const answer = await exchange(path, { wants, salt });
  if (answer === 'nobody') return undefined;
  const key = decodeKey(answer);
  wipe(answer);
  return key;
}

/**
 * @returns `ended`: the key of an agent is gone; `nobody`: no agent is there; `silent`: a process is there, and does not say
 * that the key is gone.
 */
export async function askToEnd(path: string, salt: Uint8Array): Promise<'ended' | 'silent' | 'nobody'> {
  const answer = await exchange(path, { wants: 'end', salt });
  if (answer === 'nobody') return 'nobody';
  return equal(answer, ENDED) ? 'ended' : 'silent';
}

/** @returns all that was answered, or the beginning of too much; nothing where that takes too long. */
function exchange(path: string, request: Request): Promise<Uint8Array | 'nobody'> {
  const answer = new Uint8Array(KEY_ANSWER_LENGTH + 1);
  let length = 0;
  let isNobody = false;
  return new Promise((resolve) => {
    const connection = createConnection(path);
    const settle = (isLate = false) => {
      clearTimeout(patience);
      connection.destroy();
      if (isLate) wipe(answer);
      resolve(isNobody ? 'nobody' : answer.subarray(0, isLate ? 0 : length));
    };
    const patience = setTimeout(settle, PATIENCE, true);
    connection.on('error', (error) => {
      isNobody = NOBODY.has(codeOf(error));
    });
    connection.once('close', () => settle());
    connection.on('data', (chunk: Buffer) => {
      const taken = chunk.subarray(0, answer.length - length);
      answer.set(taken, length);
      length += taken.length;
      wipe(chunk);
      if (length === answer.length) settle();
    });
    connection.write(encodeRequest(request));
  });
}
