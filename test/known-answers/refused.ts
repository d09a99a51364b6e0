import { type ErrorCode, PawlError } from '../../src/errors.ts';

/** Holds `work` to a refusal. */
export function expectRefusal(why: string, code: ErrorCode, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (error instanceof PawlError && error.code === code) return;
    throw new Error(`${why}: ${String(error)}, and not ${code}`);
  }
  throw new Error(`${why}: not refused`);
}
