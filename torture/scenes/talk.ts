/** What situations of servers share: Bob, whose identity is in a database, has talked with Alice, and has several machines. */
import { Box } from '../box.ts';
import type { Laws } from '../laws.ts';
import { type Database, PostgresServer } from '../postgres.ts';
import type { Situation } from '../situations.ts';
import { type Ran, WORKSHOP } from '../start.ts';
import { sharedServer } from './database.ts';
import { talking } from './people.ts';

export const [FAILED, BUSY, ROLLED_BACK] = [74, 75, 76];

export interface Talk {
  readonly box: Box;
  readonly server: PostgresServer;
  readonly database: Database;
}

type Run = (talk: Talk, laws: Laws) => Promise<string>;

/** A situation with a talk on the server that others use as well. */
export function situation(name: string, run: Run): Situation {
  return {
    name,
    async run(laws) {
      const server = sharedServer();
      return server && inTalk(server, (talk) => run(talk, laws));
    },
  };
}

/** A situation with a talk on a server of its own. */
export function ownSituation(name: string, run: Run, settings: readonly string[] = []): Situation {
  return {
    name,
    run: (laws) => onOwnServer((server) => inTalk(server, (talk) => run(talk, laws)), settings),
  };
}

/** Runs `work` on a server that ends with it, as its standbys do, however that is. */
export async function onOwnServer(
  work: (server: PostgresServer) => Promise<string | undefined>,
  settings: readonly string[] = [],
): Promise<string | undefined> {
  const server = PostgresServer.start(settings);
  try {
    return server && (await work(server));
  } finally {
    server?.remove();
  }
}

/** @param more clauses of CREATE DATABASE. */
export async function inTalk(
  server: PostgresServer,
  work: (talk: Talk) => Promise<string>,
  more?: string,
): Promise<string> {
  const box = Box.make(WORKSHOP);
  try {
    const database = server.database('template0', more);
    box.homes.set('bob', database);
    await talking(box);
    return await work({ box, server, database });
  } finally {
    box.remove();
  }
}

/** A process of Bob's on one of his machines: the marks of each are its own. */
export function bobOn(machine: string, uri: string, { box }: Talk, parameters: readonly string[], input?: Uint8Array) {
  const call = { who: 'bob', parameters: ['--home', uri, ...parameters], ...(input !== undefined && { input }) };
  return box.on(machine).start(call);
}

/** A command says that nothing was done, and what waits for the server has not gone. */
export function refuses(
  laws: Laws,
  what: string,
  { code, stderr, stdout }: Ran,
  expected: number,
  words: RegExp,
): void {
  laws.hold(code === expected, `${what}: exit ${code} instead of ${expected}: ${stderr.trim()}`);
  laws.hold(words.test(stderr), `${what} says: ${stderr.trim()}`);
  laws.hold(stdout.length === 0, `${what} puts out something`);
}
