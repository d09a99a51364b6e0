/**
 * Finds the parameters of a connection service (PostgreSQL manual, 34.17, as libpq reads it).
 * Knows the form of the file, and not what the parameters mean. Does not ask an LDAP server.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../errors.ts';
import type { AddressContext } from './address.ts';
import { isParameter, type Parameters } from './connection-uri.ts';
import { readText } from './small-file.ts';

/** Where Debian has the file of the system. */
const SYSTEM_FOLDER = '/etc/postgresql-common';

/**
 * @returns what the file of the user says of the service, or else that of the system.
 * @throws `missing-file`, `read-failed`; `usage` where no file has the service.
 */
export function serviceOf(name: string, { environment, home }: AddressContext): Parameters {
  const folder = home();
  const ofUser = environment.PGSERVICEFILE || existing(folder && join(folder, '.pg_service.conf'));
  const ofSystem = existing(join(environment.PGSYSCONFDIR || SYSTEM_FOLDER, 'pg_service.conf'));
  for (const path of [ofUser, ofSystem]) {
    const found = path === undefined ? undefined : serviceIn(path, name);
    if (found !== undefined) return found;
  }
  throw new PawlError('usage', {
    problem: `there is no connection service ${name}`,
    hint: 'a section [NAME] of ~/.pg_service.conf, or of the file that PGSERVICEFILE names, is one',
  });
}

function existing(path: string | undefined): string | undefined {
  return path !== undefined && existsSync(path) ? path : undefined;
}

function serviceIn(path: string, name: string): Parameters | undefined {
  const found = new Map<string, string>();
  let isOpen = false;
  for (const [index, text] of readText(path).split('\n').entries()) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (isOpen) return found;
      isOpen = line.startsWith(`[${name}]`);
      continue;
    }
    if (!isOpen) continue;
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/.exec(line) ?? [];
    if (!isParameter(key, 'service-file')) {
      throw new PawlError('read-failed', { path, reason: `line ${index + 1} is no parameter that pawl knows` });
    }
    // The first of several counts.
    if (!found.has(key)) found.set(key, value);
  }
  return isOpen ? found : undefined;
}
