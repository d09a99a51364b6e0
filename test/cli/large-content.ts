import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquaint, type Person, temporaryFolder } from './fake-io.ts';

/** 18 parts of 983,040 bytes, and a shorter one. */
export const CONTENT = madeOf(17_700_000);
export const PARTS = 19;

function madeOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) new DataView(bytes.buffer).setUint32(at, Math.imul(at + 1, 2_654_435_761));
  return bytes;
}

/** The envelopes in a stream: the descriptor, then the parts. */
export function envelopesIn(stream: Uint8Array): Uint8Array[] {
  const envelopes: Uint8Array[] = [];
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
  for (let at = 0; at < stream.length; ) {
    const end = at + 10 + view.getUint32(at + 6);
    envelopes.push(stream.subarray(at, end));
    at = end;
  }
  return envelopes;
}

export function fileOf(bytes: Uint8Array, name = 'film.mkv'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** An alice who has sent a file to bob, and the envelopes. */
export async function sentFile(bytes = CONTENT) {
  const { alice, bob } = await acquaint();
  const path = fileOf(bytes);
  const { bytes: stream } = await alice.pawl(['send', 'bob', path]);
  const [descriptor = stream, ...parts] = envelopesIn(stream);
  return { alice, bob, path, stream, descriptor, parts };
}

/** What a person keeps of large contents. */
export function kept(person: Person) {
  return ['incoming', 'incoming_parts', 'outgoing'].map((table) => person.rows(table).length);
}

export const NOTHING = [0, 0, 0];

/** Input that comes in two pieces, the second once something has happened that the first has brought about. */
export function inTwo(first: Uint8Array, isReady: () => boolean, second: () => Promise<Uint8Array>) {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield first;
    while (!isReady()) await new Promise(setImmediate);
    yield await second();
  }
  return { input: { isTerminal: false, chunks: chunks() } };
}
