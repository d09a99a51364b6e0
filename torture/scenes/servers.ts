/** Situations of servers: one that has no connection left, is slow, full, or may only be read. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Box, documents } from '../box.ts';
import type { Laws } from '../laws.ts';
import { OWNER } from '../postgres.ts';
import { PostgresRelay } from '../postgres-relay.ts';
import type { Situation } from '../situations.ts';
import { type Ran, WORKSHOP } from '../start.ts';
import { BUSY, bobOn, FAILED, inTalk, onOwnServer, ownSituation, refuses, situation, type Talk } from './talk.ts';

/** So many connections are there for everybody. */
const CONNECTIONS = 6;

const crowded = ownSituation(
  'a server that has no connection left',
  async (talk, laws) => {
    const { box, server, database } = talk;
    const input = await box.ready('alice', ['send', 'bob', '-m', 'for bob']);
    const others: Socket[] = [];
    for (let number = 0; number < CONNECTIONS; number++) others.push(await occupy(server.socket, database.name));
    for (const parameters of [['send', 'alice', '-m', 'too many'], ['recv'], ['inspect']]) {
      const ran = await bobOn('one', database.uri, talk, parameters, input);
      refuses(laws, parameters[0] ?? '', ran, BUSY, /takes no more connections/);
    }
    for (const socket of others) socket.destroy();
    laws.hold((await laws.receives(box, 'bob', input)).length === 1, 'what was refused cannot be received later');
    // More at once than there are connections.
    const numbers = Array.from({ length: 3 * CONNECTIONS }, (_, index) => index);
    const all = await Promise.all(
      numbers.map((number) => bobOn('one', database.uri, talk, ['send', 'alice', '-m', `<${number}>`, '--wait', '60'])),
    );
    for (const { code, stderr } of all) laws.hold(code === 0 || code === BUSY, `exit ${code}: ${stderr}`);
    const done = all.filter(({ code }) => code === 0);
    const got = await laws.receives(box, 'alice', Buffer.concat(done.map(({ stdout }) => stdout)));
    laws.hold(got.length === done.length, `${got.length} of ${done.length} texts arrive`);
    laws.hold(new Set(got.map(({ n }) => n)).size === done.length, 'two have the same position');
    const left = await laws.works(box, 'bob', ['outbox', 'resend']);
    laws.hold(left.stdout.length === 0, 'one that was refused is in the outbox');
    await laws.talk(box, 'alice', 'bob');
    return `exit 75; of ${all.length} at once, ${done.length} have sent`;
  },
  [`max_connections=${CONNECTIONS}`, 'superuser_reserved_connections=1', 'max_wal_senders=0', 'wal_level=minimal'],
);

/** A client that connects and asks nothing. */
async function occupy(path: string, database: string): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => undefined);
  const words = Buffer.from(`user\0${OWNER}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + words.length);
  head.writeInt32BE(196_608, 4);
  socket.write(Buffer.concat([head, words]));
  await once(socket, 'data');
  return socket;
}

const slow = situation('a server that is far away', async (talk, laws) => {
  const { box, database, server } = talk;
  const relay = await PostgresRelay.start(server.socket);
  try {
    relay.delay = 200;
    const uri = server.uri(database.name, relay.folder);
    const startedAt = performance.now();
    const sent = await bobOn('one', uri, talk, ['send', 'alice', '-m', 'from afar', '--wait', '0']);
    const seconds = (performance.now() - startedAt) / 1_000;
    laws.hold(sent.code === 0, `send: exit ${sent.code}: ${sent.stderr}`);
    const got = await laws.receives(box, 'alice', sent.stdout);
    laws.hold(got.length === 1, 'it does not arrive');
    const input = await box.ready('alice', ['send', 'bob', '-m', 'to afar']);
    const received = await bobOn('one', uri, talk, ['recv', '--wait', '0'], input);
    laws.hold(received.stdout.toString() === 'to afar', `recv: exit ${received.code}: ${received.stderr}`);
    await laws.talk(box, 'alice', 'bob');
    return `200 ms there and back: send takes ${seconds.toFixed(1)} s`;
  } finally {
    relay.end();
  }
});

const silent = situation('a server that takes connections and says nothing', async (talk, laws) => {
  const { box, database, server } = talk;
  const relay = await PostgresRelay.start(server.socket);
  try {
    relay.breakAt(1, { when: 'before', does: 'hold' });
    const uri = server.uri(database.name, relay.folder);
    const startedAt = performance.now();
    const ran = await bobOn('one', uri, talk, ['send', 'alice', '-m', 'into the void']);
    const seconds = (performance.now() - startedAt) / 1_000;
    refuses(laws, 'send', ran, FAILED, /cannot be reached/);
    laws.hold(seconds < 30, `send waits for ${seconds} s`);
    await laws.talk(box, 'alice', 'bob');
    return `exit 74 after ${seconds.toFixed(0)} s`;
  } finally {
    relay.end();
  }
});

const limits = situation('a server with time limits', async (talk, laws) => {
  const { box, database } = talk;
  const set = (what: string) => database.server.sql(`ALTER DATABASE ${database.name} ${what}`);
  const outcomes: string[] = [];
  // What is too slow for the server: nothing is done, and that is said.
  set("SET statement_timeout = '1ms'");
  const input = Buffer.from(`${'x'.repeat(200)}\n`.repeat(300));
  const limited = await bobOn('one', database.uri, talk, ['send', 'alice', '--lines'], input);
  const known = limited.code !== undefined && [0, FAILED, BUSY].includes(limited.code);
  laws.hold(known, `with 1 ms for a statement: exit ${limited.code}: ${limited.stderr}`);
  outcomes.push(`1 ms for a statement: exit ${limited.code}`);
  set('RESET statement_timeout');
  const rest = await laws.works(box, 'bob', ['outbox', 'resend']);
  await laws.receives(box, 'alice', Buffer.concat([limited.stdout, rest.stdout]));
  await laws.nothingMissing(box, 'alice', 'bob');
  // A session that rests is ended: the next line connects anew.
  set("SET idle_session_timeout = '100ms'");
  const resting = await lineByLine(box, ['send', 'alice', '--lines'], linesOf(LINES.slice(0, 3)), 300);
  laws.hold(resting.code === 0, `with sessions that are ended: exit ${resting.code}: ${resting.stderr}`);
  const texts = (await laws.receives(box, 'alice', resting.stdout)).map(({ text }) => text);
  laws.hold(texts.join() === LINES.slice(0, 3).join(), `of three lines, ${texts} arrive`);
  set('RESET idle_session_timeout');
  await laws.talk(box, 'alice', 'bob');
  return [...outcomes, 'connects anew where a session was ended'].join('; ');
});

const readOnly = situation('a server whose transactions only read, unless they say otherwise', async (talk, laws) => {
  const { box, database } = talk;
  database.server.sql(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
  database.server.sql(`ALTER DATABASE ${database.name} SET default_transaction_isolation = 'serializable'`);
  await laws.talk(box, 'alice', 'bob');
  return 'is written to';
});

/** A tablespace on a small disk: reads go on, and what is written is refused until there is room again. */
const full: Situation = {
  name: 'a server whose disk is full',
  run: (laws) =>
    onOwnServer(async (server) => {
      const disk = join(server.folder, 'disk');
      mkdirSync(disk);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]).status !== 0) return undefined;
      try {
        const { uid, gid } = statSync(server.folder);
        chownSync(disk, uid, gid);
        server.sql(`CREATE TABLESPACE small LOCATION '${disk}'`);
        server.sql(`GRANT CREATE ON TABLESPACE small TO ${OWNER}`);
        return await inTalk(server, (talk) => onFullDisk(disk, talk, laws), 'TABLESPACE small');
      } finally {
        server.stop('immediate');
        spawnSync('umount', ['-l', disk]);
      }
    }),
};

async function onFullDisk(disk: string, talk: Talk, laws: Laws): Promise<string> {
  const { box, database, server } = talk;
  const outcomes: Record<string, number> = {};
  const sent: Buffer[] = [];
  let done = 0;
  for (const pages of [0, 2, 8]) {
    for (const size of [100, 40_000]) {
      const input = await box.ready('alice', ['send', 'bob'], Buffer.alloc(size, 'y'));
      server.sql('CHECKPOINT');
      fill(disk, pages);
      const send = await bobOn('one', database.uri, talk, ['send', 'alice'], Buffer.alloc(size, 'x'));
      const recv = await bobOn('one', database.uri, talk, ['recv', '--json'], input);
      rmSync(join(disk, 'filler'));
      for (const [what, ran] of Object.entries({ send, recv })) {
        laws.hold(ran.code === 0 || ran.code === FAILED, `${what}: exit ${ran.code}: ${ran.stderr}`);
        if (ran.code === FAILED) laws.hold(/space|extend/.test(ran.stderr), `${what} says: ${ran.stderr}`);
        outcomes[`${what} exit ${ran.code}`] = (outcomes[`${what} exit ${ran.code}`] ?? 0) + 1;
      }
      if (send.code === 0) done += 1;
      sent.push(send.stdout);
      const texts = documents(recv.stdout).filter(({ type }) => type === 'message').length;
      const later = (await laws.receives(box, 'bob', input)).filter(({ again }) => again !== true).length;
      const waiting = documents((await box.run('bob', ['recv', '--json'])).stdout).length;
      laws.hold(texts + later + waiting === 1, `with ${pages} pages, it comes ${texts} + ${later} + ${waiting} times`);
    }
  }
  sent.push((await laws.works(box, 'bob', ['outbox', 'resend'])).stdout);
  const got = await laws.receives(box, 'alice', Buffer.concat(sent));
  laws.hold(got.length >= done, `${got.length} of ${done} texts arrive`);
  await laws.whole(box, 'bob');
  await laws.talk(box, 'alice', 'bob');
  return Object.entries(outcomes)
    .map(([outcome, count]) => `${outcome} ×${count}`)
    .join(', ');
}

/** Fills a disk up to so many free pages of 8 KiB. */
function fill(disk: string, pages: number): void {
  const file = openSync(join(disk, 'filler'), 'w');
  const page = Buffer.alloc(4_096);
  for (let left = statfsSync(disk).bavail - 2 * pages; left > 0; left--) writeSync(file, page);
  closeSync(file);
}

const LINES = Array.from({ length: 8 }, (_, index) => `line ${index}`);

/** The answer to every COMMIT is lost, but for that of the look-up which follows: everything goes on. */
const unanswered = situation('a server whose answer to COMMIT is lost every time', async (talk, laws) => {
  const { box, database, server } = talk;
  const relay = await PostgresRelay.start(server.socket);
  try {
    let commits = 0;
    const isLost = (message: { readonly from: string; readonly what: string }) =>
      message.from === 'server' && message.what === 'COMMIT' && commits++ % 2 === 0;
    relay.breakAt(isLost, { when: 'before', does: 'cut' });
    const uri = server.uri(database.name, relay.folder);
    const sent = await lineByLine(box, ['--home', uri, 'send', 'alice', '--lines'], linesOf(LINES));
    laws.hold(sent.code === 0, `send: exit ${sent.code}: ${sent.stderr}`);
    const said = (await laws.receives(box, 'alice', sent.stdout)).map(({ text }) => text);
    laws.hold(said.join() === LINES.join(), `of what was sent, ${said} arrives`);
    const envelopes: Buffer[] = [];
    for (const line of LINES) envelopes.push(await box.ready('alice', ['send', 'bob', '-m', line]));
    const got = await lineByLine(box, ['--home', uri, 'recv', '--lines', '-'], envelopes);
    laws.hold(got.code === 0, `recv: exit ${got.code}: ${got.stderr}`);
    laws.hold(got.stdout.toString().trim() === LINES.join('\n'), `what comes is ${got.stdout}`);
    await laws.talk(box, 'alice', 'bob');
    return `${relay.met} answers were lost`;
  } finally {
    relay.end();
  }
});

const linesOf = (texts: readonly string[]) => texts.map((text) => `${text}\n`);

/** Gives each input to a command of Bob when there is an output for the one before, and after a rest in milliseconds. */
async function lineByLine(
  box: Box,
  parameters: readonly string[],
  inputs: readonly (Uint8Array | string)[],
  rest = 0,
): Promise<Ran> {
  const { child, ended } = box.launch('bob', parameters);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  for (const input of inputs) {
    const output = once(child.stdout, 'data');
    child.stdin.write(input);
    await Promise.race([output, ended]);
    if (rest > 0) await pause(rest);
  }
  child.stdin.end();
  const [code, signal] = await ended;
  return {
    code: code ?? undefined,
    signal: signal ?? undefined,
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** Between the transactions of a connection, others use the same one to the server. */
const pooled = situation('a pool of connections, shared by transactions (pgbouncer)', async (talk, laws) => {
  const { box, database, server } = talk;
  const folder = box.path('pool');
  mkdirSync(folder);
  const { uid, gid } = statSync(server.folder);
  writeFileSync(
    join(folder, 'conf'),
    `[databases]
* = host=${server.folder} port=5432 user=${OWNER}
[pgbouncer]
listen_addr =
listen_port = 5432
unix_socket_dir = ${folder}
auth_type = any
pool_mode = transaction
default_pool_size = 2
`,
  );
  execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
  execFileSync('chmod', ['a+x', box.folder, WORKSHOP]);
  const pool = spawn('pgbouncer', ['-q', join(folder, 'conf')], { uid, gid, stdio: 'ignore' });
  const isStarted = await Promise.race([once(pool, 'spawn').then(() => true), once(pool, 'error').then(() => false)]);
  if (!isStarted) return 'skipped: there is no pgbouncer here';
  try {
    while (spawnSync('test', ['-S', join(folder, '.s.PGSQL.5432')]).status !== 0 && pool.exitCode === null)
      await pause(20);
    const uri = server.uri(database.name, folder);
    const numbers = Array.from({ length: 12 }, (_, index) => index);
    const all = await Promise.all(
      numbers.map((number) => bobOn('one', uri, talk, ['send', 'alice', '-m', `<${number}>`, '--wait', '60'])),
    );
    for (const { code, stderr } of all) laws.hold(code === 0, `send: exit ${code}: ${stderr}`);
    const got = await laws.receives(box, 'alice', Buffer.concat(all.map(({ stdout }) => stdout)));
    laws.hold(got.length === all.length, `${got.length} of ${all.length} texts arrive`);
    box.homes.set('bob', { uri, copy: () => database, remove: () => database.remove() });
    await laws.works(box, 'bob', ['passwd', '--new-key-file', box.path('new.key')]);
    rmSync(box.path('bob.key'));
    execFileSync('mv', [box.path('new.key'), box.path('bob.key')]);
    await laws.whole(box, 'bob');
    await laws.talk(box, 'alice', 'bob');
    return `${all.length} at once by two connections, and all else`;
  } finally {
    pool.kill('SIGKILL');
  }
});

export const SERVERS: readonly Situation[] = [crowded, slow, silent, limits, readOnly, full, unanswered, pooled];
