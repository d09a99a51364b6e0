/** Medians, timers and the tables that are printed. */

/** One line of a table. */
export interface Figure {
  readonly name: string;
  /** The median, where there are several runs. */
  readonly value: number;
  readonly ratio?: number;
  /** The smallest of all runs. */
  readonly best?: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The median time in µs of one call, over `rounds` rounds of `calls` calls, after one round to warm up. */
export function microseconds(calls: number, rounds: number, call: () => void): number {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call();
    times.push(Number(process.hrtime.bigint() - start) / calls / 1_000);
  }
  return median(times.slice(1));
}

export async function asyncMicroseconds(calls: number, rounds: number, call: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await call();
    times.push(Number(process.hrtime.bigint() - start) / calls / 1_000);
  }
  return median(times.slice(1));
}

export function print(title: string, figures: readonly Figure[]): void {
  process.stdout.write(`\n${title}\n`);
  const numeral = (value: number) => value.toFixed(value < 1_000 ? 1 : 0);
  for (const { name, value, ratio, best } of figures) {
    const times = ratio === undefined ? '' : `   ${ratio.toFixed(2)} ×`;
    const atBest = best === undefined ? '' : `   at best ${numeral(best)}`;
    process.stdout.write(`  ${name.padEnd(40)}${numeral(value).padStart(9)}${times.padEnd(11)}${atBest}\n`);
  }
}
