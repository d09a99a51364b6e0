import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Names a process by its number and the time it was started, since numbers are used again. */
export function processName(pid: number): string {
  return `${pid}:${startTime(pid) ?? ''}`;
}

/** Whether the process of that name still runs. */
export function isRunning(name: string): boolean {
  const pid = Number.parseInt(name, 10);
  const started = startTime(pid);
  return started !== undefined && name === `${pid}:${started}`;
}

/** When a process was started, in words of the system's own; `undefined` where there is none. */
function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return existsSync('/proc/self') ? undefined : startTimeByPs(pid);
  }
  // The second field, in parentheses, is the only one with blanks in it; the third is the state, the 22nd the time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended, though nobody has asked for its exit code.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** For systems without /proc. The environment is its own: the times must be the same for all, and ours holds secrets. */
function startTimeByPs(pid: number): string | undefined {
  try {
    const options = {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: '/bin:/usr/bin', TZ: 'UTC', LC_ALL: 'C' },
    } as const;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], options).trim() || undefined;
  } catch {
    return undefined;
  }
}
