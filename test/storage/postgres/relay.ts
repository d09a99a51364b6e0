/**
 * Stands between a client and a PostgreSQL server, and breaks the connection at a COMMIT.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket, connect as toServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DatabaseAddress } from '../../../src/storage/postgres/server-client.ts';

/**
 * `no`: nothing is broken. `not-sent`: the server never gets the COMMIT. `not-answered`: it does, and its answer is lost.
 * `silent`: the same, and nothing else gets through any more. `held`: it gets the COMMIT, and nothing of this connection
 * is passed on any more, nor is it closed.
 */
export type Break = 'no' | 'not-sent' | 'not-answered' | 'silent' | 'held';

export class Relay {
  readonly folder = mkdtempSync(join(tmpdir(), 'pawl-relay-'));
  /** What happens at the next COMMIT. */
  next: Break = 'no';
  /** What happens at the one behind that. */
  afterNext: Break = 'no';
  /** Whether the server warns in German. */
  isGerman = false;
  /** The round trips of all connections: answers behind which a client has sent something. */
  roundTrips = 0;
  /** How often somebody has connected. */
  connections = 0;
  #lastSent = 0;
  readonly #server: Server;
  readonly #behind: string;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  constructor(address: DatabaseAddress) {
    this.#behind = join(address.host, `.s.PGSQL.${address.port}`);
    this.#server = createServer((client) => this.#relay(client));
  }

  /** Starts a relay to a server, which ends with the test. */
  static async start(address: DatabaseAddress): Promise<{ relay: Relay; address: DatabaseAddress }> {
    const relay = new Relay(address);
    await new Promise<void>((resolve) => {
      relay.#server.listen(join(relay.folder, `.s.PGSQL.${address.port}`), resolve);
    });
    onTestFinished(() => relay.#end());
    return { relay, address: { ...address, host: relay.folder } };
  }

  /** For how long no client has sent anything, in milliseconds. */
  get idleFor(): number {
    return performance.now() - this.#lastSent;
  }

  /** Lets connections through again after `silent`. */
  speak(): void {
    this.#isSilent = false;
  }

  #relay(client: Socket): void {
    if (this.#isSilent) {
      client.destroy();
      return;
    }
    this.connections += 1;
    const server = toServer(this.#behind);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    }
    let isBroken = false;
    let isHeld = false;
    let hasAnswered = true;
    const breakUp = () => {
      client.destroy();
      server.destroy();
    };
    client.on('data', (bytes) => {
      if (hasAnswered) this.roundTrips += 1;
      this.#lastSent = performance.now();
      hasAnswered = false;
      const broken = bytes.includes('COMMIT\0') ? this.next : 'no';
      if (broken === 'no') {
        server.write(bytes);
        return;
      }
      this.next = this.afterNext;
      this.afterNext = 'no';
      isBroken = true;
      isHeld = broken === 'held';
      this.#isSilent = broken === 'silent';
      // What stands in front of the COMMIT reaches the server in any case.
      server.write(broken === 'not-sent' ? bytes.subarray(0, bytes.indexOf('COMMIT\0') - 6) : bytes);
      if (broken === 'not-sent') breakUp();
    });
    server.on('data', (bytes) => {
      hasAnswered = true;
      // Its last answer is that to the COMMIT.
      if (!isBroken) client.write(this.isGerman ? inGerman(bytes) : bytes);
      else if (bytes.includes('COMMIT\0') && !isHeld) breakUp();
    });
    client.on('close', breakUp);
    server.on('close', breakUp);
  }

  #end(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A server with the locale needs the system to have it. The words are of the same length. */
function inGerman(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('WARNING', 'WARNUNG'), 'latin1');
}
