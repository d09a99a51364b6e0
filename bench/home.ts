/**
 * A folder with two identities, and pawl run in it as whole processes. Owns how a process is started, and what is
 * measured: elapsed time, processor time, peak memory, output.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../src/primitives/index.ts';
import type { Context } from '../src/session/index.ts';
import { type FileKey, openIdentityFile, readSalt } from '../src/storage/index.ts';

/** What a shell starts as pawl. */
export const PROGRAM = join(__dirname, '..', '..', 'bin', 'pawl.js');
const MIB = 2 ** 20;

export interface Ran {
  readonly milliseconds: number;
  /** User and system time in milliseconds. */
  readonly processor: number;
  /** The peak of resident memory, in bytes. */
  readonly peak: number;
  readonly output: Buffer;
}

/** Identities of alice and bob. Both have sent and received, and alice's next message continues a chain. */
export class Home {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Identities that do not know each other. */
  static strangers(folder: string): Home {
    mkdirSync(folder);
    const home = new Home(folder);
    home.pawl('alice', ['init', 'alice']);
    home.pawl('bob', ['init', 'bob']);
    return home;
  }

  static begin(folder: string): Home {
    const home = Home.strangers(folder);
    home.pawl('alice', ['add', 'bob'], home.pawl('bob', ['invite', 'alice']).output);
    for (const [from, to] of [
      ['alice', 'bob'],
      ['bob', 'alice'],
      ['alice', 'bob'],
    ] as const) {
      home.pawl(to, ['recv'], home.pawl(from, ['send', to, '-m', 'hi']).output);
    }
    return home;
  }

  copy(folder: string): Home {
    cpSync(this.folder, folder, { recursive: true });
    return new Home(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs pawl as a shell starts it. */
  pawl(identity: string, parameters: readonly string[], input: Uint8Array = new Uint8Array(0)): Ran {
    const options = ['--home', this.folder, '--key-file', this.path('file.key'), '-q', '-i', identity];
    return run([PROGRAM, ...parameters, ...options], this.folder, input);
  }

  /** The same with its output in a file, where it may be larger than what this process takes in. */
  pawlInto(file: string, identity: string, parameters: readonly string[]): Ran {
    const options = ['--home', this.folder, '--key-file', this.path('file.key'), '-q', '-i', identity];
    const output = openSync(this.path(file), 'w');
    try {
      return run([PROGRAM, ...parameters, ...options], this.folder, new Uint8Array(0), output);
    } finally {
      closeSync(output);
    }
  }

  /** `pawl send bob < input | pawl recv > output`, both at once. */
  pipe(input: string, output: string): number {
    const of = (identity: string) =>
      `"${process.execPath}" "${PROGRAM}" --home . --key-file file.key -q -i ${identity}`;
    const line = `${of('alice')} send bob < ${input} | ${of('bob')} recv > ${output}`;
    const start = performance.now();
    const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: this.folder, env: environment(this.folder) });
    if (status !== 0) throw new Error(`${line}: ${stderr}`);
    return performance.now() - start;
  }

  /** Does some work on an identity file in this process. */
  open<Result>(name: 'alice' | 'bob', work: (context: Context) => Promise<Result>): Promise<Result> {
    return withIdentityFile(this.path(`${name}.db`), this.path('file.key'), work);
  }
}

/** Does some work on an identity file in this process. */
export async function withIdentityFile<Result>(
  path: string,
  keyFile: string,
  work: (context: Context) => Promise<Result>,
): Promise<Result> {
  const key = new Uint8Array(readFileSync(keyFile)) as FileKey;
  const store = openIdentityFile(path, { key, salt: readSalt(path) }, { wait: 0 });
  try {
    return await work({ store, random: systemRandom, now: Date.now, process: 'bench', isRunning: () => true });
  } finally {
    store.close();
  }
}

/** Runs Node. Throws where it ends with another exit code than 0. */
export function run(
  parameters: readonly string[],
  folder: string,
  input: Uint8Array,
  output: 'pipe' | number = 'pipe',
): Ran {
  const preload = join(folder, 'peak.cjs');
  writeFileSync(
    preload,
    `process.on('exit', () => require('fs').writeSync(3, [(${peak})(), (${processor})()].join()));`,
  );
  // A file instead of a pipe, so that feeding a pipe is not part of the measured time.
  const file = join(folder, 'input');
  writeFileSync(file, input);
  const stdin = openSync(file, 'r');
  try {
    const start = performance.now();
    const {
      status,
      output: outputs,
      stderr,
    } = spawnSync(process.execPath, ['-r', preload, ...parameters], {
      stdio: [stdin, output, 'pipe', 'pipe'],
      env: environment(folder),
      maxBuffer: 256 * MIB,
    });
    const milliseconds = performance.now() - start;
    if (status !== 0) throw new Error(`${parameters.join(' ')}: ${stderr}`);
    const [peakInKib, processorTime] = String(outputs[3]).split(',').map(Number);
    return {
      milliseconds,
      processor: processorTime ?? Number.NaN,
      peak: (peakInKib ?? Number.NaN) * 1_024,
      output: outputs[1] as unknown as Buffer,
    };
  } finally {
    closeSync(stdin);
  }
}

/** The peak of resident memory in KiB. On Linux a process inherits `maxRSS` of its parent, but not VmHWM. */
function peak(): number {
  try {
    const status: string = require('node:fs').readFileSync('/proc/self/status', 'latin1');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

/** The processor time so far, of all threads, in milliseconds. */
function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Only what is needed: some variables slow down every Node, which would make the ratios look better. */
export function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, XDG_STATE_HOME: join(folder, 'state') };
}
