import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, median } from './measure.ts';

const RUNS = 15;
const PROGRAM = join(__dirname, '..', 'bin', 'pawl.js');

/** `pawl send` and `pawl recv` as a shell starts them, in turn with an empty node. */
export function wholeProcesses(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const withKey = prepare(folder, ['--key-file', join(folder, 'file.key')], 'key');
    writeFileSync(join(folder, 'passphrase.txt'), 'correct horse battery staple', { mode: 0o600 });
    const withPassphrase = prepare(folder, ['--passphrase-file', join(folder, 'passphrase.txt')], 'passphrase');
    const times = new Map<string, number[]>();
    const time = (name: string, run: () => void) => {
      const start = performance.now();
      run();
      times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
    };
    for (let run = 0; run < RUNS; run++) {
      time('node -e 0', () => start(['-e', '0']));
      for (const [source, { send, recv }] of [
        ['key file', withKey],
        ['passphrase', withPassphrase],
      ] as const) {
        time(`send, ${source}`, send);
        time(`recv, ${source}`, recv);
      }
    }
    const base = median(times.get('node -e 0') ?? []);
    return [...times].map(([name, values]) => ({ name, value: median(values), ratio: median(values) / base }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepare(folder: string, key: readonly string[], home: string) {
  const options = ['--home', join(folder, home), '-q', ...key];
  const pawl = (identity: string, parameters: readonly string[], input?: Uint8Array) =>
    start([PROGRAM, ...options, '-i', identity, ...parameters], input);
  pawl('alice', ['init', 'alice']);
  pawl('bob', ['init', 'bob']);
  pawl('alice', ['add', 'bob'], pawl('bob', ['invite', 'alice']));
  const text = Buffer.alloc(100, 'a');
  pawl('bob', ['recv'], pawl('alice', ['send', 'bob'], text));
  pawl('alice', ['recv'], pawl('bob', ['send', 'alice'], text));
  let envelope: Uint8Array = new Uint8Array();
  return {
    send: () => {
      envelope = pawl('alice', ['send', 'bob'], text);
    },
    recv: () => void pawl('bob', ['recv'], envelope),
  };
}

function start(parameters: readonly string[], input?: Uint8Array): Uint8Array {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { input: input ?? '' });
  if (status !== 0) throw new Error(`${parameters.join(' ')}: ${stderr}`);
  return new Uint8Array(stdout);
}
