/**
 * Whole processes with identities in a PostgreSQL database, beside the same with files: time, rates, round trips, a server
 * that is far away, many hosts at once. The database is on the same disk as the files, and as durable.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from '../torture/postgres.ts';
import { PostgresRelay } from '../torture/postgres-relay.ts';
import { addContacts } from './growth.ts';
import { environment, PROGRAM, withIdentityFile } from './home.ts';
import { type Figure, median } from './measure.ts';

const RUNS = 25;
/** With a server that is far away. */
const FAR_RUNS = 9;
const LINES = 2_000;
const HOSTS = 10;
const CONTACTS = 1_000;
const TEXT = Buffer.alloc(100, 'a');
/** The milliseconds there and back. */
const DISTANCES = [1, 30];

/** Runs `measure` with a server; without one, there are no figures. */
async function withServer(measure: (folder: string, server: PostgresServer) => Promise<readonly Figure[]>) {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  const durable = ['fsync=on', 'full_page_writes=on', 'autovacuum=on', 'max_wal_size=1GB'];
  const server = PostgresServer.start(durable, tmpdir());
  try {
    return server === undefined ? [] : await measure(folder, server);
  } finally {
    server?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Ran {
  readonly milliseconds: number;
  readonly output: Buffer;
}

/** Alice in a file, and Bob in a home of any kind, who have both sent and received. */
class Pair {
  readonly #folder: string;
  #home: string;

  private constructor(folder: string, home: string) {
    this.#folder = folder;
    this.#home = home;
  }

  static async begin(folder: string, home: string): Promise<Pair> {
    const pair = new Pair(mkdtempSync(join(folder, 'pair-')), home);
    await pair.alice(['init', 'alice']);
    await pair.bob(['init', 'bob']);
    await pair.alice(['add', 'bob'], (await pair.bob(['invite', 'alice'])).output);
    for (let round = 0; round < 2; round++) {
      await pair.bob(['recv'], (await pair.alice(['send', 'bob'], TEXT)).output);
      await pair.alice(['recv'], (await pair.bob(['send', 'alice'], TEXT)).output);
    }
    return pair;
  }

  /** Bob, who is in a file, gets many contacts, and moves into a database. */
  async crowd(to: string): Promise<void> {
    const [file, key] = [join(this.#home, 'bob.db'), join(this.#folder, 'bob.key')];
    await withIdentityFile(file, key, (context) => addContacts(context, CONTACTS));
    await this.bob(['move', '--to', to]);
    this.goBy(to);
  }

  /** Bob's identity is found by another way from now on. */
  goBy(home: string): void {
    this.#home = home;
  }

  alice(parameters: readonly string[], input?: Uint8Array): Promise<Ran> {
    return this.#run('alice', join(this.#folder, 'files'), parameters, input);
  }

  /** @param host whose marks are its own. */
  bob(parameters: readonly string[], input?: Uint8Array, host = 'one'): Promise<Ran> {
    return this.#run('bob', this.#home, parameters, input, host);
  }

  #run(
    identity: string,
    home: string,
    parameters: readonly string[],
    input = Buffer.alloc(0) as Uint8Array,
    host = '',
  ) {
    const key = join(this.#folder, `${identity}.key`);
    const options = ['--home', home, '--key-file', key, '-q', '-i', identity];
    return start([PROGRAM, ...parameters, ...options], join(this.#folder, `host-${host}`), input, this.#folder);
  }
}

let inputs = 0;

/** Runs Node, while this process goes on: a relay is in it. The input is a file, as for other measurements. */
function start(parameters: readonly string[], state: string, input: Uint8Array, folder: string): Promise<Ran> {
  const file = join(folder, `input-${++inputs}`);
  writeFileSync(file, input);
  const stdin = openSync(file, 'r');
  const startedAt = performance.now();
  const child = spawn(process.execPath, parameters, { stdio: [stdin, 'pipe', 'pipe'], env: environment(state) });
  closeSync(stdin);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      const milliseconds = performance.now() - startedAt;
      rmSync(file);
      if (code === 0) resolve({ milliseconds, output: Buffer.concat(output) });
      else reject(new Error(`${parameters.join(' ')}: ${Buffer.concat(errors)}`));
    });
  });
}

/** One text in each direction, as Bob's own commands: what he sends, what he receives. */
async function exchange(pair: Pair): Promise<{ send: Ran; recv: Ran }> {
  const send = await pair.bob(['send', 'alice'], TEXT);
  await pair.alice(['recv'], send.output);
  const recv = await pair.bob(['recv'], (await pair.alice(['send', 'bob'], TEXT)).output);
  return { send, recv };
}

/** The time of a command, beside the same with a file. */
export const inDatabase = () =>
  withServer(async (folder, server) => {
    const pairs = {
      'in a file': await Pair.begin(folder, join(folder, 'files')),
      'in a database': await Pair.begin(folder, server.database().uri),
      'in a database, 1,000 contacts': await Pair.begin(folder, join(folder, 'crowded')),
    };
    await pairs['in a database, 1,000 contacts'].crowd(server.database().uri);
    const times = new Map<string, number[]>();
    const note = (name: string, { milliseconds }: Ran) => times.set(name, [...(times.get(name) ?? []), milliseconds]);
    for (let run = 0; run < RUNS; run++) {
      note('node -e 0', await start(['-e', '0'], folder, Buffer.alloc(0), folder));
      for (const [where, pair] of Object.entries(pairs)) {
        const { send, recv } = await exchange(pair);
        note(`send, ${where}`, send);
        note(`recv, ${where}`, recv);
      }
    }
    return [...times].map(([name, values]) => {
      const base = /, in a database/.test(name) ? name.replace(/in a database.*/, 'in a file') : 'node -e 0';
      return {
        name,
        value: median(values),
        ratio: median(values) / median(times.get(base) ?? []),
        best: Math.min(...values),
      };
    });
  });

/** Messages a second in one call, of 100 bytes; and of several hosts at once. */
export const manyInDatabase = () =>
  withServer(async (folder, server) => {
    const lines = Buffer.from(`${TEXT}\n`.repeat(LINES));
    const rate = ({ milliseconds }: Ran) => LINES / (milliseconds / 1_000);
    const rates = new Map<string, number[]>();
    const note = (name: string, value: number) => rates.set(name, [...(rates.get(name) ?? []), value]);
    const pairs = {
      'in a file': await Pair.begin(folder, join(folder, 'files')),
      'in a database': await Pair.begin(folder, server.database().uri),
    };
    for (let round = 0; round < 3; round++) {
      for (const [where, pair] of Object.entries(pairs)) {
        const send = await pair.bob(['send', 'alice', '--lines'], lines);
        await pair.alice(['recv', '--lines'], send.output);
        note(`send --lines, ${where}`, rate(send));
        note(
          `recv, ${where}`,
          rate(await pair.bob(['recv', '--lines'], (await pair.alice(['send', 'bob', '--lines'], lines)).output)),
        );
        // Those of a file are on one host.
        const hostOf = (number: number) => (where === 'in a file' ? 'one' : `${number}`);
        const part = lines.subarray(0, lines.length / HOSTS);
        const startedAt = performance.now();
        const all = await Promise.all(
          Array.from({ length: HOSTS }, (_, host) =>
            pair.bob(['send', 'alice', '--lines', '--wait', '600'], part, hostOf(host)),
          ),
        );
        note(`send --lines, ${HOSTS} at once, ${where}`, LINES / ((performance.now() - startedAt) / 1_000));
        const startedOnce = performance.now();
        const once = await Promise.all(
          Array.from({ length: HOSTS }, (_, host) => pair.bob(['send', 'alice', '--wait', '600'], TEXT, hostOf(host))),
        );
        note(`send, ${HOSTS} at once, ${where}`, HOSTS / ((performance.now() - startedOnce) / 1_000));
        await pair.alice(['recv', '--lines'], Buffer.concat([...all, ...once].map(({ output }) => output)));
      }
    }
    return [...rates].map(([name, values]) => {
      const base = rates.get(name.replace('a database', 'a file')) ?? [];
      return { name, value: median(values), ratio: median(values) / median(base) };
    });
  });

/** The round trips of each command; and the time of those that send and receive, where each takes a while. */
export const farDatabase = () =>
  withServer(async (folder, server) => {
    const database = server.database();
    const pair = await Pair.begin(folder, database.uri);
    const relay = await PostgresRelay.start(server.socket);
    try {
      pair.goBy(server.uri(database.name, relay.folder));
      const figures: Figure[] = [];
      relay.delay = Math.max(...DISTANCES);
      const count = async (name: string, work: () => Promise<unknown>) => {
        const before = relay.roundTrips;
        await work();
        figures.push({ name: `${name}, round trips`, value: relay.roundTrips - before });
      };
      const incoming = (await pair.alice(['send', 'bob'], TEXT)).output;
      await count('send', () => pair.bob(['send', 'alice'], TEXT));
      await count('recv', () => pair.bob(['recv'], incoming));
      await count('invite', () => pair.bob(['invite', 'carol']));
      await count('contacts', () => pair.bob(['contacts']));
      await count('outbox', () => pair.bob(['outbox']));
      await count('inspect', () => pair.bob(['inspect']));
      await count('inspect --check', () => pair.bob(['inspect', '--check']));
      await count('backup -', () => pair.bob(['backup', '-']));
      const near = new Map<string, number>();
      for (const distance of [0, ...DISTANCES]) {
        relay.delay = distance;
        const times: { send: Ran; recv: Ran }[] = [];
        for (let run = 0; run < FAR_RUNS; run++) times.push(await exchange(pair));
        for (const what of ['send', 'recv'] as const) {
          const value = median(times.map((one) => one[what].milliseconds));
          if (distance === 0) near.set(what, value);
          const name = `${what}, ${distance === 0 ? 'the same machine' : `${distance} ms away`}`;
          figures.push({ name, value, ratio: value / (near.get(what) ?? Number.NaN) });
        }
      }
      return figures;
    } finally {
      relay.end();
    }
  });
