/**
 * Where a database is, and who opens it: from a connection URI, and what it leaves out as libpq finds it, in a service file,
 * in variables of the environment, in files of the home folder. Connects to nothing.
 */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { type ParameterName, parseConnectionUri } from './connection-uri.ts';
import { DEFAULT_SOCKET_FOLDER, isHost, isSocket } from './host.ts';
import { type Login, passwordIn } from './password-file.ts';
import type { DatabaseAddress } from './server-client.ts';
import { serviceOf } from './service-file.ts';
import { tlsTo } from './tls-policy.ts';

export interface AddressContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The absolute path of the user's home folder, if there is one. */
  readonly home: () => string | undefined;
  /** Whether the URI is an argument of a command: others on this machine see those, so it must not have a password. */
  readonly isArgument: boolean;
}

const DEFAULT_PORT = 5_432;

const VARIABLES: Readonly<Record<ParameterName, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
};

/**
 * They say which server is meant, whom to distrust, or how strong a connection has to be: to pass over them would be worse
 * than to refuse. With the values that demand nothing beyond what pawl does.
 */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  PGHOSTADDR: [],
  PGSSLCRL: [],
  PGSSLCRLDIR: [],
  PGREQUIREPEER: [],
  PGREQUIREAUTH: [],
  PGCHANNELBINDING: [],
  PGREQUIRESSL: ['0'],
  PGSSLMINPROTOCOLVERSION: ['TLSv1', 'TLSv1.1', 'TLSv1.2'],
  PGSSLNEGOTIATION: ['postgres'],
  // Without it a certificate is shown to who asks for one.
  PGSSLCERTMODE: ['allow'],
  PGGSSENCMODE: ['disable', 'prefer'],
};

/**
 * @param uri `postgres://USER@HOST:PORT/DATABASE?NAME=VALUE`, of which everything may be left out.
 * @returns the address. What it is called, `shown`, has neither a password nor the names of files, and is a URI as well.
 * @throws `usage` for what is not a connection URI, has a parameter that is not known, or does not keep others out;
 * `exposed-key` where others can read a password file or key; `missing-file` and `read-failed` for a file that is named and
 * cannot be read.
 */
export function databaseAddress(uri: string, context: AddressContext): DatabaseAddress {
  const { environment, home } = context;
  const given = parseConnectionUri(uri);
  if (context.isArgument && given.has('password')) {
    refuse('a password in an argument is seen by others on this machine', PASSWORD_HINT);
  }
  for (const [name, harmless] of Object.entries(REFUSED)) {
    const value = environment[name];
    if (value && !harmless.includes(value)) {
      const demand = harmless.length > 0 ? `${name}=${value}` : name;
      refuse(`pawl cannot do what ${demand} demands`, `env -u ${name} pawl ...`);
    }
  }
  const serviceName = given.get('service') ?? environment.PGSERVICE;
  const service = serviceName ? serviceOf(serviceName, context) : undefined;
  // What is empty has its default, and not what is said behind it.
  const find = (name: ParameterName) =>
    (given.get(name) ?? service?.get(name) ?? environment[VARIABLES[name]]) || undefined;
  const fileOf = (...names: readonly string[]) => {
    const folder = home();
    const path = folder === undefined ? undefined : join(folder, ...names);
    return path !== undefined && existsSync(path) ? path : undefined;
  };

  const user = find('user') ?? systemUser();
  const login: Login = {
    host: hostOf(find('host') ?? DEFAULT_SOCKET_FOLDER),
    port: portOf(find('port')),
    database: find('dbname') ?? user,
    user,
  };
  const passwordFile = find('passfile') ?? fileOf('.pgpass');
  const password = find('password') ?? (passwordFile && passwordIn(passwordFile, login));
  const tls = tlsTo(
    login.host,
    {
      sslmode: find('sslmode'),
      sslrootcert: find('sslrootcert'),
      sslcert: find('sslcert'),
      sslkey: find('sslkey'),
    },
    (name) => fileOf('.postgresql', name),
  );
  return { ...login, password: password ? () => password : undefined, tls, shown: shownOf(login) };
}

const PASSWORD_HINT = 'write it into ~/.pgpass, as HOST:PORT:DATABASE:USER:PASSWORD, with chmod 600; or set PGPASSWORD';

function hostOf(host: string): string {
  if (host.includes(',')) {
    refuse('the address of the database names several hosts', 'name one: an identity is in one database');
  }
  return isHost(host)
    ? host
    : refuse('the host of the database is no name, IP address or folder of a socket', HOST_HINT);
}

const HOST_HINT = 'postgres://USER@HOST/DATABASE, or postgres://USER@/DATABASE?host=/FOLDER for a socket';

function portOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port < 2 ** 16
    ? port
    : refuse('the port of the database is not a port number', 'one number from 1 to 65535');
}

/** @throws `usage` where the process runs as a user without a name. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return refuse('it is not known as whom to open the database', 'postgres://USER@HOST/DATABASE');
  }
}

function shownOf({ host, port, database, user }: Login): string {
  const place = isSocket(host) ? '' : isIP(host) === 6 ? `[${host.replace('%', '%25')}]` : host;
  const colon = port === DEFAULT_PORT ? '' : `:${port}`;
  const folder = isSocket(host) ? `?host=${encodeURIComponent(host)}` : '';
  return `postgres://${encodeURIComponent(user)}@${place}${colon}/${encodeURIComponent(database)}${folder}`;
}

function refuse(problem: string, hint: string): never {
  throw new PawlError('usage', { problem, hint });
}
