/**
 * Routes: how long it takes from `send` to a follower that tells, how many messages go a second, what `recv --fetch` costs
 * where there is nothing new; and the memory of a follower. Over a folder, over ssh and a NATS server, where these are
 * installed; each on this machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setRoute } from '../src/session/index.ts';
import { addContacts } from './growth.ts';
import { environment, Home, PROGRAM } from './home.ts';
import { type Figure, median } from './measure.ts';
import { type Relay, startNats, startSsh } from './relays.ts';

/** Messages whose way is timed, 1,000 with ROUTES_TIMED=1000, where a follower looks once a second, or is told. */
const TIMED = Number(process.env.ROUTES_TIMED ?? 100);
/** The only kind that is timed, with ROUTES_ALONG=ssh; all without. */
const ALONG = process.env.ROUTES_ALONG;
const AT_ONCE = 1_000;
const CONTACTS = 1_000;
const RUNS = 9;
/** Messages that a follower takes; 100,000 with ROUTES_FOLLOWED=100000. */
const FOLLOWED = Number(process.env.ROUTES_FOLLOWED ?? 10_000);

export async function routes(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  const relays: Relay[] = [];
  try {
    const shared = join(folder, 'shared');
    mkdirSync(shared);
    relays.push({ name: 'dir', route: `dir:${shared}`, pause: 1_000, end: () => undefined });
    for (const startRelay of [startSsh, startNats]) {
      const relay = await startRelay(join(folder, startRelay.name));
      if (relay !== undefined) relays.push(relay);
    }
    const figures: Figure[] = [];
    for (const relay of relays.filter(({ name }) => ALONG === undefined || name === ALONG)) {
      const { name, route } = relay;
      const create = name === 'nats' ? ['--create'] : [];
      const home = Home.begin(join(folder, name));
      home.pawl('alice', ['route', 'bob', route, ...create]);
      home.pawl('bob', ['route', 'alice', route]);
      figures.push(...rates(home, name), ...(await latency(home, relay)));
    }
    figures.push(...(await nothingNew(join(folder, 'many'), shared)));
    return figures;
  } finally {
    for (const relay of relays) relay.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Messages a second of one command. */
function rates(home: Home, name: string): readonly Figure[] {
  const lines = Buffer.from(`${'a'.repeat(100)}\n`.repeat(AT_ONCE));
  const sent = home.pawl('alice', ['send', 'bob', '--lines'], lines);
  const got = home.pawl('bob', ['recv', '--fetch', '--lines']);
  if (!got.output.equals(lines)) throw new Error(`${name}: not every text has arrived`);
  return [
    { name: `${name}: send --lines, messages a second`, value: AT_ONCE / (sent.milliseconds / 1_000) },
    { name: `${name}: recv --fetch, messages a second`, value: AT_ONCE / (got.milliseconds / 1_000) },
  ];
}

/**
 * Milliseconds from the line that is given to `send --lines` to the line that a follower writes. One is sent after the other
 * was told, at a random moment of the follower's pause, so that none waits for another.
 */
async function latency(home: Home, { name, pause }: Relay): Promise<readonly Figure[]> {
  const follower = start(home, 'bob', ['recv', '--follow', '--lines']);
  const sender = start(home, 'alice', ['send', 'bob', '--lines']);
  const lines = createInterface({ input: follower.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const times: number[] = [];
  const timed = Math.ceil((TIMED * 1_000) / pause);
  // The first one waits for both processes to begin.
  for (let count = 0; count <= timed; count++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * pause));
    const line = String(performance.now());
    sender.stdin?.write(`${line}\n`);
    const { value } = await lines.next();
    if (value !== line) throw new Error(`${name}: the follower has not told what was sent`);
    if (count > 0) times.push(performance.now() - Number(line));
  }
  sender.stdin?.end();
  await ended(follower);
  return [
    { name: `${name}: send to told, ms`, value: median(times) },
    { name: `${name}: send to told at worst, ms`, value: Math.max(...times) },
  ];
}

/** `recv --fetch` with nothing new, beside `recv` of a file with one message. */
async function nothingNew(folder: string, shared: string): Promise<readonly Figure[]> {
  const home = Home.begin(folder);
  for (const [who, whom] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const)
    home.pawl(who, ['route', whom, `dir:${shared}`]);
  const measure = (count: string): readonly Figure[] => {
    const [fetches, files]: [number[], number[]] = [[], []];
    for (let round = 0; round < RUNS; round++) {
      const { output } = home.pawl('alice', ['send', 'bob', '-b', '-m', 'a'.repeat(100)]);
      files.push(home.pawl('bob', ['recv'], output).processor);
      fetches.push(home.pawl('bob', ['recv', '--fetch']).processor);
    }
    const [fetched, file] = [median(fetches), median(files)];
    return [
      { name: `recv of a file, ${count}, ms of processor time`, value: file },
      { name: `recv --fetch of nothing, ${count}`, value: fetched, ratio: fetched / file },
    ];
  };
  const few = measure('1 contact');
  await home.open('bob', async (context) => {
    const mark = readFileSync(join(shared, '.pawl-place'), 'latin1').trim();
    for (const name of await addContacts(context, CONTACTS)) {
      await setRoute(context, name, { kind: 'dir', path: shared, mark });
    }
  });
  return [...few, ...measure('1,000 contacts')];
}

/** Resident memory of a follower after a tenth of the messages, and after all. */
export async function followed(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    return await memory(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function memory(folder: string): Promise<readonly Figure[]> {
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  const home = Home.begin(join(folder, 'homes'));
  home.pawl('alice', ['route', 'bob', `dir:${shared}`]);
  home.pawl('bob', ['route', 'alice', `dir:${shared}`]);
  const follower = start(home, 'bob', ['recv', '--follow', '--lines']);
  const lines = createInterface({ input: follower.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const tenth = FOLLOWED / 10;
  const resident: number[] = [];
  for (let part = 0; part < 10; part++) {
    home.pawl('alice', ['send', 'bob', '--lines'], Buffer.from(`${'a'.repeat(100)}\n`.repeat(tenth)));
    for (let count = 0; count < tenth; count++) await lines.next();
    resident.push(
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${follower.pid}/status`, 'latin1'))?.[1]) * 1_024,
    );
  }
  await ended(follower);
  const [first = Number.NaN, last = Number.NaN] = [resident[0], resident.at(-1)];
  return [
    { name: `a follower after ${tenth} messages, MB`, value: first / 1e6 },
    { name: `a follower after ${FOLLOWED} messages, MB`, value: last / 1e6, ratio: last / first },
  ];
}

function start(home: Home, identity: string, parameters: readonly string[]): ChildProcess {
  const options = ['--home', home.folder, '--key-file', home.path('file.key'), '-q', '-i', identity];
  return spawn(process.execPath, [PROGRAM, ...parameters, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment(home.folder),
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, 'exit');
  child.kill();
  await end;
}
