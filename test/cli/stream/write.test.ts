/**
 * Unit tests of `BufferedOutput` (which pieces share a write, which count as written after a failure, what is acknowledged)
 * and of `acknowledgeOrWarn`.
 */
import { describe, expect, it, vi } from 'vitest';
import { acknowledgeOrWarn, BufferedOutput } from '../../../src/cli/stream/write.ts';
import { Reporter } from '../../../src/cli/terminal/reporter.ts';
import { PawlError } from '../../../src/errors.ts';
import { CollectedOutput, fakeIo } from '../fake-io.ts';

/** Bytes that are gathered into one write: `BUFFER_LENGTH` in write.ts. */
const GATHERED = 16_384;

/** An output that keeps each write, and on which writing and flushing can be made to fail. */
class Writes extends CollectedOutput {
  readonly writes: Uint8Array[] = [];
  flushes = 0;
  writeFails = false;
  flushFails = false;

  override async write(bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.writeFails) throw new PawlError('closed-pipe', {});
    this.writes.push(bytes);
  }

  override async flush(): Promise<void> {
    await Promise.resolve();
    if (this.flushFails) throw new PawlError('write-failed', { path: 'standard output', reason: 'no space left' });
    this.flushes += 1;
  }

  get lengths(): number[] {
    return this.writes.map(({ length }) => length);
  }
}

function gathering() {
  const output = new Writes();
  return { output, gathered: new BufferedOutput<number>(output) };
}

const piece = (length: number, byte = 0) => new Uint8Array(length).fill(byte);

/** What has been written for good and was not acknowledged yet; now it is. */
function noted(gathered: BufferedOutput<number>): readonly number[] {
  const { written } = gathered;
  gathered.markAcknowledged(written);
  return written;
}

describe('BufferedOutput', () => {
  it('writes pieces together, in their order', async () => {
    const { output, gathered } = gathering();
    await gathered.write(Buffer.from('a'), 1);
    await gathered.write(Buffer.from('bc'), 2);
    await gathered.write(new Uint8Array(0), 3);
    expect(output.writes).toEqual([]);
    await gathered.flush();
    expect(output.writes.map(String)).toEqual([String(Uint8Array.from(Buffer.from('abc')))]);
    expect(noted(gathered)).toEqual([1, 2, 3]);
  });

  it('writes a single piece as it is, without a copy', async () => {
    const { output, gathered } = gathering();
    const only = piece(3);
    await gathered.write(only, 1);
    await gathered.drain();
    expect(output.writes[0]).toBe(only);
  });

  it('gathers 16 KiB exactly, and not a byte more', async () => {
    const { output, gathered } = gathering();
    await gathered.write(piece(GATHERED - 1), 1);
    await gathered.write(piece(1), 2);
    expect(output.lengths).toEqual([]);
    await gathered.write(piece(1), 3);
    expect(output.lengths).toEqual([GATHERED]);
    // It counts anew.
    await gathered.write(piece(GATHERED - 1), 4);
    expect(output.lengths).toEqual([GATHERED]);
    await gathered.write(piece(1), 5);
    expect(output.lengths).toEqual([GATHERED, GATHERED]);
  });

  it('puts a piece that is larger into a write of its own', async () => {
    const { output, gathered } = gathering();
    await gathered.write(piece(5), 1);
    await gathered.write(piece(2 * GATHERED), 2);
    await gathered.write(piece(7), 3);
    await gathered.flush();
    expect(output.lengths).toEqual([5, 2 * GATHERED, 7]);
  });

  it('writes and flushes nothing where there is nothing', async () => {
    const { output, gathered } = gathering();
    await gathered.drain();
    await gathered.flush();
    expect([output.writes, output.flushes]).toEqual([[], 0]);
    expect(noted(gathered)).toEqual([]);
  });

  it('flushes what an earlier write has handed over, once', async () => {
    const { output, gathered } = gathering();
    await gathered.write(piece(1), 1);
    await gathered.drain();
    expect(noted(gathered)).toEqual([]);
    await gathered.flush();
    await gathered.flush();
    expect([output.lengths, output.flushes]).toEqual([[1], 1]);
    expect(noted(gathered)).toEqual([1]);
  });

  it('counts a piece without bytes, too, once it is flushed', async () => {
    const { output, gathered } = gathering();
    await gathered.write(new Uint8Array(0), 1);
    await gathered.flush();
    expect(output.flushes).toBe(1);
    expect(noted(gathered)).toEqual([1]);
  });

  it('counts none of a write that fails, and goes on with the next', async () => {
    const { output, gathered } = gathering();
    await gathered.write(piece(1), 1);
    await gathered.drain();
    await gathered.write(piece(2), 2);
    await gathered.write(piece(3), 3);
    output.writeFails = true;
    await expect(gathered.flush()).rejects.toMatchObject({ code: 'closed-pipe' });
    expect(noted(gathered)).toEqual([]);
    output.writeFails = false;
    await gathered.write(piece(4), 4);
    await gathered.flush();
    // The bytes that failed are not tried again: part of them may have been written.
    expect(output.lengths).toEqual([1, 4]);
    expect(noted(gathered)).toEqual([1, 4]);
  });

  it('does not take the piece for gathered for which there was no room when the write failed', async () => {
    const { output, gathered } = gathering();
    await gathered.write(piece(GATHERED), 1);
    output.writeFails = true;
    await expect(gathered.write(piece(2), 2)).rejects.toMatchObject({ code: 'closed-pipe' });
    output.writeFails = false;
    await gathered.flush();
    expect(output.lengths).toEqual([]);
    expect(noted(gathered)).toEqual([]);
  });

  it('counts nothing as written whose flush fails, not even once a later one succeeds', async () => {
    const { output, gathered } = gathering();
    await gathered.write(piece(1), 1);
    output.flushFails = true;
    await expect(gathered.flush()).rejects.toMatchObject({ code: 'write-failed' });
    output.flushFails = false;
    await gathered.write(piece(2), 2);
    await gathered.flush();
    expect(noted(gathered)).toEqual([2]);
  });
});

describe('what is acknowledged', () => {
  async function written(...ids: number[]) {
    const { gathered } = gathering();
    for (const id of ids) await gathered.write(piece(1), id);
    await gathered.flush();
    return gathered;
  }

  it('is not told again', async () => {
    const gathered = await written(1, 2);
    expect(noted(gathered)).toEqual([1, 2]);
    expect(noted(gathered)).toEqual([]);
  });

  it('is no more than was told: what is written in between stays', async () => {
    const gathered = await written(1, 2);
    const before = gathered.written;
    await gathered.write(piece(1), 3);
    await gathered.flush();
    gathered.markAcknowledged(before);
    expect(gathered.written).toEqual([3]);
  });

  it('tells what is written later, and only that', async () => {
    const gathered = await written(1);
    noted(gathered);
    await gathered.write(piece(1), 2);
    expect(noted(gathered)).toEqual([]);
    await gathered.flush();
    expect(noted(gathered)).toEqual([2]);
  });
});

describe('acknowledgeOrWarn', () => {
  function telling() {
    const io = fakeIo();
    return { io, reporter: new Reporter(io, { json: false, quiet: false }) };
  }

  it('says nothing where all goes well', async () => {
    const { io, reporter } = telling();
    const note = vi.fn(async () => undefined);
    await acknowledgeOrWarn(reporter, note);
    expect(note).toHaveBeenCalledOnce();
    expect([io.output.text, io.errors.text]).toEqual(['', '']);
  });

  it('warns where it cannot be noted, and does not fail', async () => {
    const { io, reporter } = telling();
    await acknowledgeOrWarn(reporter, () => Promise.reject(new PawlError('damaged', { path: '/home/bob.db' })));
    expect(io.output.text).toBe('');
    expect(io.errors.text).toMatch(/^\S.*this is done, but could not be noted, and may come once more: .*bob\.db/);
  });

  it('lets a bug through', async () => {
    const { io, reporter } = telling();
    const bug = new TypeError('a bug');
    await expect(acknowledgeOrWarn(reporter, () => Promise.reject(bug))).rejects.toBe(bug);
    expect(io.errors.text).toBe('');
  });
});
