import { getSystemErrorMap } from 'node:util';
import { PawlError } from '../errors.ts';

/** The system's code of an error: `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The system's words for an error: `permission denied`. Those in a known error are its `reason`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof PawlError && 'reason' in error.detail) return error.detail.reason;
  const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  return getSystemErrorMap().get(number)?.[1] ?? error.message;
}
