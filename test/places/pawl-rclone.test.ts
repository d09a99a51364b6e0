import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nameOfEnvelope, openPlace, type Place } from '../../src/places/index.ts';
import { inHome, meet } from '../cli/shell.ts';
import { keepsTheContract } from './contract.ts';
import { boxWith, contextWith, envelopeWith, listed, newFolder, PAWL_RCLONE, put } from './places.ts';
import { freePort, needing, programPath } from './servers.ts';

// Debian's rclone, 1.60, has no server that speaks S3. It serves a folder by WebDAV here: for pawl-rclone a remote is a remote.

const [TITLE, isSkipped] = needing('pawl-rclone with a server on loopback', 'rclone');
const A = boxWith(1);
const ENVELOPE = envelopeWith(1);
const NAME = nameOfEnvelope(ENVELOPE);

describe.skipIf(isSkipped)(TITLE, () => {
  let server: Server;

  beforeAll(async () => {
    server = await Server.start();
  });
  afterAll(async () => {
    await server?.end();
  });

  const placeAt = async (path: string): Promise<Place> => {
    const environment = { PATH: process.env.PATH ?? '', ...server.environment };
    const command = `${PAWL_RCLONE} us:${path}`;
    return await openPlace({ kind: 'exec', command }, contextWith({ environment, timeLimit: 120_000 }));
  };

  keepsTheContract('exec, by pawl-rclone', async () => {
    const path = server.newPath();
    return () => placeAt(path);
  });

  function pawlRclone(verb: string, input: string | Uint8Array, place = `us:${server.newPath()}`) {
    const env = { PATH: process.env.PATH, ...server.environment };
    const options = { input, env, maxBuffer: 2 ** 26, encoding: 'latin1' } as const;
    const { status, stdout, stderr } = spawnSync(PAWL_RCLONE, [place, verb], options);
    return { exit: status, stdout, stderr };
  }

  it('puts, lists and removes only what is called as an envelope', async () => {
    const path = server.newPath();
    const box = server.path(join(path, A));
    mkdirSync(box);
    const others = [`${NAME}.tmp`, `${NAME}.abcd.partial`, NAME.toUpperCase(), `${NAME}0`, 'x y'];
    for (const other of others) writeFileSync(join(box, other), ENVELOPE);
    writeFileSync(server.path(join(path, 'precious')), ENVELOPE);
    writeFileSync(join(box, '0'.repeat(32)), 'small');
    const place = await placeAt(path);
    expect(await listed(place, [A])).toEqual([]);
    await put(place, A, ENVELOPE);
    const entries = await listed(place, [A]);
    expect(entries).toMatchObject([{ box: A, name: NAME, size: ENVELOPE.length }]);
    await place.remove(entries);
    expect(readdirSync(box).sort()).toEqual([...others, '0'.repeat(32)].sort());
  });

  it('takes nothing that is larger than an envelope, and what lies behind it all the same', () => {
    const path = server.newPath();
    mkdirSync(server.path(join(path, A)));
    const file = (name: string) => server.path(join(path, A, name));
    writeFileSync(file(NAME), ENVELOPE);
    const [most, larger] = ['0', '1'].map((digit) => digit.repeat(32)) as [string, string];
    writeFileSync(file(most), Buffer.alloc(17_825_802));
    writeFileSync(file(larger), Buffer.alloc(17_825_803));
    const given = pawlRclone('get', [larger, NAME, most].map((name) => `${A} ${name}\n`).join(''), `us:${path}`);
    expect(given.exit).toBe(0);
    expect(given.stdout.match(/^[a-z2-7]{26} [0-9a-f]{32} \d+$/gm)?.[0]).toBe(`${A} ${NAME} ${ENVELOPE.length}`);
    expect(given.stdout).toHaveLength(ENVELOPE.length + 17_825_802 + 2 * 60 + 3 + 8 + 2);
    expect(given.stdout).not.toContain(larger);
  });

  it('clears away what killed ones have left, after a day, and nothing else', () => {
    const TMPDIR = join(newFolder(), 'a b');
    const names = ['pawl-rclone.old123', 'pawl-rclone.new123', 'other.old123', 'pawl-rclone.link12'];
    for (const name of names.slice(0, 3)) mkdirSync(join(TMPDIR, name), { recursive: true });
    symlinkSync(join(TMPDIR, 'other.old123'), join(TMPDIR, 'pawl-rclone.link12'));
    writeFileSync(join(TMPDIR, 'pawl-rclone.old123', 'x'), 'x');
    for (const name of [names[0], names[2]]) utimesSync(join(TMPDIR, `${name}`), 1e9, 1e9);
    lutimesSync(join(TMPDIR, 'pawl-rclone.link12'), 1e9, 1e9);
    const env = { PATH: process.env.PATH, ...server.environment, TMPDIR };
    spawnSync(PAWL_RCLONE, ['us:x', 'list'], { input: '', env });
    expect(readdirSync(TMPDIR).sort()).toEqual(names.slice(1).sort());
  });

  it.each([
    '',
    'x',
    A,
    `../${A.slice(3)} ${NAME}`,
    `${A} ../${NAME.slice(3)}`,
    `${A}a ${NAME}`,
    `${A.slice(1)}* ${NAME}`,
  ])('touches nothing by the name %j', (name) => {
    expect(pawlRclone('put', `${name} 10\n${'x'.repeat(10)}`)).toMatchObject({ exit: 65, stdout: '' });
    for (const verb of ['list', 'get', 'ack']) expect(pawlRclone(verb, `${name}\n`)).toMatchObject({ stdout: '' });
  });

  it('stores nothing of what is cut off, or of another size', () => {
    const path = server.newPath();
    const whole = Buffer.concat([Buffer.from(`${A} ${NAME} ${ENVELOPE.length}\n`), ENVELOPE]);
    for (const length of [0, 26, 62, 70, whole.length - 1]) {
      expect(pawlRclone('put', whole.subarray(0, length), `us:${path}`).exit, `${length}`).not.toBe(0);
    }
    for (const size of ['', '0', '-1', '0300', '17825803']) {
      expect(pawlRclone('put', `${A} ${NAME} ${size}\n${'x'.repeat(300)}`, `us:${path}`).exit, size).toBe(65);
    }
    expect(readdirSync(server.path(path))).toEqual([]);
  });

  it.each(['us', '-us:x', ':local:/etc', '/etc', 'us:$(touch evil)', 'us,x=y:z', ''])('takes no place %j', (place) => {
    expect(pawlRclone('list', `${A}\n`, place)).toMatchObject({ exit: 65, stdout: '' });
    expect(pawlRclone('sh', '', 'us:x')).toMatchObject({ exit: 65, stdout: '' });
  });

  it('carries a conversation; what is sent while the server is away goes with the next command', () =>
    inHome(async (home) => {
      await meet(home);
      const path = server.newPath();
      const run = (command: string) => home.run(command, { environment: server.environment });
      const routes = await run(`for who in 'alice route bob' 'bob route alice'; do
        pawl -i $who 'exec:${PAWL_RCLONE} us:${path}' || exit; done`);
      expect(routes).toMatchObject({ exit: 0 });
      expect(await run('pawl -i alice send bob -m one && pawl -i bob recv --fetch')).toMatchObject({ exit: 0 });
      await server.stop();
      const away = await run('pawl --json -i alice send bob -m two');
      expect([away.exit, `${away.stdout}${away.stderr}`]).toEqual([69, expect.stringContaining('"queued":true')]);
      expect((await run('pawl -i bob recv --fetch')).exit).toBe(69);
      await server.restart();
      await run('pawl -i alice send bob -m three');
      const { stdout, exit } = await run('pawl -i bob recv --fetch --lines');
      expect([exit, stdout.toString().split('\n').sort()]).toEqual([0, ['', 'three', 'two']]);
      expect((await run('pawl -i bob recv --fetch')).stderr).toContain('nothing new');
      expect(home.files('.tmp')).toEqual([]);
    }));

  it('leaves no draft behind', async () => {
    const TMPDIR = newFolder();
    const env = { PATH: process.env.PATH, ...server.environment, TMPDIR };
    const input = `${A} ${NAME}\n`;
    for (const verb of ['put', 'list', 'get', 'ack', 'sh']) spawnSync(PAWL_RCLONE, ['us:x', verb], { input, env });
    expect(readdirSync(TMPDIR)).toEqual([]);
  });
});

/** An rclone that serves a folder. */
class Server {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pawl-rclone-'));
  readonly #port: number;
  #process: ChildProcess | undefined;
  #paths = 0;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(): Promise<Server> {
    const server = new Server(await freePort());
    mkdirSync(server.path(''));
    const config = `[us]\ntype = webdav\nurl = http://127.0.0.1:${server.#port}\nvendor = other\n`;
    writeFileSync(join(server.#folder, 'rclone.conf'), config);
    await server.restart();
    return server;
  }

  get environment(): Record<string, string> {
    return { RCLONE_CONFIG: join(this.#folder, 'rclone.conf') };
  }

  /** A folder that is empty. */
  newPath(): string {
    const path = `path-${this.#paths++}`;
    mkdirSync(this.path(path));
    return path;
  }

  path(name: string): string {
    return join(this.#folder, 'served', name);
  }

  async restart(): Promise<void> {
    const words = ['serve', 'webdav', '--addr', `127.0.0.1:${this.#port}`, '--dir-cache-time', '0s', this.path('')];
    const rclone = spawn(programPath('rclone') ?? '', words, {
      env: { ...process.env, ...this.environment, RCLONE_CACHE_DIR: join(this.#folder, 'cache') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = rclone;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      rclone.stderr.on('data', (chunk) => {
        said += chunk;
        if (said.includes('WebDav Server started')) resolve();
      });
      rclone.once('exit', () => reject(new Error(said)));
    });
  }

  async stop(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const end = once(this.#process, 'exit');
    this.#process.kill();
    await end;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
