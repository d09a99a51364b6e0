/** Runs pawl on each large input as a process, and checks its time and memory against limits. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Dice } from './dice.ts';
import { largeInputs } from './large-inputs.ts';
import { type Office, openOffice } from './office.ts';

const MIB = 2 ** 20;
/** Bytes allowed above the peak of a run with empty input, plus `MEMORY_PER_BYTE` for each byte of input. */
const MEMORY = 50 * MIB;
const MEMORY_PER_BYTE = 8;
const MILLISECONDS_PER_MIB = 2_000;

/** The exit code of an unknown error. */
const BUG = 1;

interface Cost {
  readonly exit: number | null;
  /** Processor time, which does not depend on the load of the machine. */
  readonly milliseconds: number;
  /** Bytes. */
  readonly peak: number;
  readonly said: string;
}

const RECV = ['recv'];
/** Other commands that read envelopes: run on the inputs with many real or apparent ones. */
const OTHERS = [
  ['add', 'x'],
  ['inspect', '--envelope', '-'],
];
const MANY = /^[0-9]+ MiB of|^[0-9]+ MB of|^[0-9]+,000/;

/** @returns how many runs exceeded a limit or ended with a bug. */
export async function measureLarge(seed: string): Promise<number> {
  const office = await openOffice(new Dice(`${seed}/large`), Date.now());
  try {
    const inputs = await largeInputs(new Dice(`${seed}/large inputs`), office);
    const { peak: baseline } = run(office, RECV, new Uint8Array());
    let violations = 0;
    process.stdout.write('\ninput MB     CPU ms   MB above Node    allowed   exit\n');
    for (const [name, input] of inputs) {
      for (const command of MANY.test(name) ? [RECV, ...OTHERS] : [RECV]) {
        const cost = run(office, command, input);
        const problem = problemOf(cost, input.length, baseline);
        if (problem !== undefined) violations++;
        const above = cost.peak - baseline;
        const figures = [input.length / 1e6, cost.milliseconds, above / 1e6, allowed(input.length) / 1e6]
          .map((value) => value.toFixed(1).padStart(8))
          .join('   ');
        process.stdout.write(`${figures}   ${cost.exit}   ${command[0]}, ${name}\n`);
        if (problem !== undefined) process.stdout.write(`  VIOLATION: ${problem}\n`);
      }
    }
    return violations;
  } finally {
    office.close();
  }
}

function allowed(bytes: number): number {
  return MEMORY + MEMORY_PER_BYTE * bytes;
}

function problemOf({ exit, milliseconds, peak, said }: Cost, bytes: number, baseline: number): string | undefined {
  if (exit === null || exit === BUG) return `it did not end well: ${said}`;
  if (peak - baseline > allowed(bytes)) return 'memory';
  return milliseconds > MILLISECONDS_PER_MIB * Math.max(1, bytes / MIB) ? 'time' : undefined;
}

function run({ desk, folder }: Office, command: readonly string[], input: Uint8Array): Cost {
  const { status, output, stderr, signal } = spawnSync(
    process.execPath,
    [join(__dirname, 'child.cjs'), ...desk.optionsFor('bob'), ...command],
    {
      input,
      env: { XDG_STATE_HOME: join(folder, 'state') },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      maxBuffer: 1_024 * MIB,
      timeout: 300_000,
    },
  );
  const said = `${signal ?? ''} ${stderr.subarray(-300)}`;
  const told = String(output[3] ?? '');
  const { milliseconds, peak } = told === '' ? { milliseconds: Number.POSITIVE_INFINITY, peak: 0 } : JSON.parse(told);
  return { exit: status, milliseconds, peak, said };
}
