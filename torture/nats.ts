/**
 * A NATS server of the system, and in front of it a relay that ends connections at a step: after so many operations of the
 * protocol, in whatever direction they go. Knows nothing of what is in them.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { WORKSHOP } from './start.ts';

const PROGRAM = ['nats-server', '/usr/sbin/nats-server', '/usr/local/bin/nats-server'].find(
  (one) => spawnSync(one, ['--version']).status === 0,
);
const CRLF = '\r\n';
/** Operations that are followed by as many bytes as their last word says. */
const WITH_BYTES = /^(?:H?PUB|H?MSG) /i;

/** When a connection ends: before an operation is passed on, in the midst of it, or behind it. */
export type Cut = 'before' | 'within' | 'after';

export class Relay {
  readonly #folder = mkdtempSync(join(WORKSHOP, 'nats-'));
  readonly #relay: Server;
  readonly #sockets = new Set<Socket>();
  #server: ChildProcess | undefined;
  #serverPort = 0;
  #cut: { readonly step: number; readonly how: Cut } | undefined;
  #onMet: () => void = () => undefined;
  /** Operations since the last `cutAt`. */
  steps = 0;

  /** Starts one; `undefined` where there is no server on this machine. */
  static async start(): Promise<Relay | undefined> {
    if (PROGRAM === undefined) return undefined;
    const relay = new Relay();
    await relay.#start(PROGRAM);
    return relay;
  }

  private constructor() {
    this.#relay = createServer((client) => this.#carry(client));
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#relay.address() as AddressInfo).port}`;
  }

  /** Ends the connection at an operation, counted from now on, and lets nobody in after that, until `heal`. */
  cutAt(step: number, how: Cut, onMet: () => void = () => undefined): void {
    this.steps = 0;
    this.#onMet = onMet;
    this.#cut = { step, how };
  }

  heal(): void {
    this.#cut = undefined;
  }

  /** How many envelopes are in the stream, as the server says to a bare client. */
  async messages(): Promise<number> {
    const socket = connect(this.#serverPort, '127.0.0.1');
    socket.write(['CONNECT {}', 'SUB answer 1', 'PUB $JS.API.STREAM.INFO.PAWL answer 2', '{}', ''].join(CRLF));
    let said = '';
    for await (const chunk of socket) {
      said += chunk;
      const [, messages] = /"messages":(\d+)/.exec(said) ?? [];
      if (messages !== undefined) return Number(messages);
    }
    throw new Error(`nats-server: ${said}`);
  }

  async end(): Promise<void> {
    this.#relay.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server !== undefined) {
      const ended = once(this.#server, 'exit');
      this.#server.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(program: string): Promise<void> {
    // The server is asked for any port, and writes down which it took.
    writeFileSync(
      join(this.#folder, 'conf'),
      `listen: "127.0.0.1:-1"\njetstream: {store_dir: "${join(this.#folder, 'store')}"}\n`,
    );
    const server = spawn(program, ['-c', join(this.#folder, 'conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#server = server;
    // Where this process ends before the test does.
    process.on('exit', () => server.kill('SIGKILL'));
    let said = '';
    for await (const chunk of server.stderr) {
      said += chunk;
      const [, port] = /client connections on 127\.0\.0\.1:(\d+)/.exec(said) ?? [];
      if (port === undefined || !said.includes('Server is ready')) continue;
      this.#serverPort = Number(port);
      break;
    }
    if (this.#serverPort === 0) throw new Error(`nats-server: ${said}`);
    this.#relay.listen(0, '127.0.0.1');
    await once(this.#relay, 'listening');
  }

  #carry(client: Socket): void {
    if (this.#isOver()) {
      client.destroy();
      return;
    }
    const server = connect(this.#serverPort, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        // What was passed on arrives before the end.
        to.end();
      });
      const operations = operationsIn();
      from.on('data', (bytes) => {
        for (const { piece, isEnd } of operations(bytes)) if (!this.#pass(piece, isEnd, to)) return;
      });
    }
  }

  /** @returns whether the connection goes on. */
  #pass(piece: Buffer, isEnd: boolean, to: Socket): boolean {
    if (this.#isOver()) return false;
    const isLast = this.#cut !== undefined && this.steps + 1 === this.#cut.step;
    if (isLast && this.#cut?.how === 'before') return this.#end(to);
    if (isLast && this.#cut?.how === 'within') {
      to.write(piece.subarray(0, Math.ceil(piece.length / 2)));
      return this.#end(to);
    }
    to.write(piece);
    if (!isEnd) return true;
    this.steps += 1;
    return isLast ? this.#end(to) : true;
  }

  #isOver(): boolean {
    return this.#cut !== undefined && this.steps >= this.#cut.step;
  }

  #end(last: Socket): boolean {
    this.steps = this.#cut?.step ?? this.steps;
    // Killed before it hears of the end.
    this.#onMet();
    last.end();
    for (const socket of this.#sockets) if (socket !== last) socket.destroySoon();
    return false;
  }
}

/** Divides what comes into operations; a piece may be a part of one. */
function operationsIn(): (bytes: Buffer) => Generator<{ readonly piece: Buffer; readonly isEnd: boolean }> {
  let line = '';
  let body = 0;
  return function* (bytes) {
    for (let at = 0; at < bytes.length; ) {
      const from = at;
      if (body > 0) {
        at += Math.min(body, bytes.length - at);
        body -= at - from;
      } else {
        const end = bytes.indexOf('\n', at);
        at = end < 0 ? bytes.length : end + 1;
        line += bytes.toString('latin1', from, at);
        if (end >= 0) {
          if (WITH_BYTES.test(line)) body = Number(line.trim().split(/\s+/).at(-1)) + CRLF.length;
          line = '';
        }
      }
      yield { piece: bytes.subarray(from, at), isEnd: body === 0 && line === '' };
    }
  };
}
