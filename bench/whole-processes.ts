/** Commands as a shell starts them, in turn with a Node that does nothing and with one that only runs Argon2id. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment } from './home.ts';
import { type Figure, median } from './measure.ts';

const RUNS = 25;
const PROGRAM = join(__dirname, '..', '..', 'bin', 'pawl.js');

export function wholeProcesses(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const withKey = prepare(folder, ['--key-file', join(folder, 'file.key')], 'key');
    writeFileSync(join(folder, 'passphrase.txt'), 'correct horse battery staple', { mode: 0o600 });
    const withPassphrase = prepare(folder, ['--passphrase-file', join(folder, 'passphrase.txt')], 'passphrase');
    const withAgent = prepare(folder, ['--passphrase-file', join(folder, 'passphrase.txt')], 'agent');
    withAgent.unlock();
    const rows: readonly [name: string, run: () => unknown][] = [
      ['node -e 0', () => start(folder, ['-e', '0'])],
      ['node, Argon2id alone', () => start(folder, [join(__dirname, 'argon2id.cjs')])],
      ['--version', () => start(folder, [PROGRAM, '--version'])],
      ['--help', () => start(folder, [PROGRAM, '--help'])],
      ['send, key file', withKey.send],
      ['recv, key file', withKey.recv],
      ['send, passphrase', withPassphrase.send],
      ['recv, passphrase', withPassphrase.recv],
      ['send, unlocked', withAgent.send],
      ['recv, unlocked', withAgent.recv],
    ];
    const times = new Map<string, number[]>(rows.map(([name]) => [name, []]));
    for (let run = 0; run < RUNS; run++) {
      for (const [name, work] of rows) {
        const startedAt = performance.now();
        work();
        times.get(name)?.push(performance.now() - startedAt);
      }
    }
    const base = median(times.get('node -e 0') ?? []);
    return [...times].map(([name, values]) => ({
      name,
      value: median(values),
      ratio: median(values) / base,
      best: Math.min(...values),
    }));
  } finally {
    start(folder, [PROGRAM, 'lock', '-q']);
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepare(folder: string, key: readonly string[], home: string) {
  let options = ['--home', join(folder, home), '-q', ...key];
  const pawl = (identity: string, parameters: readonly string[], input?: Uint8Array) =>
    start(folder, [PROGRAM, ...options, '-i', identity, ...parameters], input);
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
    /** From now on the keys come from agents. */
    unlock: () => {
      for (const identity of ['alice', 'bob']) pawl(identity, ['unlock', '--for', '8h']);
      options = ['--home', join(folder, home), '-q'];
    },
  };
}

/** The input is a file: otherwise Node would give the child a socket, which no shell does. */
function start(folder: string, parameters: readonly string[], text: Uint8Array = new Uint8Array()): Uint8Array {
  const file = join(folder, 'input');
  writeFileSync(file, text);
  const input = openSync(file, 'r');
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    stdio: [input, 'pipe', 'pipe'],
    env: environment(folder),
  });
  closeSync(input);
  if (status !== 0) throw new Error(`${parameters.join(' ')}: ${stderr}`);
  return new Uint8Array(stdout);
}
