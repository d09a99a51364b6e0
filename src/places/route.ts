/**
 * Routes as a person writes them: `dir:FOLDER`, `exec:COMMAND`, `nats://HOST`.
 * Reaches nothing.
 */
import { resolve } from 'node:path';
import { PawlError } from '../errors.ts';
import { REPLACEMENT } from '../files/index.ts';

/** What a person says of a route. */
export type Destination =
  | { readonly kind: 'dir'; readonly path: string }
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'nats'; readonly url: string; readonly credentials: string | undefined };

/** The most characters of a command. */
const LONGEST = 4_096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const CONTROL = /[\u0000-\u001f\u007f]/;
const SERVER = /^nats:\/\/(\[[\da-f:.]+\]|[\da-z](?:[\da-z._-]*[\da-z])?)(?::(\d{1,5}))?\/?(?:\?creds=(.*))?$/i;

/**
 * Reads a route. A path is relative to the working folder; `~/` is the home folder.
 * @param home the user's home folder, where there is one.
 * @throws `bad-route`; `not-utf8`.
 */
export function parseRoute(text: string, home: string | undefined): Destination {
  const shown = withoutCredentials(text);
  if (text.includes(REPLACEMENT)) throw new PawlError('not-utf8', { what: `the route ${shown}` });
  const bad = (reason: string) => new PawlError('bad-route', { route: shown, reason });
  if (CONTROL.test(text)) throw bad('it has a control character in it');
  if (text.startsWith('dir:')) return { kind: 'dir', path: folderOf(text.slice('dir:'.length), home, bad) };
  if (text.startsWith('exec:')) return { kind: 'exec', command: commandOf(text.slice('exec:'.length).trim(), bad) };
  if (text.startsWith('nats:')) return serverOf(text, home, bad);
  throw bad(`it is of no kind that there is${text === '' || text.includes(':') ? '' : `; did you mean dir:${text}?`}`);
}

/** A route as it is shown: without credentials, and where they are. What is in a command is shown. */
export function formatRoute(destination: Destination): string {
  if (destination.kind === 'nats') return destination.url;
  return destination.kind === 'dir' ? `dir:${destination.path}` : `exec:${destination.command}`;
}

type Bad = (reason: string) => PawlError;

function absolute(path: string, home: string | undefined, bad: Bad): string {
  if (path === '') throw bad('it names no folder or file');
  if (!path.startsWith('~')) return resolve(path);
  if (path !== '~' && !path.startsWith('~/'))
    throw bad('only ~ and ~/ are known; write its whole path, or ./ before it');
  if (home === undefined) throw bad('there is no home folder for its ~');
  return resolve(home, `.${path.slice(1)}`);
}

function folderOf(text: string, home: string | undefined, bad: Bad): string {
  const path = absolute(text, home, bad);
  if (path === resolve('/')) throw bad('it is the root of all folders');
  return path;
}

function commandOf(command: string, bad: Bad): string {
  if (command === '') throw bad('it names no command');
  if (command.length > LONGEST) throw bad(`its command has more than ${LONGEST} characters: make a script of it`);
  return command;
}

function serverOf(text: string, home: string | undefined, bad: Bad): Destination {
  if (/^nats:.*@/.test(text.replace(/\?creds=.*/, ''))) {
    throw bad('credentials belong in a file, and its name in ?creds=FILE');
  }
  const [, host, port, credentials] = SERVER.exec(text) ?? [];
  if (host === undefined) throw bad('it is not nats://HOST, nats://HOST:PORT, or that with ?creds=FILE');
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) throw bad('a port is 1 to 65535');
  return {
    kind: 'nats',
    url: `nats://${host.toLowerCase()}${port === undefined ? '' : `:${Number(port)}`}`,
    credentials: credentials === undefined ? undefined : absolute(credentials, home, bad),
  };
}

/** What errors show of a text that may be no route. */
function withoutCredentials(text: string): string {
  return text.startsWith('dir:') || text.startsWith('exec:') ? text : text.replace(/^([a-z]*:?\/*).*@/is, '$1…@');
}
