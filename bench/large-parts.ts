/** A content in parts by whole processes, beside node:crypto on the same bytes, and age where it is installed. */
import { spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, Home, run } from './home.ts';
import { type Figure, median } from './measure.ts';

const PIECES = 4_096;
const PIECE = 2 ** 16;
/** 256 MiB. */
const BYTES = PIECES * PIECE;
const ROUNDS = 5;

/** Rates are of processor time, and without what a content of one part takes: the start, the commits. */
export function largeParts(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const home = Home.begin(join(folder, 'home'));
    writeRandom(home.path('large'), PIECES);
    writeRandom(home.path('small'), 2 ** 24 / PIECE + 1);
    const extra = BYTES - 2 ** 24 - PIECE;
    const times = { send: [] as number[], recv: [] as number[], crypto: [] as number[] };
    let peaks = { send: 0, recv: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const both = ['small', 'large'].map((name) => {
        const send = home.pawlInto(`${name}.pawl`, 'alice', ['send', 'bob', home.path(name)]);
        const recv = home.pawlInto(`${name}.out`, 'bob', ['recv', home.path(`${name}.pawl`)]);
        return { send, recv };
      });
      const [small, large] = both;
      if (small === undefined || large === undefined) throw new Error('two sizes are sent');
      times.send.push(large.send.processor - small.send.processor);
      times.recv.push(large.recv.processor - small.recv.processor);
      times.crypto.push((encrypt() * extra) / BYTES);
      peaks = { send: large.send.peak, recv: large.recv.peak };
    }
    const node = run(['-e', '0'], folder, new Uint8Array(0)).peak;
    const rate = (name: string, milliseconds: readonly number[]): Figure => ({
      name,
      value: extra / 1e3 / median(milliseconds),
      ratio: median(times.crypto) / median(milliseconds),
    });
    return [
      rate('node:crypto, 64 KiB pieces, MB/s', times.crypto),
      rate('send, MB/s', times.send),
      rate('recv, MB/s', times.recv),
      ...ageRates(home, extra, median(times.crypto)),
      { name: 'peak of send above node, MB', value: (peaks.send - node) / 1e6 },
      { name: 'peak of recv above node, MB', value: (peaks.recv - node) / 1e6 },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** age with a key file, by the shell's own clock of processor time. */
function ageRates(home: Home, bytes: number, crypto: number): readonly Figure[] {
  if (spawnSync('age', ['--version']).status !== 0) return [];
  const shell = (line: string): number => {
    const { stdout, status } = spawnSync('bash', ['-c', `TIMEFORMAT='%U %S'; { time ${line}; } 2>&1`], {
      cwd: home.folder,
      env: environment(home.folder),
    });
    if (status !== 0) throw new Error(`${line}: exit ${status}`);
    const [user = 0, system = 0] = stdout.toString().trim().split(' ').map(Number);
    return (user + system) * 1_000;
  };
  shell('age-keygen -o age.key 2> /dev/null');
  const of = (name: string, line: (file: string) => string): Figure => {
    const times = Array.from({ length: ROUNDS }, () => shell(line('large')) - shell(line('small')));
    return { name, value: bytes / 1e3 / median(times), ratio: crypto / median(times) };
  };
  return [
    of('age -e, MB/s', (file) => `age -e -i age.key -o ${file}.age ${file}`),
    of('age -d, MB/s', (file) => `age -d -i age.key -o ${file}.back ${file}.age`),
  ];
}

function writeRandom(path: string, pieces: number): void {
  const file = openSync(path, 'w');
  try {
    for (let piece = 0; piece < pieces; piece++) writeSync(file, randomBytes(PIECE));
  } finally {
    closeSync(file);
  }
}

/** @returns processor time in milliseconds. */
function encrypt(): number {
  const piece = randomBytes(PIECE);
  const before = process.cpuUsage();
  for (let count = 0; count < PIECES; count++) {
    const cipher = createCipheriv('chacha20-poly1305', randomBytes(32), randomBytes(12), { authTagLength: 16 });
    cipher.update(piece);
    cipher.final();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}
