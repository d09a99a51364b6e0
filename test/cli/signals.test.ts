import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './shell.ts';

const home = Home.create();
beforeAll(() => home.prepare('pawl init alice'));
afterAll(() => home.remove());

/**
 * A shell in which `$pawl` is the id of a command that has begun to read its input, as it has once it has taken more than
 * a pipe holds. `$outer` is what to wait for.
 */
function whileReading(name: string, start: string, work: string): string {
  return `
    mkfifo ${name}; ${start} < ${name} & outer=$!
    exec 9> ${name}; head -c 200000 /dev/zero >&9
    ${work}`;
}

describe('SIGUSR1', () => {
  it('opens no debugger, and ends nothing', async () => {
    const command = whileReading('usr1', 'pawl recv', 'kill -USR1 $outer; exec 9>&-; wait $outer');
    // If there were one, it would be given a free port.
    const { stderr, exit } = await home.run(command, { environment: { NODE_OPTIONS: '--inspect-port=0' } });
    expect(exit).toBe(65);
    expect(stderr).not.toMatch(/[Dd]ebugger/);
  });

  it('is taken care of before anything else', () => {
    const [first] = readFileSync(join(import.meta.dirname, '..', '..', 'bin', 'pawl.js'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !/^(#!|\/\/|'use strict')/.test(line));
    expect(first).toBe("process.on('SIGUSR1', () => undefined);");
  });
});

describe('the first process of a container', () => {
  // A user who is not root needs a user namespace of his own.
  const unshare = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--pid', '--fork'];
  const isPossible = spawnSync(unshare[0] ?? '', [...unshare.slice(1), 'true']).status === 0;
  beforeAll(() => {
    if (!isPossible)
      console.warn(`${import.meta.filename}: skipped in part, as there can be no namespace for processes`);
  });

  it.skipIf(!isPossible).each([
    ['HUP', 129],
    ['INT', 130],
    ['TERM', 143],
  ])('is ended by SIG%s: exit %i', async (signal, code) => {
    const work = `kill -${signal} $(cat /proc/$outer/task/$outer/children); wait $outer`;
    const { exit } = await home.run(whileReading(`one-${signal}`, `${unshare.join(' ')} pawl recv`, work), {
      patience: 60,
    });
    expect(exit).toBe(code);
  });
});

describe('any other process', () => {
  it.each(['HUP', 'INT', 'TERM'])('is ended by SIG%s itself', async (signal) => {
    const python = `
import subprocess, sys
child = subprocess.Popen(['pawl', 'recv'], stdin=subprocess.PIPE)
child.stdin.write(bytes(200000)); child.stdin.flush()
child.send_signal(__import__('signal').SIG${signal})
print(-child.wait())`;
    home.write('end.py', python);
    const { stdout } = await home.prepare('python3 end.py');
    expect(Number(stdout)).toBe({ HUP: 1, INT: 2, TERM: 15 }[signal]);
  });
});
