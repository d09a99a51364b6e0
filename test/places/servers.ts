import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** Where a program is; `undefined` where it is not installed. The folders of the system are looked at as well. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/usr/bin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A port of the loopback interface on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** What a suite is called that needs programs, and whether it is skipped because one of them is missing. */
export function needing(title: string, ...programs: readonly string[]): [title: string, isSkipped: boolean] {
  const missing = programs.filter((program) => programPath(program) === undefined);
  return missing.length === 0 ? [title, false] : [`${title} (skipped: no ${missing.join(', ')} here)`, true];
}

/** The settings of a sshd on this machine. @param folder has its key `host`, and `authorized_keys`. */
export function settingsOfSshd(folder: string, port: number): string {
  return `ListenAddress 127.0.0.1
Port ${port}
HostKey ${join(folder, 'host')}
PidFile none
AuthorizedKeysFile ${join(folder, 'authorized_keys')}
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
`;
}

/** The settings by which `ssh relay` goes there. @param folder has the user's key of that name, and `known_hosts`. */
export function settingsOfSsh(folder: string, port: number, key: string): string {
  return `Host relay
HostName 127.0.0.1
Port ${port}
User ${userInfo().username}
IdentityFile ${join(folder, key)}
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile ${join(folder, 'known_hosts')}
StrictHostKeyChecking yes
BatchMode yes
`;
}
