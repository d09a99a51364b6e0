/** One message of 16 MiB by whole processes: time, and peak memory above that of an empty Node. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../src/primitives/index.ts';
import { Home, run } from './home.ts';
import { type Figure, median } from './measure.ts';

const BYTES = 2 ** 24;
const ROUNDS = 5;

export function largeContent(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const home = Home.begin(join(folder, 'home'));
    const content = systemRandom(BYTES);
    writeFileSync(home.path('content'), content);
    const both = Array.from({ length: ROUNDS }, () => home.pipe('content', 'output'));
    if (!readFileSync(home.path('output')).equals(content)) throw new Error('not every byte has arrived');
    const node = run(['-e', '0'], folder, new Uint8Array(0)).peak;
    const send = home.pawl('alice', ['send', 'bob'], content);
    const recv = home.pawl('bob', ['recv'], send.output);
    const above = (name: string, peak: number): Figure => ({
      name,
      value: (peak - node) / 1e6,
      ratio: (peak - node) / BYTES,
    });
    return [
      { name: 'send | recv, ms', value: median(both), best: Math.min(...both) },
      above('peak of send above node, MB', send.peak),
      above('peak of recv above node, MB', recv.peak),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
