/** The command line of the fuzzer: generated inputs for every target, then with `--large` the large ones. */
import { parseArgs } from 'node:util';
import { fuzz, type Result, shareOf, TARGETS } from './fuzz.ts';
import { measureLarge } from './large.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
      large: { type: 'boolean', default: false },
    },
  });
  const chosen = TARGETS.filter(({ name }) => values.target === undefined || new RegExp(values.target).test(name));
  print('target             ', 'inputs', 'accepted', 'seconds', '   slowest', 'violations');
  let [inputs, violations] = [0, 0];
  for (const target of chosen) {
    const result = await fuzz(target, shareOf(target, Number(values.inputs)), values.seed);
    tell(result);
    inputs += result.inputs;
    violations += result.violations.length;
  }
  process.stdout.write(`\n${inputs} inputs, seed ${values.seed}, ${violations} violations\n`);
  if (values.large) violations += await measureLarge(values.seed);
  process.exitCode = violations === 0 ? 0 : 1;
}

function tell({ target, inputs, accepted, refused, seconds, slowest, violations }: Result): void {
  const took = `${slowest.milliseconds.toFixed(1)} ms (${slowest.bytes} B)`;
  print(target.padEnd(19), String(inputs), String(accepted), seconds.toFixed(1), took, String(violations.length));
  const codes = [...refused].sort(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}`);
  process.stdout.write(`    ${codes.join(', ')}\n`);
  for (const { index, problem, input } of violations) {
    const shown = Buffer.from(input).toString('base64').slice(0, 400);
    process.stdout.write(`  VIOLATION at input ${index}, ${input.length} B when minimised: ${shown}\n${problem}\n`);
  }
}

function print(...columns: readonly string[]): void {
  process.stdout.write(`${columns.map((column) => column.padStart(9)).join('  ')}\n`);
}

void main();
