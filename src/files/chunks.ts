import { readSync } from 'node:fs';

const CHUNK = 2 ** 16;

/** The bytes of an open file from where it stands, as they are read: at most 64 KiB a time. Throws what the system throws. */
export function* chunksOf(file: number): Generator<Buffer, void, undefined> {
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const length = readSync(file, chunk, 0, CHUNK, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}
