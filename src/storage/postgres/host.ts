/**
 * What the host of a database can be: a name, an IP address, or the folder of a Unix socket. Asks no server of names.
 */
import { isIP } from 'node:net';

/** As the packages of Linux distributions build libpq, and PostgreSQL itself. */
export const DEFAULT_SOCKET_FOLDER = process.platform === 'linux' ? '/var/run/postgresql' : '/tmp';

export function isSocket(host: string): boolean {
  return host.startsWith('/');
}

/** Whether nothing that is sent to the host leaves this machine. */
export function isLocal(host: string): boolean {
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return isLoopback || isSocket(host);
}

export function isHost(text: string): boolean {
  return isSocket(text) || isIP(text) !== 0 || /^[a-z0-9_][a-z0-9_.-]*$/i.test(text);
}
