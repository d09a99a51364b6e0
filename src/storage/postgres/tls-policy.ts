/**
 * Decides whether a connection is encrypted, and which certificates are trusted: off this machine always, and only those
 * that are verified. Finds no parameters, and connects to nothing.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { PawlError } from '../../errors.ts';
import { isLocal, isSocket } from './host.ts';
import { readSecret, readText } from './small-file.ts';

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];

/** The parameters of libpq, as they are found. Files are paths. */
export interface TlsParameters {
  readonly sslmode?: string | undefined;
  /** `system`: whom Node trusts. */
  readonly sslrootcert?: string | undefined;
  readonly sslcert?: string | undefined;
  readonly sslkey?: string | undefined;
}

/** A file `~/.postgresql/NAME` that is there, or `undefined`. */
export type DefaultFile = (name: 'root.crt' | 'root.crl' | 'postgresql.crt' | 'postgresql.key') => string | undefined;

/**
 * How the connection to a host is encrypted; `undefined`: not at all. As libpq, a socket is never encrypted. `allow` and
 * `prefer` encrypt nothing: there is no second try without TLS, or with it. `verify-ca`, where a certificate may be for any
 * host, is only taken with a CA of one's own, since public ones certify everybody.
 * @throws `usage` for a mode that would trust anybody off this machine; `missing-file`, `read-failed`, `exposed-key`.
 */
export function tlsTo(host: string, given: TlsParameters, fileOf: DefaultFile): ConnectionOptions | undefined {
  if (isSocket(host)) return undefined;
  const mode = modeFor(host, given);
  if (mode === 'disable' || mode === 'allow' || mode === 'prefer') return undefined;
  const root = given.sslrootcert ?? fileOf('root.crt');
  const ca = root === undefined || root === 'system' ? undefined : certificateIn(root);
  if (mode === 'verify-ca' && ca === undefined) {
    refuse(
      'sslmode=verify-ca takes a certificate for any host, which is of no use where everybody can get one',
      OWN_CA,
    );
  }
  return {
    secureContext: createSecureContext({ ca, ...(ca && revoked(fileOf)), ...certificateOfOurs(given, fileOf) }),
    // As libpq, which verifies more than was asked for where it has a CA. The variable NODE_TLS_REJECT_UNAUTHORIZED has no say.
    rejectUnauthorized: mode !== 'require' || ca !== undefined,
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

/** A CA that is named, or another machine, is to be verified. */
function modeFor(host: string, { sslmode, sslrootcert }: TlsParameters): Mode {
  const isFar = !isLocal(host);
  const mode = sslmode ?? (isFar || sslrootcert !== undefined ? 'verify-full' : 'prefer');
  if (!isMode(mode)) return refuse('the sslmode of the database is not a known mode', `one of ${MODES.join(', ')}`);
  if (sslrootcert === 'system' && mode !== 'verify-full') {
    refuse('sslrootcert=system goes with sslmode=verify-full only: public CAs certify everybody', OWN_CA);
  }
  if (isFar && !mode.startsWith('verify-')) {
    refuse(`with sslmode=${mode}, anybody on the way could pose as the database`, `sslmode=verify-full; ${OWN_CA}`);
  }
  return mode;
}

const OWN_CA = 'for a CA of your own: ?sslrootcert=FILE, with its certificate';

function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text);
}

/** What this side shows to the server, as far as there is any. */
function certificateOfOurs({ sslcert, sslkey }: TlsParameters, fileOf: DefaultFile) {
  const certificate = sslcert ?? fileOf('postgresql.crt');
  const key = sslkey ?? fileOf('postgresql.key');
  if (certificate === undefined && sslkey === undefined) return {};
  if (certificate === undefined || key === undefined) {
    return refuse('a certificate goes with its key', '?sslcert=FILE&sslkey=FILE');
  }
  const pair = { cert: certificateIn(certificate), key: keyIn(key) };
  if (new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) return pair;
  throw new PawlError('read-failed', { path: key, reason: `it is not the key of ${certificate}` });
}

/** Checks that there is one: Node passes over what it cannot read. */
function certificateIn(path: string): string {
  const text = readText(path);
  try {
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new PawlError('read-failed', { path, reason: 'it is no certificate in PEM' }, { cause });
  }
}

/** What a CA of one's own has revoked, where there is its list. */
function revoked(fileOf: DefaultFile): { readonly crl?: string } {
  const path = fileOf('root.crl');
  if (path === undefined) return {};
  const crl = readText(path);
  try {
    createSecureContext({ crl });
    return { crl };
  } catch (cause) {
    throw new PawlError('read-failed', { path, reason: 'it is no list of revoked certificates in PEM' }, { cause });
  }
}

function keyIn(path: string): string {
  const text = readSecret(path, { sharedByRoot: true });
  try {
    createPrivateKey(text);
    return text;
  } catch {
    throw new PawlError('read-failed', { path, reason: 'it is no private key in PEM without a passphrase' });
  }
}

function refuse(problem: string, hint: string): never {
  throw new PawlError('usage', { problem, hint });
}
