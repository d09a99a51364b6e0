/** What strangers and lying peers can cost, and the memory of a `recv` of many large files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEnvelope } from '../src/envelope/index.ts';
import { systemRandom } from '../src/primitives/index.ts';
import { type Arrival, receive } from '../src/session/index.ts';
import { addContacts } from './growth.ts';
import { Home, run } from './home.ts';
import { type Figure, median } from './measure.ts';

const FILES = 24;
const BYTES = 16_000_000;
const CONTACTS = 600;
const GAP = 2_000;
const ROUNDS = 5;

export async function bounds(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    return [...manyLarge(folder), ...(await junk(folder)), ...(await gap(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function manyLarge(folder: string): readonly Figure[] {
  const home = Home.begin(join(folder, 'large'));
  const files = Array.from({ length: FILES }, (_, index) => {
    const envelope = join(folder, `${index}.pawl`);
    writeFileSync(envelope, home.pawl('alice', ['send', 'bob'], systemRandom(BYTES)).output);
    return envelope;
  });
  const other = home.copy(join(folder, 'large, with -o'));
  const node = run(['-e', '0'], folder, new Uint8Array(0)).peak;
  const above = (name: string, peak: number) => ({ name, value: (peak - node) / 1e6 });
  return [
    above('recv of 24 × 16 MB, peak above node, MB', home.pawlInto('got', 'bob', ['recv', ...files]).peak),
    above('the same with -o', other.pawl('bob', ['recv', ...files, '-o', other.path('got')]).peak),
  ];
}

async function junk(folder: string): Promise<readonly Figure[]> {
  const home = Home.begin(join(folder, 'junk'));
  await home.open('bob', (context) => addContacts(context, CONTACTS));
  const strangers = Home.begin(join(folder, 'strangers'));
  const arrivals = Array.from({ length: 64 }, () =>
    arrivalOf(strangers.pawl('alice', ['send', 'bob', '-m', 'hi']).output),
  );
  return home.open('bob', async (bob) => {
    const time = async (some: readonly Arrival[]) => {
      const begin = processorTime();
      const { outcomes } = await receive(bob, some, {});
      if (outcomes.some(({ type }) => type !== 'refused')) throw new Error('a stranger is let in');
      return processorTime() - begin;
    };
    const first = await time(arrivals.slice(0, 1));
    return [
      { name: 'an unknown envelope, 600 contacts, processor ms', value: first },
      { name: 'each of 64 in one unit of work, processor ms', value: (await time(arrivals)) / arrivals.length },
    ];
  });
}

async function gap(folder: string): Promise<readonly Figure[]> {
  const home = Home.begin(join(folder, 'gap'));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { output } = home.pawl('alice', ['send', 'bob', '--lines'], Buffer.from('a\n'.repeat(GAP + 1)));
    const last = arrivalOf(output.subarray(-output.length / (GAP + 1)));
    await home.open('bob', async (bob) => {
      const begin = processorTime();
      await receive(bob, [last], {});
      times.push(processorTime() - begin);
    });
  }
  return [{ name: 'a gap of 2,000 messages, processor ms', value: median(times), best: Math.min(...times) }];
}

/** In milliseconds, of all threads. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function arrivalOf(bytes: Uint8Array): Arrival {
  const envelope = decodeEnvelope(bytes);
  if (!('message' in envelope)) throw new Error('no message');
  return { source: 'bench', envelope };
}
