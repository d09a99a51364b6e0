import type { BigIntStats } from 'node:fs';

/** What tells a file from all others that are there, whatever its names: device and inode. */
export function inodeOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
