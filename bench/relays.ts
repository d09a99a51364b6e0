/** A sshd with pawl-box behind it and a NATS server, each on a free port of this machine. Knows nothing of pawl's routes. */
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
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
  const server = await listening(sshd, ['-D', '-e', '-f', path('sshd_config')], [path('log'), 'Server listening']);
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
  const server = await listening(program, ['-c', join(folder, 'conf')], [join(folder, 'log'), 'Server is ready']);
  return { name: 'nats', route: `nats://127.0.0.1:${port}`, end: () => server.kill('SIGKILL') };
}

/** Its messages go into a file: nobody would read a pipe while commands are measured, and it would wait. */
async function listening(program: string, parameters: readonly string[], [log, sign]: readonly [string, string]) {
  const messages = openSync(log, 'w');
  const server = spawn(program, parameters, { stdio: ['ignore', 'ignore', messages] });
  closeSync(messages);
  while (!readFileSync(log, 'latin1').includes(sign)) {
    if (server.exitCode !== null) throw new Error(`${program}: ${readFileSync(log, 'latin1')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return server;
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
