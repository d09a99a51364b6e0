/**
 * An agent: holds the key of one identity file behind a socket, and gives it to who may connect, until it is told to end,
 * its time is over, or its socket is gone.
 * Does not know how the file is opened.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, renameSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { inodeOf } from '../../files/index.ts';
import { equal, wipe } from '../../primitives/index.ts';
import { askToEnd } from './client.ts';
import { removeSocket, socketFor } from './folder.ts';
import { type Clocks, Lease } from './lease.ts';
import { decodeRequest, ENDED, encodeKey, REQUEST_LENGTH, type Request, type Setup } from './protocol.ts';

/** How often it looks whether its socket is still there, in milliseconds: it is not after a logout. */
const LOOK = 30_000;
/** How long a request may take to come, in milliseconds. */
const PATIENCE = 2_000;
/** Who connects more often at a time is turned away. */
const AT_ONCE = 16;

export class Agent {
  /** Resolves once the key is overwritten and nobody is connected any more. */
  readonly ended: Promise<void>;
  readonly #key: Uint8Array;
  readonly #salt: Uint8Array;
  readonly #lease: Lease;
  readonly #path: string;
  /** Of its socket. */
  readonly #inode: string;
  readonly #server: Server;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /**
   * Takes the place of the agent that has the socket so far, if there is one, and ends it. There is always one.
   * @param setup its key is overwritten when the agent ends.
   * @throws the errors of the system; `no-agent`.
   */
  static async start(setup: Setup, clocks: Clocks): Promise<Agent> {
    const path = socketFor(setup.folder, setup.salt);
    // No longer than the path of the socket itself.
    const draft = draftFor(path);
    const server = createServer();
    server.maxConnections = AT_ONCE;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(draft, resolve));
    try {
      chmodSync(draft, 0o600);
      const inode = inodeAt(draft) ?? '';
      const previous = otherNameOf(path);
      renameSync(draft, path);
      const agent = new Agent(setup, { server, path, inode, lease: new Lease(clocks, setup.idle, setup.most) });
      if (previous !== undefined) {
        await askToEnd(previous, setup.salt);
        removeSocket(previous);
      }
      return agent;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  private constructor(
    { key, salt }: Setup,
    { server, path, inode, lease }: { server: Server; path: string; inode: string; lease: Lease },
  ) {
    this.#key = key;
    this.#salt = salt;
    this.#lease = lease;
    this.#path = path;
    this.#inode = inode;
    this.#server = server;
    server.on('connection', (connection) => this.#hear(connection));
    this.ended = new Promise((resolve) => server.once('close', resolve));
    this.#look();
  }

  /** Overwrites the key, and takes no more requests. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    wipe(this.#key);
    clearTimeout(this.#timer);
    if (this.#isInPlace()) removeSocket(this.#path);
    this.#server.close();
  }

  #look(): void {
    if (this.#lease.left <= 0 || !this.#isInPlace()) this.end();
    else this.#timer = setTimeout(() => this.#look(), Math.min(LOOK, Math.ceil(this.#lease.left)));
  }

  #isInPlace(): boolean {
    return inodeAt(this.#path) === this.#inode;
  }

  /** Takes one request. What is none is not answered. */
  #hear(connection: Socket): void {
    const patience = setTimeout(() => connection.destroy(), PATIENCE);
    let heard = Buffer.alloc(0);
    connection.on('error', () => undefined);
    connection.once('close', () => clearTimeout(patience));
    connection.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk.subarray(0, REQUEST_LENGTH + 1)]);
      if (heard.length < REQUEST_LENGTH) return;
      const request = decodeRequest(heard);
      if (request === undefined || !equal(request.salt, this.#salt)) connection.destroy();
      else this.#answer(connection, request);
    });
  }

  #answer(connection: Socket, { wants }: Request): void {
    if (wants === 'end') {
      this.end();
      connection.end(ENDED);
    } else if (!this.#isOver && (wants === 'peek' ? this.#lease.left > 0 : this.#lease.use())) {
      const answer = encodeKey(this.#key);
      connection.once('close', () => wipe(answer));
      connection.end(answer);
    } else {
      this.end();
      connection.destroy();
    }
  }
}

function draftFor(path: string): string {
  return join(dirname(path), `.pawl-${randomBytes(8).toString('hex')}`);
}

/** Gives a socket one more name; `undefined` where there is none, or it cannot have one: its agent will miss its name. */
function otherNameOf(path: string): string | undefined {
  const name = draftFor(path);
  try {
    linkSync(path, name);
    return name;
  } catch {
    return undefined;
  }
}

/** Of the socket itself, not of what a link leads to; `undefined` where there is none, or it cannot be looked at. */
function inodeAt(path: string): string | undefined {
  try {
    return inodeOf(lstatSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}
