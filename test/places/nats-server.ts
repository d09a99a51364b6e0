/**
 * Starts the NATS server of the system on a free port of this machine, with a folder of its own.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { freePort } from './servers.ts';

const PROGRAM = ['nats-server', '/usr/sbin/nats-server', '/usr/local/bin/nats-server'].find(
  (one) => spawnSync(one, ['--version']).status === 0,
);

/** Why tests with a server are left out. */
export const noServer =
  PROGRAM === undefined ? 'there is no nats-server here (apt-get install nats-server)' : undefined;

export class NatsServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'pawl-nats-'));
  readonly port: number;
  readonly #config: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, config: string) {
    this.port = port;
    this.#config = config;
  }

  /** Starts a server that ends with the test. `config`: in the server's language, `FOLDER` stands for its folder. */
  static async start(
    config = 'jetstream: {store_dir: "FOLDER/store"}',
    prepare: (folder: string) => void = () => undefined,
  ): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), config);
    prepare(server.folder);
    onTestFinished(async () => {
      await server.kill();
      rmSync(server.folder, { recursive: true });
    });
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async start(): Promise<void> {
    writeFileSync(
      this.path('conf'),
      `listen: "127.0.0.1:${this.port}"\n${this.#config.replaceAll('FOLDER', this.folder)}\n`,
    );
    const process = spawn(PROGRAM ?? '', ['-c', this.path('conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = process;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      process.stderr.on('data', (chunk) => {
        said += chunk;
        if (said.includes('Server is ready')) resolve();
      });
      process.once('exit', () => reject(new Error(said)));
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Stops it, until SIGCONT. Its threads do not all stop with the signal. */
  async pause(): Promise<void> {
    this.signal('SIGSTOP');
    const threads = `/proc/${this.#process?.pid}/task`;
    await vi.waitFor(() => {
      for (const thread of readdirSync(threads)) {
        expect(readFileSync(join(threads, thread, 'status'), 'latin1')).toMatch(/^State:\tT/m);
      }
    });
  }

  /** Ends it at once, as SIGKILL does. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Asks the server something as a bare client: sends lines, and returns what comes until `end`. */
  async talk(lines: string, end: RegExp): Promise<string> {
    const socket = connect(this.port, '127.0.0.1', () => socket.write(lines));
    let said = '';
    for await (const chunk of socket) {
      said += chunk;
      if (end.test(said)) break;
    }
    return said;
  }
}
