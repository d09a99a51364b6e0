/**
 * Takes a connection URI of libpq apart (PostgreSQL manual, 34.1.1.2), more strictly: of two readings neither is taken.
 * Reads no file and no variable, and knows no default. No error repeats a part of the URI, which may have a password in it.
 */
import { isIPv6 } from 'node:net';
import { PawlError } from '../../errors.ts';

/** Values by the names of libpq, such as `dbname`. */
export type Parameters = ReadonlyMap<string, string>;

/** What is read of a connection: from the query of a URI, or from a service file. */
const READ = [
  ...['host', 'port', 'dbname', 'user', 'password', 'passfile'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
] as const;
export type ParameterName = (typeof READ)[number];

/** Pawl has its own name and its own time limit. */
const PASSED_OVER = ['application_name', 'connect_timeout'];

/**
 * Whether a connection can have a parameter.
 * @param where a service file cannot name a service.
 */
export function isParameter(name: string, where: 'uri' | 'service-file'): boolean {
  return [...READ, ...PASSED_OVER].includes(name) || (name === 'service' && where === 'uri');
}

const FORM =
  /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?(\[[^\]]*\]|[^:/?]*)(?::([^/?]*))?(?:\/([^?]*))?(?:\?(.*))?$/is;

/**
 * @returns what the URI says. A part that is empty is left out; a parameter of the query may be empty, which means its default.
 * @throws `usage`.
 */
export function parseConnectionUri(uri: string): Parameters {
  const [, user = '', password = '', host = '', port = '', dbname = '', query = ''] = FORM.exec(uri) ?? fail(MALFORMED);
  // Somebody has written a password as it is, and the host would be a part of it.
  if ([host, port, dbname, query].some((part) => part.includes('@'))) fail(MALFORMED);
  const parts = { user, password, host: host.startsWith('[') ? numberIn(host) : host, port, dbname };
  const given = new Map(
    Object.entries(parts).flatMap(([name, value]) => (value === '' ? [] : [[name, decode(value)]])),
  );
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name = '', value, ...more] = pair.split('=').map(decode);
    if (value === undefined || more.length > 0) fail(MALFORMED);
    else if (isParameter(name, 'uri')) given.set(name, value);
    else fail(/^\w+$/.test(name) ? `pawl does not know the parameter ${name} of a database` : MALFORMED, KNOWN);
  }
  return given;
}

const MALFORMED = 'the address of the database is not a connection URI';
const FORM_HINT =
  'postgres://USER@HOST/DATABASE, or postgres://USER@/DATABASE?host=/FOLDER for a socket; in a name or value % is %25, @ %40, / %2F, : %3A, ? %3F, & %26, = %3D';
const KNOWN = `it knows ${READ.join(', ')}, service`;

function fail(problem: string, hint = FORM_HINT): never {
  throw new PawlError('usage', { problem, hint });
}

function numberIn(bracketed: string): string {
  const number = bracketed.slice(1, -1);
  return isIPv6(decode(number)) ? number : fail(MALFORMED);
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // It has a % that begins nothing, or bytes that are no UTF-8.
  }
  return fail(MALFORMED);
}
