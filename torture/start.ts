/** Starts a copy of the built program with a fault, and collects how it ended. Owns the folder of this run. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A fault at one step of a process; see fail-at.c. */
export interface Fault {
  readonly step: number;
  readonly mode: string;
}

/** How a process ended, and its output. */
export interface Ran {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Its steps, where a fault was given. */
  readonly steps?: readonly Step[];
  /** Files whose lock it lost by closing them. */
  readonly unlocked?: readonly string[];
}

/** A change to a file of the box, or a write to standard output or error. */
export interface Step {
  readonly does: string;
  readonly path: string;
  readonly bytes: number;
}

const ROOT = join(import.meta.dirname, '..');
export const EXAMPLES = join(ROOT, 'examples');

/** The temporary folder of this run, in memory where possible; removed when the run ends. */
export const WORKSHOP = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pawl-torture-'));
process.on('exit', cleanUp);

/** A small disk, where there is one; see scenes/disks.ts. */
export const DISK = join(WORKSHOP, 'disk');

export function cleanUp(): void {
  if (existsSync(DISK)) spawnSync('umount', ['-l', DISK], { stdio: 'ignore' });
  rmSync(WORKSHOP, { recursive: true, force: true });
}

/** A folder with an installed pawl and the Node that runs it: see matrix/run.mjs. */
const { PAWL_BIN } = process.env;
/** The package that is run: the installed one, or this one as it was built. */
const PACKAGE = PAWL_BIN === undefined ? ROOT : dirname(dirname(realpathSync(join(PAWL_BIN, 'pawl'))));
export const NODE = PAWL_BIN === undefined ? process.execPath : join(PAWL_BIN, 'node');

/**
 * A copy of the program and of the packages that it loads. A build meanwhile does not disturb it, and another user can
 * read it wherever the checkout is.
 */
const PROGRAM = join(WORKSHOP, 'program');
copyProgram();
export const LAUNCHER = join(PROGRAM, 'bin', 'pawl.js');

function copyProgram(): void {
  for (const part of ['bin', 'dist']) copyIntoProgram(part);
  // Of the database's 40 MB, the built program loads its addon, in version 12 or in version 13.
  for (const part of ['package.json', 'build/Release/better_sqlite3.node', 'prebuilds']) {
    copyIntoProgram(`node_modules/better-sqlite3-multiple-ciphers/${part}`);
  }
  for (const name of ['@nats-io/transport-node', '@node-rs/argon2', 'inquirer', 'qr']) copyPackage(name);
  // Under a umask of 077, git and npm make files that only their owner can read.
  execFileSync('chmod', ['-R', 'a+rX', PROGRAM]);
}

/** Copies an installed package and what it depends on. A dependency for another platform is not installed. */
function copyPackage(name: string): void {
  const folder = `node_modules/${name}`;
  if (!existsSync(join(PACKAGE, folder)) || existsSync(join(PROGRAM, folder))) return;
  copyIntoProgram(folder);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(PACKAGE, folder, 'package.json'), 'utf8'),
  );
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) copyPackage(dependency);
}

function copyIntoProgram(path: string): void {
  if (!existsSync(join(PACKAGE, path))) return;
  mkdirSync(dirname(join(PROGRAM, path)), { recursive: true });
  cpSync(join(PACKAGE, path), join(PROGRAM, path), { recursive: true });
}

const LIBRARY = join(WORKSHOP, 'fail-at.so');

/**
 * Compiles fail-at.c.
 * @returns why this is not possible, where it is not.
 */
export function buildFaults(): string | undefined {
  if (process.platform !== 'linux') return 'faults are injected on Linux only';
  const source = join(ROOT, 'torture', 'fail-at.c');
  const { error, status, stderr } = spawnSync('cc', ['-O1', '-shared', '-fPIC', '-o', LIBRARY, source, '-ldl']);
  if (error !== undefined) return 'there is no C compiler (cc)';
  return status === 0 ? undefined : `cc failed: ${stderr}`;
}

/** A process that runs for more than this many milliseconds counts as hanging. */
const PATIENCE = 180_000;

let logs = 0;

export interface StartOptions {
  readonly environment: Record<string, string>;
  readonly folder: string;
  readonly input?: Uint8Array;
  readonly fault?: Fault;
  /** The id of another user to run it as. */
  readonly user?: number;
  /** Is told the process. */
  readonly onStarted?: (pid: number) => void;
}

/** Starts pawl, and waits until it has ended. Its standard input is empty unless given. */
export async function start(parameters: readonly string[], options: StartOptions): Promise<Ran> {
  const { environment, folder, input, fault, user, onStarted } = options;
  const log = join(WORKSHOP, `log-${++logs}`);
  const preload = fault && {
    LD_PRELOAD: LIBRARY,
    TORTURE_ROOT: folder,
    TORTURE_STEP: String(fault.step),
    TORTURE_MODE: fault.mode,
    TORTURE_LOG: log,
  };
  const child = spawn(NODE, [LAUNCHER, ...parameters], {
    cwd: folder,
    env: { ...environment, ...preload },
    stdio: 'pipe',
    timeout: PATIENCE,
    killSignal: 'SIGABRT',
    ...(user !== undefined && { uid: user, gid: user }),
  });
  if (child.pid !== undefined) onStarted?.(child.pid);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // It may end without reading its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const counted = fault && logged(log);
      rmSync(log, { force: true });
      resolve({
        code: code ?? undefined,
        signal: signal ?? undefined,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
        ...counted,
      });
    });
  });
}

function logged(log: string): { steps: readonly Step[]; unlocked: readonly string[] } {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
  const steps: Step[] = [];
  const unlocked: string[] = [];
  for (const line of lines) {
    const [number, does = '', path = '', bytes] = line.split(' ');
    if (number === '0') unlocked.push(path);
    else steps.push({ does, path, bytes: Number(bytes) });
  }
  return { steps, unlocked };
}
