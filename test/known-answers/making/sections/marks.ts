import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IdentitySeed } from '../../../../src/primitives/index.ts';
import { Mark } from '../../../../src/storage/rollback-mark.ts';
import { hex } from '../../../primitives/hex.ts';
import type { Mark as Written } from '../../format.ts';

/** Marks as they are written beside identity files (docs/PROTOCOL.md §8). */
export function marks(): readonly Written[] {
  return [
    ['a0', 1],
    ['b0', 2 ** 40 + 7],
  ].map(([byte, generation]) => markOf(String(byte).repeat(32), Number(generation)));
}

function markOf(seed: string, generation: number): Written {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-mark-'));
  try {
    new Mark(folder, hex(seed) as IdentitySeed).write(generation);
    const [name = ''] = readdirSync(folder);
    return { seed, name, generation, bytes: readFileSync(join(folder, name)).toString('hex') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
