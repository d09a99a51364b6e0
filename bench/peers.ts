/** Finds the peer libraries in bench/peers. They are no dependencies: 150 MB, installed on request. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Conversation } from './side-by-side.ts';

const FOLDER = join(__dirname, '..', '..', 'bench', 'peers');

/** Installs them. */
export const INSTALL = 'npm --prefix bench/peers ci';

export interface Peers {
  /** PQXDH and the Triple Ratchet; the states are libsignal's own objects in memory. */
  readonly libsignal: Conversation<Uint8Array, Uint8Array>;
  readonly olm: Conversation<string, unknown>;
}

/** Conversations of the peers, or `undefined` where they are not installed. */
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
