import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Dice } from './dice.ts';
import { largeInputs } from './large-inputs.ts';
import { type Office, openOffice } from './office.ts';

const MIB = 2 ** 20;
/** Above what Node itself takes. */
const MEMORY = 50 * MIB;
const MEMORY_PER_BYTE = 8;
const MILLISECONDS_PER_MIB = 2_000;

interface Cost {
  readonly exit: number | null;
  readonly milliseconds: number;
  /** Bytes. */
  readonly peak: number;
  readonly said: string;
}

/** `pawl recv` on each large input, in a process of its own. @returns how many took too much, or ended by a bug. */
export async function measureLarge(seed: string): Promise<number> {
  const office = await openOffice(new Dice(`${seed}/large`), Date.now());
  try {
    const inputs = await largeInputs(new Dice(`${seed}/large inputs`), office);
    let baseline: number | undefined;
    let violations = 0;
    process.stdout.write(`\npawl recv, large inputs${' '.repeat(22)}input MB        ms   MB above Node  allowed  exit\n`);
    for (const [name, input] of inputs) {
      const { exit, milliseconds, peak, said } = recv(office, input);
      baseline ??= peak;
      const above = peak - baseline;
      const allowed = MEMORY + MEMORY_PER_BYTE * input.length;
      const slow = milliseconds > MILLISECONDS_PER_MIB * Math.max(1, input.length / MIB);
      const bad = slow || above > allowed || exit === null || exit === 1;
      if (bad) violations++;
      const figures = [input.length / 1e6, milliseconds, above / 1e6, allowed / 1e6].map((value) => value.toFixed(1).padStart(9));
      process.stdout.write(`  ${name.slice(0, 42).padEnd(42)}${figures.join('  ')}   ${exit}${bad ? `  VIOLATION ${said}` : ''}\n`);
    }
    return violations;
  } finally {
    office.close();
  }
}

function recv({ desk, folder }: Office, input: Uint8Array): Cost {
  const { status, output, stderr, signal } = spawnSync(
    process.execPath,
    [join(__dirname, 'child.cjs'), ...desk.optionsFor('bob'), 'recv'],
    {
      input,
      env: { XDG_STATE_HOME: join(folder, 'state') },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      maxBuffer: 1_024 * MIB,
      timeout: 120_000,
    },
  );
  const said = `${signal ?? ''} ${stderr.subarray(-300)}`;
  const told = String(output[3] ?? '');
  const { milliseconds, peak } = told === '' ? { milliseconds: Number.POSITIVE_INFINITY, peak: 0 } : JSON.parse(told);
  return { exit: status, milliseconds, peak, said };
}
