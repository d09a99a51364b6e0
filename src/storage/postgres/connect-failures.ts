/**
 * Why a connection could not be made, in words. Knows no address and no password, and the package's errors have none.
 */
import { codeOf } from '../../files/index.ts';

/** By the code of an error. */
const BY_CODE: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there'],
  [/^ENOENT$/, 'there is no socket of a server there'],
  [/^(ECONNRESET|EPIPE)$/, 'the connection was lost'],
  [/^ENOTFOUND$/, 'there is no host of this name'],
  [/^EAI_AGAIN$/, 'the host was not found: is there a network?'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for another host'],
  [/^CERT_HAS_EXPIRED$/, 'its certificate is not trusted: it has expired'],
  [/^CERT_REVOKED$/, 'its certificate is not trusted: it is revoked'],
  [/^UNABLE_TO_GET_CRL$/, 'its certificate is not trusted: ~/.postgresql/root.crl has no list of who signed it'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not trusted: it is not valid yet, by the clock of this machine'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/,
    'its certificate is not trusted: who signed it is not known (?sslrootcert=FILE names a CA of your own)',
  ],
];

/** By the text of an error: those of the package have no code. */
const BY_TEXT: readonly (readonly [RegExp, string])[] = [
  [/^The server does not support SSL/, 'it does not offer TLS, and nothing is sent without it'],
  [/^There was an error establishing an SSL/, 'it does not answer as PostgreSQL does'],
  [/^timeout expired$/, 'it does not answer'],
  [/^Connection terminated/, 'the connection was lost'],
];

/** @param error what the package or the system has thrown, and not what the server has said. */
export function reasonOfFailure(error: unknown): string {
  // A host with several addresses, none of which answers.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = codeOf(first) ?? '';
  const text = first instanceof Error ? first.message : '';
  const words = BY_CODE.find(([known]) => known.test(code)) ?? BY_TEXT.find(([known]) => known.test(text));
  if (words !== undefined) return words[1];
  // OpenSSL names its own function and source file before and after the reason.
  const reason = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(text)?.[1];
  if (reason !== undefined) return `TLS fails: ${reason}`;
  return text || code || 'it does not answer';
}
