/** One run of pawl as a process, which reports its processor time and peak memory on file descriptor 3. */
import { readFileSync, writeSync } from 'node:fs';
import { run } from '../src/cli/main.ts';

async function main(): Promise<void> {
  process.exitCode = await run(process);
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  writeSync(3, JSON.stringify({ milliseconds: (userCPUTime + systemCPUTime) / 1_000, peak: peak() }));
}

/** The peak of resident memory in bytes. Not `maxRSS`, which starts with that of the parent process. */
function peak(): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1_024;
}

void main();
