/**
 * Connects to a NATS server by the package `@nats-io/transport-node`, which is loaded when it is used.
 * Knows credentials and TLS, and nothing of boxes.
 */
import { createConnection, isIP, type Socket } from 'node:net';
import { checkServerIdentity as isFor, type PeerCertificate } from 'node:tls';
import type { ConnectionOptions, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import type { NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';
import { PawlError } from '../errors.ts';
import { codeOf, readFile } from '../files/index.ts';
import { LARGEST_ANSWER, LONGEST_LINE, NoNats, operationsIn } from './nats-frames.ts';
import { ON_ITS_WAY, Patience, timeFor, within } from './patience.ts';
import type { PlaceContext } from './place.ts';

/** Where a server is. `shown`: how errors call it. */
export interface NatsAddress {
  readonly host: string;
  readonly port: number;
  readonly shown: string;
}

/** A connection that is open, or was. */
export interface NatsClient {
  readonly connection: NatsConnection;
  /** In bytes. */
  readonly largest: number;
  /** The package does not notice at once, and what is asked meanwhile waits until its time is over. */
  isOver(): boolean;
  /**
   * Says that an answer is awaited to so many bytes, so that silence ends the connection, and an answer that comes too slowly.
   * Call what it returns when it is not awaited any more, with the bytes that were of use.
   */
  awaitAnswer(sent?: number): (useful: number) => void;
  /** Ends the connection: everything that is awaited fails with `reason`. */
  end(reason: Error): void;
}

/** The server has said nothing for the time limit. */
export class Silence extends Error {
  override readonly name = 'Silence';
}

/** It says something now and then, or for ever what is of no use. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

/** In bytes: how much is written at a time, so that a slow line is seen to move. */
const WRITTEN_AT_ONCE = 2 ** 16;
/** Not before an answer is long overdue: it must not look like one. */
const PING_INTERVAL = 600_000;
const PONG = Buffer.from('PONG\r\n');
/** In bytes: files of credentials and certificates are smaller. */
const LARGEST_FILE = 2 ** 20;

type Core = typeof import('@nats-io/transport-node');
type Node = typeof import('@nats-io/transport-node/lib/node_transport.js');

/** @throws `no-addon` where the package is not installed. */
export async function loadPackage(): Promise<Core> {
  try {
    const [core, node] = await Promise.all([
      import('@nats-io/transport-node'),
      import('@nats-io/transport-node/lib/node_transport.js'),
    ]);
    const Transport = transportOf(node.NodeTransport);
    core.setTransportFactory({ factory: () => new Transport(), dnsResolveFn: node.nodeResolveHost });
    return core;
  } catch (cause) {
    if (!['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(codeOf(cause) ?? '')) throw cause;
    throw new PawlError(
      'no-addon',
      { part: 'the NATS client', why: 'missing', node: process.versions.node },
      { cause },
    );
  }
}

/** @param url `nats://HOST` or `nats://HOST:PORT`. */
export function addressOf(url: string): NatsAddress {
  const { hostname, port } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 4222),
    shown: `nats://${hostname}${port && `:${port}`}`,
  };
}

/** Whether nothing that is sent there leaves this machine. */
export function isLoopback({ host }: NatsAddress): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * How to get in: by the file of the route, or else by the variables that the `nats` command has as well.
 * @throws `missing-file`, `read-failed`.
 */
export function loginOf(
  core: Core,
  file: string | undefined,
  { NATS_CREDS, NATS_NKEY, NATS_USER, NATS_PASSWORD, NATS_CA, NATS_CERT, NATS_KEY }: PlaceContext['environment'],
) {
  const text = (name: string) => Buffer.from(readFile(name, LARGEST_FILE)).toString();
  const certificates = {
    ...(NATS_CA && { ca: text(NATS_CA) }),
    ...(NATS_CERT && { cert: text(NATS_CERT) }),
    ...(NATS_KEY && { key: text(NATS_KEY) }),
  };
  const path = file ?? (NATS_CREDS || NATS_NKEY);
  if (path) return { certificates, authenticator: authenticatorOf(core, path, text(path)) };
  if (!NATS_USER) return { certificates };
  return {
    certificates,
    authenticator: NATS_PASSWORD
      ? core.usernamePasswordAuthenticator(NATS_USER, NATS_PASSWORD)
      : core.tokenAuthenticator(NATS_USER),
  };
}

export type NatsLogin = ReturnType<typeof loginOf>;

/** A file has a JWT with its seed, a seed alone, or one line: USER:PASSWORD, or a token. */
function authenticatorOf(core: Core, path: string, text: string): NonNullable<ConnectionOptions['authenticator']> {
  const bad = (cause?: unknown) =>
    new PawlError('read-failed', { path, reason: 'it has no credentials for a NATS server' }, { cause });
  const [line = '', ...more] = text.split(/\r?\n/).filter((one) => one.trim() !== '' && !one.startsWith('#'));
  if (text.includes('-----BEGIN') || /^SU[A-Z2-7]{56}$/.test(line)) {
    const bytes = new TextEncoder().encode(text.includes('-----BEGIN') ? text : line);
    const authenticator = text.includes('-----BEGIN') ? core.credsAuthenticator(bytes) : core.nkeyAuthenticator(bytes);
    try {
      authenticator('a nonce, to try it');
    } catch (cause) {
      throw bad(cause);
    }
    return authenticator;
  }
  if (line === '' || more.length > 0) throw bad();
  const [, user, password = ''] = /^([^:]*):(.*)$/.exec(line) ?? [];
  return user === undefined ? core.tokenAuthenticator(line) : core.usernamePasswordAuthenticator(user, password);
}

/**
 * Connects. There is no reconnecting: who notices that a connection is gone makes another.
 * @param signal ends the attempt.
 * @throws the errors of the package and of the system.
 */
export async function connectTo(
  core: Core,
  address: NatsAddress,
  { certificates, authenticator }: NatsLogin,
  { timeLimit, signal }: { timeLimit: number; signal: AbortSignal },
): Promise<NatsClient> {
  let transport: Ending | undefined;
  let isGivenUp = false;
  const giveUp = () => {
    isGivenUp = true;
    transport?.end(new Error('connection closed'));
  };
  const options: OurOptions = {
    servers: [isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`],
    timeout: timeLimit,
    pingInterval: PING_INTERVAL,
    reconnect: false,
    noRandomize: true,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    // The package has a server that is named by its address show a certificate for "localhost".
    tls: { ...certificates, ...{ checkServerIdentity: (_: string, one: PeerCertificate) => isFor(address.host, one) } },
    ...(authenticator && { authenticator }),
    mustEncrypt: !isLoopback(address),
    begun(one) {
      transport = one;
      if (signal.aborted || isGivenUp) giveUp();
    },
  };
  signal.addEventListener('abort', giveUp);
  // The package has a limit for each address of a host, and none for asking for them.
  const patience = new Patience(timeLimit, 2 * timeLimit);
  patience.begin();
  let connection: NatsConnection;
  try {
    connection = await within(core.NatsConnectionImpl.connect(options), () => {
      if (patience.left > 0) return patience.left;
      giveUp();
      throw new Silence();
    });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  const made = transport;
  if (made === undefined) throw new TypeError('a connection without a transport');
  const pace = new Pace(made, timeLimit);
  let isOver = made.socket.destroyed;
  made.socket.prependListener('close', () => {
    isOver = true;
  });
  connection.closed().then(() => pace.stop());
  return {
    connection,
    isOver: () => isOver || connection.isClosed(),
    largest: connection.info?.max_payload ?? 0,
    awaitAnswer: (sent = 0) => pace.awaitAnswer(sent),
    end: (reason) => made.end(reason),
  };
}

/** In bytes: an answer counts for as much as these, so that a line may be long, and many small ones go along it. */
const OF_AN_ANSWER = 2 ** 15;

/** Ends a connection on which answers are awaited, and no bytes come, or too slowly, or none that are of use. */
class Pace {
  readonly #transport: Ending;
  /** The transport lets go of it when it is closed. */
  readonly #socket: Socket;
  readonly #timeLimit: number;
  /** With the connection: every byte counts. With who is at its other end: only what was asked for does. */
  readonly #moving: Patience;
  readonly #answering: Patience;
  #moved = 0;
  #awaited = 0;
  /** The bytes to which answers are awaited. */
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(transport: Ending, timeLimit: number) {
    this.#transport = transport;
    this.#socket = transport.socket;
    this.#timeLimit = timeLimit;
    this.#moving = new Patience(timeLimit, 2 * timeLimit, timeLimit + timeFor(ON_ITS_WAY, timeLimit));
    this.#answering = new Patience(timeLimit, timeFor(LARGEST_ANSWER, timeLimit));
    this.#socket.on('timeout', () => {
      if (this.#awaited > 0) this.#transport.end(new Silence());
    });
  }

  awaitAnswer(sent: number): (useful: number) => void {
    this.#allowSilence(sent);
    if (this.#awaited === 0) {
      this.#moving.begin();
      this.#answering.begin();
    }
    this.#awaited++;
    if (this.#timer === undefined) this.#look();
    return (useful) => {
      this.#answering.carried(useful);
      this.#moving.carried(OF_AN_ANSWER);
      this.#awaited--;
      this.#allowSilence(-sent);
      if (this.#awaited > 0) return;
      this.#count();
      this.#moving.end();
      this.#answering.end();
      this.stop();
    };
  }

  /** What was sent may lie in buffers of this machine, while nothing is heard. */
  #allowSilence(sent: number): void {
    this.#sent += sent;
    this.#socket.setTimeout(timeFor(Math.min(this.#sent, ON_ITS_WAY), this.#timeLimit));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look = (): void => {
    this.#count();
    const left = Math.min(this.#moving.left, this.#answering.left);
    if (left <= 0) this.#transport.end(new TooSlow());
    else this.#timer = setTimeout(this.#look, left + 1);
  };

  #count(): void {
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const moved = bytesRead + bytesWritten - writableLength;
    this.#moving.carried(Math.max(0, moved - this.#moved));
    this.#moved = moved;
  }
}

/** What our transport does besides the package's. */
interface Ending {
  readonly socket: Socket;
  end(reason: Error): void;
}

/** The package hands its options to the transport, and with them what is ours. */
interface OurOptions extends NodeConnectionOptions {
  readonly mustEncrypt: boolean;
  /** Is told of the transport of each attempt. */
  readonly begun: (transport: Ending) => void;
}

function transportOf(Base: Node['NodeTransport']) {
  /** The package's transport does not close a socket on which nobody answers, so that the process would not end. */
  return class extends Base implements Ending {
    #dialled: Socket | undefined;
    #mustEncrypt = true;
    #isPongUnderWay = false;

    override connect(server: Parameters<NodeTransport['connect']>[0], options: OurOptions): Promise<void> {
      this.#mustEncrypt = options.mustEncrypt;
      const connected = super.connect(server, options);
      options.begun(this);
      return connected;
    }

    override dial({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
      return new Promise((resolve, reject) => {
        const socket = createConnection(port, hostname, () => {
          socket.removeAllListeners();
          resolve(socket);
        });
        this.#dialled = socket;
        let failure: Error | undefined;
        socket.on('error', (error) => {
          failure = error;
        });
        socket.on('close', () => reject(failure ?? new Error('connection closed')));
        socket.setNoDelay(true);
      });
    }

    override async peekInfo() {
      let said = Buffer.alloc(0);
      this.socket.on('data', (bytes: Uint8Array) => {
        if (said.length > LONGEST_LINE) this.end(new NoNats());
        said = Buffer.concat([said, bytes]);
      });
      const info = await super.peekInfo();
      if (!this.#mustEncrypt && !info.tls_required && !info.tls_available) delete this.options.tls;
      // Somebody on the way may have added it. It would be taken for what was said under TLS.
      else if (said.indexOf('\n') + 1 < said.length) throw new NoNats();
      return info;
    }

    /** Ends with the connection where the server's bytes are no NATS: the package would write of it to standard output. */
    override async *iterate(): AsyncIterableIterator<Uint8Array> {
      try {
        for await (const { verb, bytes } of operationsIn(super.iterate() as AsyncGenerator<Uint8Array>)) {
          if (verb === 'PING') this.#pong();
          else yield bytes;
        }
      } catch (cause) {
        this.end(cause as Error);
      }
    }

    /** One at a time, however many are asked for: they would fill the memory where nobody reads them. */
    #pong(): void {
      if (this.#isPongUnderWay) return;
      this.#isPongUnderWay = true;
      const isWritten = () => {
        this.#isPongUnderWay = false;
      };
      this._send(PONG).then(isWritten, isWritten);
    }

    override [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
      return this.iterate();
    }

    override send(frame: Uint8Array): void {
      for (let at = 0; at < frame.length; at += WRITTEN_AT_ONCE) super.send(frame.subarray(at, at + WRITTEN_AT_ONCE));
    }

    override async close(error?: Error): Promise<void> {
      await super.close(error);
      this.#dialled?.destroy();
    }

    end(reason: Error): void {
      this.socket?.destroy(reason);
      this.#dialled?.destroy(reason);
    }
  };
}
