/** The memory of whole processes that receive many large files: that of one, however many they are. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'pawl.js');
const FILES = 6;
const BYTES = 16_000_000;
/** Beside Node itself, in bytes. Each file that is held too long adds 16 MB, and most are held several times. */
const MOST = 120e6;

/** On Linux a process inherits `maxRSS` of its parent, but not VmHWM. */
const PEAK = String.raw`process.on('exit', () => {
  const fs = require('node:fs');
  const status = fs.existsSync('/proc/self/status') ? fs.readFileSync('/proc/self/status', 'latin1') : '';
  const kib = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? process.resourceUsage().maxRSS);
  fs.writeFileSync('peak', String(kib * 1024));
})`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pawl-memory-'));
  writeFileSync(join(folder, 'peak.cjs'), PEAK);
  shell(`
    P="$NODE $PAWL --home . --key-file key -q"
    $P init alice; $P init bob
    $P -i bob invite alice | $P -i alice add bob
    $P -i alice send bob -m hi | $P -i bob recv
    mkdir taken
    for n in 1 2 3 4 5 6; do
      head -c ${BYTES} /dev/urandom > $n.bin; echo > taken/$n.bin
      $P -i alice send bob $n.bin -o $n.pawl
    done`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(script: string): void {
  const env = { PATH: process.env.PATH, XDG_STATE_HOME: folder, NODE: process.execPath, PAWL: PROGRAM };
  const { status, stderr } = spawnSync('sh', ['-ec', script], { cwd: folder, env });
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
}

/** The peak of a command's memory above that of an empty Node, in bytes. */
function peakOf(command: string): number {
  const peak = (script: string) => {
    shell(script);
    return Number(spawnSync('cat', ['peak'], { cwd: folder }).stdout);
  };
  return peak(`$NODE -r ./peak.cjs ${command}`) - peak('$NODE -r ./peak.cjs -e 0');
}

const recv = (what: string) => `$PAWL --home . --key-file key -q -i bob recv ${what}`;

describe('receiving many large files', () => {
  it('takes the memory of one: first they wait, as their names are taken, then each is delivered', () => {
    expect(peakOf(`${recv('*.pawl --out-dir taken')} 2> /dev/null || test $? = 73`)).toBeLessThan(MOST);
    expect(peakOf(recv('--waiting > all'))).toBeLessThan(MOST);
    expect(statSync(join(folder, 'all')).size).toBe(FILES * BYTES);
  });

  it('with -o too, whose file has all of them at once', () => {
    shell(`P="$NODE $PAWL --home . --key-file key -q"
      for n in 1 2 3 4 5 6; do $P -i alice send bob $n.bin -o $n.pawl --force; done`);
    expect(peakOf(recv('*.pawl -o one'))).toBeLessThan(MOST);
    expect(statSync(join(folder, 'one')).size).toBe(FILES * BYTES);
    expect(readdirSync(folder).filter((name) => name.startsWith('.pawl-'))).toEqual([]);
  });
});
