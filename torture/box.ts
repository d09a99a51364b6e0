/** A temporary folder with identities, key files and marks, and pawl run in it, as a process or in this one. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../src/cli/main.ts';
import { isRunning, machineName, processName } from '../src/cli/terminal/process-name.ts';
import { systemRandom } from '../src/primitives/index.ts';
import { type Fault, LAUNCHER, NODE, type Ran, type StartOptions, start } from './start.ts';

/** One call of pawl: the identity, the arguments, the standard input. */
export interface Call {
  readonly who: string;
  readonly parameters: readonly string[];
  readonly input?: Uint8Array;
  /** Variables besides those of the box. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process that was started and is not waited for. */
export interface Launched {
  readonly child: ChildProcessWithoutNullStreams;
  /** Exit code, or the signal that ended it. Resolves only after the output has been read. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
}

/** One document of `--json`. */
export type Document = Readonly<Record<string, unknown>>;

/** Where identities are that are in no folder of the box, such as a database. */
export interface RemoteHome {
  /** For `--home`. */
  readonly uri: string;
  /** Another one with the same identities, for a copy of the box. */
  copy(): RemoteHome;
  /** Removes it with its box. */
  remove(): void;
}

const SELF = processName(process.pid);
let runs = 0;

/** Everything that pawl reads and writes is in this folder. */
export class Box {
  readonly folder: string;
  /** How far the clock of what runs in this process is ahead, in milliseconds. */
  ahead = 0;
  /** The homes of those whose identities are in no folder of the box, by their names. */
  readonly homes: Map<string, RemoteHome>;

  /** Where marks are. */
  readonly #state: string;

  constructor(folder: string, homes: ReadonlyMap<string, RemoteHome> = new Map(), state = join(folder, 'state')) {
    this.folder = folder;
    this.homes = new Map(homes);
    this.#state = state;
  }

  static make(parent: string): Box {
    return new Box(mkdtempSync(join(parent, 'box-')));
  }

  copy(parent: string): Box {
    const { folder } = Box.make(parent);
    cpSync(this.folder, folder, { recursive: true });
    return new Box(folder, new Map([...this.homes].map(([who, home]) => [who, home.copy()])));
  }

  /** The same as another machine has it, whose marks are its own. */
  on(machine: string): Box {
    return new Box(this.folder, this.homes, this.path(`state-${machine}`));
  }

  remove(): void {
    for (const home of this.homes.values()) home.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  get environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.folder,
      PAWL_HOME: this.path('home'),
      XDG_STATE_HOME: this.#state,
    };
  }

  /** Runs the built program as a process, with or without a fault. */
  start(
    { who, parameters, input, environment }: Call,
    fault?: Fault,
    options: Pick<StartOptions, 'user' | 'onStarted'> = {},
  ): Promise<Ran> {
    return start(this.arguments(who, parameters), {
      environment: { ...this.environment, ...environment },
      folder: this.folder,
      ...(input !== undefined && { input }),
      ...(fault !== undefined && { fault }),
      ...options,
    });
  }

  /** Starts the built program with its standard input open; its output is not read. */
  launch(who: string, parameters: readonly string[]): Launched {
    const child = spawn(NODE, [LAUNCHER, ...this.arguments(who, parameters)], {
      cwd: this.folder,
      env: this.environment,
    });
    // It may end without reading its input.
    child.stdin.on('error', () => undefined);
    return { child, ended: once(child, 'close') as unknown as Launched['ended'] };
  }

  /** Runs the source in this process, which is much faster. To later ones it is a process that has ended. */
  async run(who: string, parameters: readonly string[], input?: Uint8Array): Promise<Ran> {
    const stdout: Uint8Array[] = [];
    const stderr: Uint8Array[] = [];
    const into = (chunks: Uint8Array[]) => ({
      isTerminal: false,
      write: async (bytes: Uint8Array | string) => void chunks.push(Buffer.from(bytes as Uint8Array)),
      flush: async () => undefined,
    });
    const self = SELF.replace('@', `/${++runs}@`);
    const code = await main({
      arguments: this.arguments(who, parameters),
      program: [NODE, LAUNCHER],
      environment: this.environment,
      home: () => this.folder,
      userId: process.getuid?.(),
      input: { isTerminal: false, chunks: streamOf(input) },
      output: into(stdout),
      errors: into(stderr),
      random: systemRandom,
      now: () => Date.now() + this.ahead,
      process: () => self,
      host: machineName,
      isRunning,
      runEditor: async () => 'there is no editor here',
      runTar: () => {
        throw new Error('there is no tar here');
      },
      variables: () => ({ PATH: process.env.PATH ?? '' }),
      killGroup,
      runCommand: () => ({ output: new Uint8Array(0), failure: 'there is no shell here' }),
      beforeEnd: () => ({ remove: () => undefined }),
      openTerminal: () => undefined,
    });
    return { code, signal: undefined, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
  }

  /** Like `run`, but throws on failure: for preparations. */
  async ready(who: string, parameters: readonly string[], input?: Uint8Array): Promise<Buffer> {
    const ran = await this.run(who, parameters, input);
    if (ran.code !== 0) throw new Error(`pawl ${parameters.join(' ')}: exit ${ran.code}\n${ran.stderr}`);
    return ran.stdout;
  }

  arguments(who: string, parameters: readonly string[]): string[] {
    // With `--no-input` nothing is named: an agent has the key, or nobody.
    const isSaid = parameters.some((one) => ['--key-file', '--passphrase-file', '--no-input'].includes(one));
    const home = parameters.includes('--home') ? undefined : this.homes.get(who)?.uri;
    const isIn = home === undefined ? [] : ['--home', home];
    return ['-i', who, ...isIn, ...(isSaid ? [] : ['--key-file', this.path(`${who}.key`)]), ...parameters];
  }

  read(name: string): Buffer | undefined {
    return existsSync(this.path(name)) ? readFileSync(this.path(name)) : undefined;
  }

  /** The paths of all files, relative to the folder. */
  files(): readonly string[] {
    mkdirSync(this.folder, { recursive: true });
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).sort();
  }
}

function killGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch {
    // It has ended.
    return false;
  }
}

async function* streamOf(input: Uint8Array | undefined): AsyncIterable<Uint8Array> {
  if (input !== undefined) yield input;
}

/** The JSON documents of an output; an incomplete last line is left out. */
export function documents(output: Uint8Array | string): readonly Document[] {
  return output
    .toString()
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Document);
}
