/**
 * Stands between clients and a PostgreSQL server, and does something at a step: at one of the messages of the protocol
 * behind which a statement is complete, or its answer is. Also a network that is slow. Knows nothing of pawl.
 */
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** A statement that is sent, or its answer; `begins` and `ends` for the beginning and end of a connection. */
export interface Step {
  readonly from: 'client' | 'server';
  readonly what: string;
}

/** What becomes of the connection at a step. */
export interface Break {
  /** Whether the message that is the step is passed on. */
  readonly when: 'before' | 'after';
  /**
   * `cut`: it ends. `shut`: the same, and nobody is let in any more. `hold`: nothing is passed on any more, nor is it closed.
   * `go`: it goes on, as far as the relay is concerned.
   */
  readonly does: 'cut' | 'shut' | 'hold' | 'go';
  /** Is called there, with the process of the server. */
  readonly onMet?: (backend: number) => void;
}

export class PostgresRelay {
  readonly folder = mkdtempSync(join(tmpdir(), 'pawl-relay-'));
  /** Those since the last `breakAt`. */
  steps: Step[] = [];
  /**
   * How often a client has sent something behind an answer, in all connections. What is sent without waiting for an answer
   * counts as well where that comes in between: not so with a delay.
   */
  roundTrips = 0;
  /** How many milliseconds an answer is on its way, and a question none: a timer is no finer than that. */
  delay = 0;
  readonly #behind: string;
  readonly #relay: Server;
  readonly #sockets = new Set<Socket>();
  #isAt: (step: Step, number: number) => boolean = () => false;
  #break: Break | undefined;
  #met = 0;
  #isShut = false;

  /** @param socket the path of the server's. */
  static async start(socket: string): Promise<PostgresRelay> {
    const relay = new PostgresRelay(socket);
    await new Promise<void>((resolve) => {
      relay.#relay.listen(relay.#path, resolve);
    });
    // So that a client of any user gets in.
    chmodSync(relay.folder, 0o755);
    chmodSync(relay.#path, 0o777);
    return relay;
  }

  private constructor(socket: string) {
    this.#behind = socket;
    this.#relay = createServer((client) => this.#carry(client));
  }

  get #path(): string {
    return join(this.folder, basename(this.#behind));
  }

  /** How often a step was met since the last `breakAt`. */
  get met(): number {
    return this.#met;
  }

  /** Breaks the connection at a step, counted from 1 and from now on, or at each for which that is true; 0: at none. */
  breakAt(at: number | ((step: Step) => boolean), how?: Break): void {
    this.steps = [];
    this.#isAt = typeof at === 'number' ? (_, number) => number === at : at;
    this.#break = how;
    this.#met = 0;
    this.#isShut = false;
  }

  /** Lets clients in again. */
  heal(): void {
    this.#isShut = false;
    this.#break = undefined;
  }

  /** Ends all connections. From now on its address leads to the server itself, until `end`. */
  stepAside(): void {
    this.#relay.close();
    for (const socket of this.#sockets) socket.destroy();
    symlinkSync(this.#behind, this.#path);
  }

  end(): void {
    this.#relay.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #carry(client: Socket): void {
    if (this.#isShut) {
      client.destroy();
      return;
    }
    const server = connect(this.#behind);
    const connection = new Connection(client, server);
    for (const [from, to, side] of [
      [client, server, 'client'],
      [server, client, 'server'],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        if (!connection.isHeld) to.destroySoon();
      });
      const messages = messagesFrom(side);
      from.on('data', (bytes) => {
        if (side === 'client' && connection.hasAnswered) {
          this.roundTrips += 1;
          connection.hasAnswered = false;
        }
        const pass = () => {
          if (side === 'server') connection.hasAnswered = true;
          for (const message of messages(bytes)) this.#pass(message, side, connection);
        };
        if (this.delay === 0 || side === 'client') pass();
        else setTimeout(pass, this.delay);
      });
    }
  }

  #pass(message: Message, side: Step['from'], connection: Connection): void {
    if (connection.isOver) return;
    const to = side === 'client' ? connection.server : connection.client;
    const step = connection.stepOf(message, side);
    if (step !== undefined) this.steps.push(step);
    const isMet = step !== undefined && this.#isAt(step, this.steps.length);
    const { when, does, onMet } = (isMet ? this.#break : undefined) ?? {};
    if (isMet) this.#met += 1;
    if (when !== 'before') to.write(message.bytes);
    if (does === undefined) return;
    this.#isShut = does === 'shut';
    connection.isHeld = does === 'hold';
    connection.isOver = does !== 'go';
    onMet?.(connection.backend);
    if (does === 'cut' || does === 'shut') connection.end();
  }
}

interface Message {
  /** Its letter; '' for what a client sends first, which has none. */
  readonly type: string;
  readonly bytes: Buffer;
}

class Connection {
  readonly client: Socket;
  readonly server: Socket;
  /** The number of the server's process. */
  backend = 0;
  isOver = false;
  isHeld = false;
  hasAnswered = true;
  #text = '';
  readonly #asked: string[] = [];

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
  }

  end(): void {
    this.client.destroySoon();
    this.server.destroySoon();
  }

  /** The step that a message is, if it is one. */
  stepOf({ type, bytes }: Message, from: Step['from']): Step | undefined {
    if (from === 'server') {
      if (type === 'K') this.backend = bytes.readUInt32BE(5);
      return type === 'Z' ? { from, what: this.#asked.shift() ?? '' } : undefined;
    }
    // Parse has the name of the statement in front of its text: pawl gives it none.
    if (type === 'P') this.#text = textAt(bytes, 6);
    if (type === 'Q') this.#text = textAt(bytes, 5);
    if (type === 'X') return { from, what: 'ends' };
    if (type !== '' && type !== 'Q' && type !== 'S') return undefined;
    const what = type === '' ? 'begins' : this.#text;
    this.#asked.push(what);
    return { from, what };
  }
}

/** The first words of a statement. */
function textAt(bytes: Buffer, at: number): string {
  const text = bytes.toString('latin1', at, at + 200).split('\0')[0] ?? '';
  return text.trim().replace(/\s+/g, ' ').slice(0, 40);
}

/** Divides what comes into messages: a letter, except for the first of a client, and a length that counts itself. */
function messagesFrom(side: Step['from']): (bytes: Buffer) => Generator<Message> {
  let rest: Buffer = Buffer.alloc(0);
  let hasLetter = side === 'server';
  return function* (bytes) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      const at = hasLetter ? 1 : 0;
      if (rest.length < at + 4) return;
      const length = at + rest.readUInt32BE(at);
      if (rest.length < length) return;
      yield { type: rest.toString('latin1', 0, at), bytes: rest.subarray(0, length) };
      rest = rest.subarray(length);
      hasLetter = true;
    }
  };
}
