import { MAX_CONTENT } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import { concatAll } from '../primitives/index.ts';

const NEWLINE = 0x0a;

/**
 * The lines of a stream as they come, those that each chunk ends at once, without their newlines; what follows the last
 * newline is a line as well.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  let begun: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(concatAll([...begun, chunk.subarray(start, end)]));
      begun = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (lines.length > 0) yield lines;
    if (bytes > MAX_CONTENT) throw new PawlError('too-large', { what: 'line', bytes, limit: MAX_CONTENT });
  }
  if (begun.length > 0) yield [concatAll(begun)];
}
