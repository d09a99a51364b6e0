import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning, processName } from '../../../src/cli/terminal/process-name.ts';
import { temporaryFolder } from '../fake-io.ts';

/** Whether this system lets us make a PID namespace. */
function canUnshare(): boolean {
  return spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true']).status === 0;
}

/** The number of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('a process', () => {
  it('is named by its number and its start', () => {
    const name = processName(process.pid);
    expect(name).toMatch(new RegExp(`^${process.pid}:[^@]+@[^@]+@${hostname()}$`));
    expect(processName(process.pid)).toBe(name);
  });

  it('of another boot, machine or namespace is not known to run, nor not to', () => {
    const name = processName(process.pid);
    expect(isRunning(name.replace(/@[^@]+/, '$&0'))).toBeUndefined();
    expect(isRunning(name.replace('@', '@0'))).toBeUndefined();
    expect(isRunning('1:1@elsewhere')).toBeUndefined();
    expect(isRunning(`${endedProcess()}:1@`)).toBeUndefined();
  });

  it('of an older pawl, which knew no places, is one of this place', () => {
    const [old = ''] = processName(process.pid).split('@');
    expect(isRunning(old)).toBe(true);
    expect(isRunning(`${endedProcess()}:12345`)).toBe(false);
  });

  it.runIf(canUnshare())('has another place in a container, and the same in all of one', () => {
    const script = join(temporaryFolder(), 'name.mjs');
    const source = join(import.meta.dirname, '../../../src/cli/terminal/process-name.ts');
    const built = buildSync({ entryPoints: [source], bundle: true, platform: 'node', format: 'esm', write: false });
    writeFileSync(
      script,
      `${built.outputFiles[0]?.text}
console.log(JSON.stringify([processName(process.pid), processName(process.ppid), process.argv.slice(2).map(isRunning)]));`,
    );
    const own = processName(process.pid);
    const run = (...command: string[]) =>
      JSON.parse(spawnSync(command[0] ?? '', [...command.slice(1), process.execPath, script, own]).stdout.toString());
    const [, parent, seen] = run('env');
    expect(parent).toBe(own);
    expect(seen).toEqual([true]);
    const [inside, , known] = run('unshare', '-p', '-f', '--mount-proc');
    expect(inside).toMatch(/^1:/);
    expect(known).toEqual([null]);
    expect(isRunning(inside)).toBeUndefined();
  });

  it('runs while it does', () => {
    expect(isRunning(processName(process.pid))).toBe(true);
    expect(isRunning(processName(process.ppid))).toBe(true);
  });

  it('does not run once it has ended', () => {
    const pid = endedProcess();
    expect(isRunning(`${pid}:12345`)).toBe(false);
    expect(isRunning(processName(pid))).toBe(false);
  });

  it('is not another one that was given its number later', () => {
    expect(isRunning(processName(process.pid).replace(/:[^@]+/, ':1'))).toBe(false);
    expect(isRunning(`${process.pid}:1`)).toBe(false);
    expect(isRunning(`${process.pid}:`)).toBe(false);
    expect(isRunning(`${process.pid}`)).toBe(false);
  });

  it.each(['', ':', 'nonsense', '-1:1', '0:1', '99999999999999999999:1', '1/../2:3'])(
    'of the name %j does not run',
    (name) => {
      expect(isRunning(name)).toBe(false);
    },
  );

  it('that has ended is found out without starting another, to which the environment would be shown', () => {
    const folder = temporaryFolder();
    const ps = join(folder, 'ps');
    writeFileSync(ps, `#!/bin/sh\necho "$PAWL_PASSPHRASE" > "$(dirname "$0")/seen"\nexit 1\n`);
    chmodSync(ps, 0o755);
    const before = process.env.PATH;
    onTestFinished(() => {
      process.env.PATH = before;
    });
    process.env.PATH = [folder, before].join(delimiter);
    expect(isRunning(`${endedProcess()}:12345`)).toBe(false);
    expect(existsSync(join(folder, 'seen'))).toBe(false);
  });
});
