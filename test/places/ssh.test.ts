import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nameOfEnvelope, openPlace, type Place } from '../../src/places/index.ts';
import { boxWith, contentOf, contextWith, envelopeWith, listed, newFolder, PAWL_BOX, put, read } from './places.ts';
import { freePort, needing, programPath, settingsOfSsh, settingsOfSshd } from './servers.ts';

const [TITLE, isSkipped] = needing('pawl-box behind a real sshd', 'sshd', 'ssh', 'ssh-keygen');
const [A, B] = [boxWith(1), boxWith(2)];
const ENVELOPE = envelopeWith(1);

describe.skipIf(isSkipped)(TITLE, () => {
  let folder: string;
  let server: Server;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pawl-ssh-'));
    server = await Server.start(folder);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const placeOf = async (box: string): Promise<Place> =>
    await openPlace({ kind: 'exec', command: `${server.ssh(box)} pawl-box` }, contextWith());

  it.each([
    ['a connection each time', false],
    ['one connection, which stays open', true],
  ])('carries envelopes by %s', async (_, isShared) => {
    const command = server.ssh(server.newBox(newFolder()));
    const shared = ` -o ControlMaster=auto -o ControlPersist=20 -o ControlPath=${newFolder()}/c`;
    const route = { kind: 'exec', command: `${command}${isShared ? shared : ''} pawl-box` } as const;
    const [alice, bob] = [await openPlace(route, contextWith()), await openPlace(route, contextWith())];
    const envelopes = [ENVELOPE, envelopeWith(2, 2 ** 24)];
    for (const envelope of [...envelopes, ENVELOPE]) await put(alice, A, envelope);
    const entries = await listed(bob, [B, A]);
    const found = await read(bob, entries);
    expect(found.map(({ bytes }) => nameOfEnvelope(bytes)).sort()).toEqual(envelopes.map(nameOfEnvelope).sort());
    await bob.remove(entries);
    expect(await listed(alice, [A])).toEqual([]);
  });

  it('runs nothing else for who has a key', () => {
    const box = server.newBox(newFolder());
    for (const command of ['cat /etc/passwd', 'sh -c "echo list"; id', '']) {
      const { status, stdout } = spawnSync('sh', ['-c', `${server.ssh(box)} '${command}'`], {
        input: '',
        encoding: 'utf8',
      });
      expect([status, stdout], command).toEqual([65, '']);
    }
  });

  it('stores nothing when the one who puts is killed midway', async () => {
    const mail = newFolder();
    const [program = '', ...words] = server.ssh(server.newBox(mail)).split(' ');
    const ssh = spawn(program, [...words, 'pawl-box put'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const large = envelopeWith(1, 2 ** 20);
    ssh.stdin.write(`${A} ${nameOfEnvelope(large)} ${large.length}\n`);
    ssh.stdin.write(large.subarray(0, 2 ** 19));
    await vi.waitFor(() => expect(readdirSync(mail)).toHaveLength(1), { timeout: 20_000 });
    ssh.kill('SIGKILL');
    await vi.waitFor(() => expect(readdirSync(mail)).toEqual([]), { timeout: 20_000 });
  });

  it('says why it cannot be reached, and goes on when it can again', async () => {
    const place = await placeOf(server.newBox(newFolder()));
    const stranger = await openPlace({ kind: 'exec', command: `${server.ssh('nobody')} pawl-box` }, contextWith());
    await expect(put(stranger, A, ENVELOPE)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringMatching(/permission denied/i) },
    });
    await server.stop();
    await expect(put(place, A, ENVELOPE)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringMatching(/connection refused/i) },
    });
    await server.restart();
    await put(place, A, ENVELOPE);
    expect(Object.values(await contentOf(place, A))).toEqual([Buffer.from(ENVELOPE)]);
  });
});

/** An sshd on loopback, for the user who runs the test. */
class Server {
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;
  #boxes = 0;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  static async start(folder: string): Promise<Server> {
    const server = new Server(folder, await freePort());
    // Where the package's scripts were not run.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    server.#makeKey('host');
    server.#makeKey('nobody');
    const path = (name: string) => join(folder, name);
    writeFileSync(path('authorized_keys'), '');
    const host = readFileSync(path('host.pub'), 'latin1').trim();
    writeFileSync(path('known_hosts'), `[127.0.0.1]:${server.#port} ${host}\n`);
    writeFileSync(path('sshd_config'), settingsOfSshd(folder, server.#port));
    await server.restart();
    return server;
  }

  async restart(): Promise<void> {
    const sshd = spawn(programPath('sshd') ?? '', ['-D', '-e', '-f', join(this.#folder, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = sshd;
    for await (const chunk of sshd.stderr)
      if (`${chunk}`.includes('Server listening')) return sshd.stderr.destroy() && undefined;
    throw new Error('sshd did not start');
  }

  async stop(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return;
    const end = once(this.#process, 'exit');
    this.#process.kill();
    await end;
  }

  /** A key that may use a folder, as pawl-box says. */
  newBox(mail: string): string {
    const name = `key-${this.#boxes++}`;
    this.#makeKey(name);
    const key = readFileSync(join(this.#folder, `${name}.pub`), 'latin1').trim();
    const line = `restrict,command="${PAWL_BOX} ${mail}" ${key}\n`;
    writeFileSync(join(this.#folder, 'authorized_keys'), line, { flag: 'a' });
    return name;
  }

  /** The command of a route with a key, but for its verb. */
  ssh(key: string): string {
    const config = join(this.#folder, `${key}.config`);
    writeFileSync(config, settingsOfSsh(this.#folder, this.#port, key));
    return `ssh -F ${config} relay`;
  }

  #makeKey(name: string): void {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(this.#folder, name)]);
  }
}
