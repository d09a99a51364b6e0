import { writeSync } from 'node:fs';
import { run } from '../src/cli/index.ts';

/** One run of pawl as a process of its own, which tells on file descriptor 3 what it took. */
async function main(): Promise<void> {
  const start = performance.now();
  process.exitCode = await run(process);
  const milliseconds = performance.now() - start;
  writeSync(3, JSON.stringify({ milliseconds, peak: process.resourceUsage().maxRSS * 1_024 }));
}

void main();
