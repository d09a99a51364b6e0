/**
 * Names processes so that a name is never reused, and tells whether a named process still runs. Names machines, too.
 * Knows nothing of what the names are used for.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names a process by its id and start time, because ids are reused, and by the place where the id counts. The name of the
 * machine is for people.
 */
export function processName(pid: number): string {
  return `${pid}:${startTime(pid) ?? ''}@${place()}@${hostName()}`;
}

/** On which machine the process of that name is, as people call it; `undefined` for one of an older pawl. */
export function hostOfProcess(name: string): string | undefined {
  return name.split('@')[2];
}

/**
 * Names this machine, across reboots: by its host name and, because several may have that, by the id that systemd gives it.
 * A container may have neither for longer than it lives.
 */
export function machineName(): string {
  let id = '';
  try {
    id = readFileSync('/etc/machine-id', 'latin1').trim();
  } catch {
    // There is none.
  }
  return `${hostName()}/${id}`;
}

/** What people call a machine of that name. */
export function hostOfMachine(name: string): string {
  return name.split('/')[0] || 'another machine';
}

/**
 * Whether the process of that name still runs; `undefined` for one of another machine or container, of which nothing is
 * known here. A name without a place is of an older pawl, and counts as one of this place.
 */
export function isRunning(name: string): boolean | undefined {
  const [process = '', elsewhere] = name.split('@');
  if (elsewhere !== undefined && elsewhere !== place()) return undefined;
  const pid = Number.parseInt(process, 10);
  const started = startTime(pid);
  return started !== undefined && process === `${pid}:${started}`;
}

/** What the machine calls itself. Linux says so without `node:os`, which takes time to load. */
function hostName(): string {
  try {
    return readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
  } catch {
    return hostname();
  }
}

let known: string | undefined;

/**
 * Where the ids of processes are those that we see: this boot of this machine, and a PID namespace on it. The first
 * namespace has the same number on every machine. Without /proc, it is the machine.
 */
function place(): string {
  known ??= placeByProc() ?? hostName();
  return known;
}

function placeByProc(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return undefined;
  }
}

/** The start time of a process, in a format of the operating system; `undefined` if there is no such process. */
function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return existsSync('/proc/self') ? undefined : startTimeByPs(pid);
  }
  // The second field, in parentheses, is the only one that may contain spaces. The third is the state, the 22nd the start
  // time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie (Z) or dead (X) process has ended.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/**
 * For systems without /proc. `ps` gets an environment of its own: time zone and language must be the same for all
 * processes that compare names, and the environment of pawl may contain secrets.
 */
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
