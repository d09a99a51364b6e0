import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants as system, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The output and the exit code of a command. */
export interface Result {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exit: number;
}

export interface RunOptions {
  /** Standard input; empty by default. */
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds after which the command and its child processes are killed. */
  readonly patience?: number;
}

/** A folder with one link, `pawl`, to the built program; `npm run matrix` names one with an installed pawl. */
const BIN = process.env.PAWL_BIN ?? join(import.meta.dirname, 'bin');

/**
 * A temporary home folder, and a shell in it without a terminal, as a script has it. `pawl` is on the PATH, and the
 * environment names a key file.
 */
export class Home {
  readonly folder: string;

  private constructor() {
    this.folder = mkdtempSync(join(placeForHomes(), 'pawl-home-'));
  }

  static create(): Home {
    const home = new Home();
    mkdirSync(home.path('.tmp'));
    writeFileSync(home.path('.key'), randomBytes(32), { mode: 0o600 });
    return home;
  }

  /** A copy of this home. */
  copy(): Home {
    const home = new Home();
    cpSync(this.folder, home.folder, { recursive: true });
    return home;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name));
  }

  write(name: string, content: string | Uint8Array, mode = 0o600): void {
    writeFileSync(this.path(name), content, { mode });
  }

  /** The path of an identity file. */
  identity(name: string): string {
    return this.path(`.local/share/pawl/${name}.db`);
  }

  /** The environment of commands. */
  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: [BIN, dirname(process.execPath), process.env.PATH].join(':'),
      HOME: this.folder,
      TMPDIR: this.path('.tmp'),
      PAWL_KEY_FILE: this.path('.key'),
      TZ: 'UTC',
      LC_ALL: 'C.UTF-8',
    };
  }

  /** The paths of all files, or of those under a folder, hidden ones too. */
  files(folder = '.'): string[] {
    return readdirSync(this.path(folder), { recursive: true, withFileTypes: true, encoding: 'utf8' })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  }

  /** The digests of all files in the folder of the identity files, by their paths. */
  identities(): Record<string, string> {
    const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
    return Object.fromEntries(this.files('.local/share/pawl').map((file) => [file, digest(file)]));
  }

  /** Runs a line of shell. */
  run(command: string, { input = '', environment = {}, patience = 100 }: RunOptions = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      // `detached` starts a new session, which has no terminal even if the tests have one.
      const child = spawn('bash', ['-c', command], {
        cwd: this.folder,
        detached: true,
        env: { ...this.environment, ...environment },
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on('data', (chunk) => stdout.push(chunk));
      child.stderr.on('data', (chunk) => stderr.push(chunk));
      // A command may end without reading its input.
      child.stdin.on('error', () => undefined).end(input);
      const { pid } = child;
      const timer = setTimeout(() => {
        reject(new Error(`no end after ${patience} seconds: ${command}`));
        try {
          if (pid !== undefined) process.kill(-pid, 'SIGKILL');
        } catch {
          // It has ended, and something that it left behind holds its output.
        }
      }, patience * 1_000);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve({
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString(),
          exit: code ?? 128 + (signal === null ? 0 : system.signals[signal]),
        });
      });
    });
  }

  /** Runs a line of shell that must succeed. */
  async prepare(command: string, options?: RunOptions): Promise<Result> {
    const result = await this.run(command, options);
    if (result.exit !== 0) throw new Error(`${command}\n${result.stderr}[exit ${result.exit}]`);
    return result;
  }
}

/** Runs `work` in a home, and removes the home afterwards. */
export async function inHome<Done>(work: (home: Home) => Promise<Done>, home = Home.create()): Promise<Done> {
  try {
    return await work(home);
  } finally {
    home.remove();
  }
}

/** An alice and a bob who have each heard of the other. */
export async function meet(home: Home): Promise<void> {
  await home.prepare(`set -e
    pawl init alice; pawl init bob
    pawl -i bob invite alice | pawl -i alice add bob
    pawl -i alice send bob -m 'hi bob' | pawl -i bob recv
    pawl -i bob send alice -m 'hi alice' | pawl -i alice recv`);
}

/** In memory where there is such a place: elsewhere every commit waits for the disk. */
function placeForHomes(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return realpathSync('/dev/shm');
  } catch {
    return realpathSync(tmpdir());
  }
}
