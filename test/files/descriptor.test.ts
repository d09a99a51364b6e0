import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readInherited } from '../../src/files/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'pawl-descriptor-'));
const open: number[] = [];

afterEach(() => {
  for (const descriptor of open.splice(0)) closeSync(descriptor);
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A pipe that does not block here, whose other end another process has open. */
async function pipeFrom(script: string): Promise<{ descriptor: number; writer: ChildProcessWithoutNullStreams }> {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  open.push(descriptor);
  const writer = spawn('bash', ['-c', `exec 3> '${path}'; echo open; ${script}`]);
  await new Promise((resolve) => writer.stdout.once('data', resolve));
  return { descriptor, writer };
}

describe('a descriptor', () => {
  it('is waited for where it does not block', async () => {
    const { descriptor, writer } = await pipeFrom('read -r line; printf sec >&3; read -r line; printf ret >&3');
    const read = readInherited(descriptor, 'it', 100);
    // It has found nothing, and has let go.
    await new Promise((resolve) => setImmediate(resolve));
    writer.stdin.write('go on\n');
    writer.stdin.write('go on\n');
    expect(Buffer.from(await read).toString()).toBe('secret');
  });

  it('is read a little beyond the limit, and no further', async () => {
    const zeros = openSync('/dev/zero', 'r');
    open.push(zeros);
    const { length } = await readInherited(zeros, 'it', 10_000);
    expect(length).toBeGreaterThan(10_000);
    expect(length).toBeLessThan(20_000);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('is not waited for where nobody else can write to it', async () => {
    // As Node has for itself; this one blocks, so that a look at it would have no end.
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    open.push(openSync(path, 'r+'));
    const [both = -1] = open;
    const reason = 'it is a pipe that nobody else writes to';
    await expect(readInherited(both, 'descriptor 9', 10)).rejects.toMatchObject({ detail: { reason } });
  });

  it('that is not open is an error', async () => {
    const error = await readInherited(987_654, 'descriptor 9', 10).catch((cause) => cause);
    expect([error.code, error.detail]).toEqual([
      'read-failed',
      { path: 'descriptor 9', reason: 'it is not open for that' },
    ]);
  });
});
