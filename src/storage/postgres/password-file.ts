/**
 * Finds a password in a password file of libpq (PostgreSQL manual, 34.16). Knows no other place of passwords.
 */
import { DEFAULT_SOCKET_FOLDER } from './host.ts';
import { readSecret } from './small-file.ts';

/** What the first four fields of a line are compared with. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Up to a colon that has no backslash in front, or the end. What is behind a backslash stands for itself. */
const FIELD = /((?:\\.|[^:\\]|\\$)*)(?::|$)/gy;

/**
 * @returns the password of the first line that fits, which may be empty; `undefined` where there is none. A comment fits
 * nothing, since no host begins with `#`.
 * @throws `exposed-key` where others can get at the file; `missing-file`, `read-failed`.
 */
export function passwordIn(path: string, { host, port, database, user }: Login): string | undefined {
  const sought = [host === DEFAULT_SOCKET_FOLDER ? 'localhost' : host, `${port}`, database, user];
  for (const line of readSecret(path).split(/\r*\n/)) {
    const fields = [...line.matchAll(FIELD)].map(([, field = '']) => field);
    const fits = sought.every((value, index) => fields[index] === '*' || unescaped(fields[index]) === value);
    if (fits) return unescaped(fields[sought.length]);
  }
  return undefined;
}

function unescaped(field: string | undefined): string | undefined {
  return field?.replace(/\\(.)/g, '$1');
}
