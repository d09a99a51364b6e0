/** A sshd with pawl-box behind it and a NATS server, each on a free port of this machine. Knows nothing of pawl's routes. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const PAWL_BOX = join(__dirname, '..', '..', 'examples', 'pawl-box');

export interface Relay {
  readonly name: string;
  /** As it is typed. */
  readonly route: string;
  readonly end: () => void;
}

/** @returns `undefined` where it is not installed. */
export async function startSsh(folder: string): Promise<Relay | undefined> {
  const sshd = programPath('sshd');
  if (sshd === undefined || programPath('ssh-keygen') === undefined) return undefined;
  const port = await freePort();
  const [path, box] = [(name: string) => join(folder, name), join(folder, 'box')];
  mkdirSync(box, { recursive: true });
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path(name)]);
  const key = (name: string) => readFileSync(path(`${name}.pub`), 'latin1').trim();
  writeFileSync(path('authorized_keys'), `restrict,command="${PAWL_BOX} ${box}" ${key('user')}\n`);
  writeFileSync(path('known_hosts'), `[127.0.0.1]:${port} ${key('host')}\n`);
  writeFileSync(
    path('sshd_config'),
    `ListenAddress 127.0.0.1
Port ${port}
HostKey ${path('host')}
PidFile none
AuthorizedKeysFile ${path('authorized_keys')}
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
`,
  );
  writeFileSync(
    path('ssh_config'),
    `Host relay
HostName 127.0.0.1
Port ${port}
User ${userInfo().username}
IdentityFile ${path('user')}
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile ${path('known_hosts')}
StrictHostKeyChecking yes
BatchMode yes
`,
  );
  const server = await listening(sshd, ['-D', '-e', '-f', path('sshd_config')], 'Server listening');
  return { name: 'ssh', route: `exec:ssh -F ${path('ssh_config')} relay pawl-box`, end: () => server.kill() };
}

/** @returns `undefined` where it is not installed. */
export async function startNats(folder: string): Promise<Relay | undefined> {
  const program = programPath('nats-server');
  if (program === undefined) return undefined;
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'conf'),
    `listen: "127.0.0.1:${port}"\njetstream: {store_dir: "${join(folder, 'store')}"}\n`,
  );
  const server = await listening(program, ['-c', join(folder, 'conf')], 'Server is ready');
  return { name: 'nats', route: `nats://127.0.0.1:${port}`, end: () => server.kill('SIGKILL') };
}

function listening(program: string, parameters: readonly string[], sign: string): Promise<ChildProcess> {
  const server = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    // What it says later is taken, too: else it would end, or wait.
    server.stderr.on('data', (chunk) => {
      if (said.length < 2 ** 16) said += chunk;
      if (said.includes(sign)) resolve(server);
    });
    server.once('exit', () => reject(new Error(`${program}: ${said}`)));
  });
}

function programPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/usr/bin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
