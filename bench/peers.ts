import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Conversation } from './side-by-side.ts';

const FOLDER = join(__dirname, '..', '..', 'bench', 'peers');

/** How to get them. They are no dependency of the project's, and 150 MB. */
export const INSTALL = 'npm --prefix bench/peers ci';

export interface Peers {
  /** PQXDH and the Triple Ratchet, each state held in memory as libsignal's own object. */
  readonly libsignal: Conversation<Uint8Array, Uint8Array>;
  readonly olm: Conversation<string, unknown>;
}

/** Conversations by the peers in bench/peers, or `undefined` where they are not installed. */
export async function installedPeers(length: number): Promise<Peers | undefined> {
  if (!existsSync(join(FOLDER, 'node_modules'))) return undefined;
  const [bytes, text] = [new Uint8Array(length).fill(0x61), 'a'.repeat(length)];
  const meet = async (file: string, first: unknown) =>
    (await import(pathToFileURL(join(FOLDER, file)).href)).meet(first);
  return {
    libsignal: new Conversation(bytes, await meet('libsignal.mjs', bytes)),
    olm: new Conversation(text, await meet('olm.mjs', text)),
  };
}
