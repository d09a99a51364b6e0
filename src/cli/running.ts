import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Names a process by its number and the time it was started, since numbers are used again. */
export function processName(pid: number): string {
  return `${pid}:${startTime(pid) ?? ''}`;
}

/** Whether the process of that name still runs. */
export function isRunning(name: string): boolean {
  const pid = Number.parseInt(name, 10);
  return startTime(pid) !== undefined && processName(pid) === name;
}

function startTime(pid: number): string | undefined {
  try {
    // The 22nd field; the second, in parentheses, is the only one with blanks in it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return readWithPs(pid);
  }
}

/** For systems without /proc. */
function readWithPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}
