/** A sshd with pawl-box behind it and a NATS server, each on a free port of this machine. Knows nothing of pawl's routes. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, programPath, settingsOfSsh, settingsOfSshd } from '../test/places/servers.ts';

const PAWL_BOX = join(__dirname, '..', '..', 'examples', 'pawl-box');

export interface Relay {
  readonly name: string;
  /** As it is typed. */
  readonly route: string;
  /** Milliseconds between the first looks of a follower; where it is told, those in which a moment is chosen all the same. */
  readonly pause: number;
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
  writeFileSync(path('sshd_config'), settingsOfSshd(folder, port));
  writeFileSync(path('ssh_config'), `${settingsOfSsh(folder, port, 'user')}${oneConnection(path('master'))}`);
  const server = await listening(sshd, ['-D', '-e', '-f', path('sshd_config')], [path('log'), 'Server listening']);
  const end = () => {
    spawnSync('ssh', ['-F', path('ssh_config'), '-O', 'exit', 'relay'], { stdio: 'ignore' });
    server.kill();
  };
  return { name: 'ssh', route: `exec:ssh -F ${path('ssh_config')} relay pawl-box`, pause: 5_000, end };
}

/** What examples/pawl-box says to set: one connection for all commands. */
function oneConnection(socket: string): string {
  return `ControlMaster auto\nControlPath ${socket}\nControlPersist 10m\n`;
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
  return { name: 'nats', route: `nats://127.0.0.1:${port}`, pause: 1_000, end: () => server.kill('SIGKILL') };
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
