import { readFileSync, writeSync } from 'node:fs';
import { run } from '../src/cli/main.ts';

/** One run of pawl as a process of its own, which tells on file descriptor 3 what it took. */
async function main(): Promise<void> {
  process.exitCode = await run(process);
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  writeSync(3, JSON.stringify({ milliseconds: (userCPUTime + systemCPUTime) / 1_000, peak: peak() }));
}

/** Bytes, at most, that this process held: not `maxRSS`, which begins with what its parent held. */
function peak(): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1_024;
}

void main();
