import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, for our eyes only (mode 0700), where there are none. Throws what the system throws.
 * (Step by step, because Node's recursive `mkdirSync` never returns below a folder like /proc.)
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}
