import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning, processName } from '../../../src/cli/terminal/process-name.ts';
import { temporaryFolder } from '../fake-io.ts';

/** The number of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('a process', () => {
  it('is named by its number and its start', () => {
    const name = processName(process.pid);
    expect(name).toMatch(new RegExp(`^${process.pid}:.+$`));
    expect(processName(process.pid)).toBe(name);
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
