/** Many messages in one call of `send --lines` and `recv`: rate and peak memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Home, type Ran, run } from './home.ts';
import { type Figure, median } from './measure.ts';

/** Messages a second of libchat's persisted session (Rust, a SQLCipher file). Measured once, not in this run. */
const LIBCHAT = 1_200;
const ROUNDS = 3;

/** Messages of 100 bytes; each is durable before it is printed. */
export function many(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const home = Home.begin(join(folder, 'home'));
    const rounds = Array.from({ length: ROUNDS }, () => exchange(home, 10_000));
    const rate = (times: readonly Ran[]) => 10_000 / (median(times.map(({ milliseconds }) => milliseconds)) / 1_000);
    const [few, lots] = [exchange(home, 1_000), exchange(home, 100_000)];
    const node = run(['-e', '0'], folder, new Uint8Array(0)).peak;
    const peak = (name: string, of: 'send' | 'recv'): Figure[] => [
      { name: `${name}, 1,000`, value: few[of].peak / 1e6 },
      { name: `${name}, 100,000`, value: lots[of].peak / 1e6, ratio: lots[of].peak / few[of].peak },
    ];
    return [
      against('libchat, persisted, messages a second', LIBCHAT),
      against('send --lines', rate(rounds.map(({ send }) => send))),
      against('recv', rate(rounds.map(({ recv }) => recv))),
      { name: 'peak of node -e 0, MB', value: node / 1e6 },
      ...peak('peak of send --lines', 'send'),
      ...peak('peak of recv', 'recv'),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function against(name: string, value: number): Figure {
  return { name, value, ratio: value / LIBCHAT };
}

function exchange(home: Home, count: number): { send: Ran; recv: Ran } {
  const lines = Buffer.from(`${'a'.repeat(100)}\n`.repeat(count));
  const send = home.pawl('alice', ['send', 'bob', '--lines'], lines);
  const recv = home.pawl('bob', ['recv', '--lines'], send.output);
  if (!recv.output.equals(lines)) throw new Error('not every text has arrived');
  return { send, recv };
}
