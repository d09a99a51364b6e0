import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { systemIo } from '../../../src/cli/terminal/io.ts';
import { systemRandom } from '../../../src/primitives/index.ts';

it('has the random source that ML-KEM leaves to Node: a wrapped one would be given to noble, which is slower', () => {
  expect(systemIo(process).random).toBe(systemRandom);
});

it('is ended by a signal that came just before its work was taken back', async () => {
  const kill = vi.fn();
  const listeners = new EventEmitter();
  const fake = Object.assign(listeners, { pid: 7, env: {}, argv: [], kill }) as unknown as NodeJS.Process;
  const work = vi.fn(() => Promise.resolve());
  const { beforeEnd } = systemIo(fake);
  beforeEnd(work).remove();
  listeners.emit('SIGTERM', 'SIGTERM');
  await vi.waitFor(() => expect(kill.mock.calls).toEqual([[7, 'SIGTERM']]));
  expect(work).not.toHaveBeenCalled();
  // The next one ends it at once.
  expect(listeners.eventNames()).toEqual([]);
});

it('gives no passphrase, and no password of a database, to a command for a passphrase, to tar, and to an editor', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-io-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const program of ['tar', 'editor']) writeFileSync(join(folder, program), '#!/bin/sh\nenv', { mode: 0o700 });
  const seenBy = async (home: string) => {
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      PAWL_HOME: home,
      PAWL_PASSPHRASE: 'sesame',
      PGPASSWORD: 'sesame',
      PGPASSFILE: 'file',
    };
    const fake = Object.assign(new EventEmitter(), { env, argv: [], stderr: process.stderr });
    const { runCommand, runTar, runEditor } = systemIo(fake as unknown as NodeJS.Process);
    const chunks: Uint8Array[] = [];
    for await (const chunk of runTar(folder, 'any')) chunks.push(chunk);
    const seen = join(folder, 'seen');
    expect(await runEditor(`editor > ${seen}`, 'any', () => undefined)).toBeUndefined();
    const texts = [runCommand('env', 2 ** 20).output, Buffer.concat(chunks), readFileSync(seen)];
    return texts.map((text) => Buffer.from(text).toString().split('\n').sort());
  };
  for (const home of ['postgres://bob:sesame@/db', 'postgresql:///db?password=sesame', '/identities']) {
    const [command, tar, editor] = await seenBy(home);
    for (const seen of [command, tar, editor]) {
      expect(seen).toContain('PGPASSFILE=file');
      expect(seen?.join()).not.toContain('sesame');
    }
    const isFolder = home.startsWith('/');
    expect([command, tar].map((seen) => seen?.includes(`PAWL_HOME=${home}`))).toEqual([isFolder, isFolder]);
    expect(editor?.join()).not.toContain('PAWL_');
  }
});
