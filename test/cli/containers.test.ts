import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { inHome, meet } from './shell.ts';

// Two containers, or two machines, on one volume: a PID namespace each.

const UNSHARE = 'unshare -p -f --mount-proc';
const canUnshare = spawnSync('bash', ['-c', `${UNSHARE} true`]).status === 0;

it.runIf(canUnshare)('a text that one container is about to write is not written by another', () =>
  inHome(async (home) => {
    await meet(home);
    // 128 KiB: the pipe is full before all of it is written.
    const { stdout, stderr } = await home.prepare(`set -e
      mkfifo pipe; head -c 131072 /dev/zero | tr '\\0' x > text
      pawl -i alice send bob < text > message
      ${UNSHARE} pawl -q -i bob recv message > pipe & writer=$!
      exec 3< pipe
      head -c 1 <&3 > first
      ${UNSHARE} pawl -i bob recv --waiting
      ${UNSHARE} pawl -i bob outbox
      cat <&3 > rest
      wait $writer
      cat first rest | cmp - text
      pawl -i bob recv --waiting`);
    expect(stdout.toString()).toBe('');
    expect(stderr).toMatch(
      /^pawl: 1 text is with a pawl on another machine or in another container \([^)]+\); if that has ended, pawl recv --waiting has what it left from \d{4}-\d\d-\d\d \d\d:\d\d on\n/,
    );
    expect(stderr).toMatch(/pawl: nothing waits\n$/);
  }),
);

it.runIf(canUnshare)('a text that a container left behind is not lost: it waits in the same place at once', () =>
  inHome(async (home) => {
    await meet(home);
    const { stdout, stderr } = await home.prepare(`set -e
      pawl -i alice send bob -m 'still there' > message
      ${UNSHARE} bash -c 'pawl -q -i bob recv message > /dev/full || pawl -i bob recv --waiting'`);
    expect(stdout.toString()).toBe('still there');
    expect(stderr).toContain('this text of alice may have come before');
  }),
);
