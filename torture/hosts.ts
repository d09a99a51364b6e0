/**
 * Machines that have the disk in common, and nothing else: processes, network, host name and marks are their own. They are
 * namespaces of this one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Box } from './box.ts';
import { LAUNCHER, NODE, type Ran } from './start.ts';

/** A process on a host. */
export interface OnHost {
  /** Ends when it has ended. */
  readonly ended: Promise<Ran>;
  /** What it has output so far. */
  readonly output: () => string;
  send(signal: NodeJS.Signals): void;
}

export class Host {
  readonly name: string;
  readonly #box: Box;
  readonly #keeper: ChildProcess;
  readonly #first: number;

  /** @returns `undefined` where this machine, or this user, has no namespaces. */
  static async start(box: Box, name: string): Promise<Host | undefined> {
    const unshare = ['--pid', '--fork', '--kill-child', '--mount-proc', '--uts', '--net'];
    const script = `hostname ${name} && echo && exec sleep infinity`;
    const keeper = spawn('unshare', [...unshare, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const end = () => keeper.kill('SIGKILL');
    process.once('exit', end);
    keeper.once('exit', () => process.off('exit', end));
    const isReady = once(keeper.stdout, 'data').then(() => true);
    const isEnded = Promise.race([once(keeper, 'exit'), once(keeper, 'error')]).then(() => false);
    const isThere = await Promise.race([isReady, isEnded]);
    const [first] = isThere ? childrenOf(keeper.pid) : [];
    return first === undefined ? undefined : new Host(box.on(name), name, keeper, first);
  }

  private constructor(box: Box, name: string, keeper: ChildProcess, first: number) {
    this.#box = box;
    this.name = name;
    this.#keeper = keeper;
    this.#first = first;
  }

  /** Starts pawl there. Its standard input is empty. */
  start(who: string, parameters: readonly string[]): OnHost {
    const { folder } = this.#box;
    const enter = ['-t', `${this.#first}`, '--pid', '--mount', '--uts', '--net', `--wd=${folder}`];
    const child = spawn('nsenter', [...enter, NODE, LAUNCHER, ...this.#box.arguments(who, parameters)], {
      env: this.#box.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const ended = new Promise<Ran>((resolve) => {
      child.on('close', (code, signal) =>
        resolve({
          code: code ?? undefined,
          signal: signal ?? undefined,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString(),
        }),
      );
    });
    return {
      ended,
      output: () => Buffer.concat(stdout).toString(),
      // The process that enters only waits for the one that it starts, and ends as that does.
      send: (signal) => {
        for (const pid of childrenOf(child.pid)) process.kill(pid, signal);
      },
    };
  }

  /** The same, and waits for its end. */
  run(who: string, parameters: readonly string[]): Promise<Ran> {
    return this.start(who, parameters).ended;
  }

  /** Ends everything there. */
  end(): void {
    this.#keeper.kill('SIGKILL');
  }
}

function childrenOf(pid: number | undefined): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
