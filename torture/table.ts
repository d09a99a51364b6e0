/** The report: tables and lines of text. */
import type { Figures } from './crash.ts';
import type { Finding } from './situations.ts';

/** The results of one scene, one line per mode, followed by the violations. */
export function tableOf(figures: readonly Figures[]): string {
  const [first] = figures;
  if (first === undefined) return '';
  const lines = figures.map(({ mode, runs, outcomes, strays, violations }) => {
    const ends = Object.entries(outcomes).map(([outcome, count]) => `${outcome} ×${count}`);
    const remarks = [strays > 0 && `strays ×${strays}`, violations.length > 0 && `VIOLATIONS ×${violations.length}`];
    return `  ${mode.padEnd(12)} ${String(runs).padStart(4)} runs  ${[...ends, ...remarks.filter(Boolean)].join(', ')}`;
  });
  const broken = figures.flatMap(({ mode, violations }) => violations.map((one) => `  ! ${mode}, ${one}`));
  return [`${first.scene} (${first.steps} steps)`, ...lines, ...broken].join('\n');
}

export function totalOf(figures: readonly Figures[], findings: readonly Finding[]): string {
  const runs = figures.reduce((sum, one) => sum + one.runs, 0);
  return `${runs} crash runs, ${findings.length} situations, ${violationsIn(figures, findings)} violations`;
}

export function violationsIn(...all: readonly (readonly (Figures | Finding)[])[]): number {
  return all.flat().reduce((sum, { violations }) => sum + violations.length, 0);
}

export function lineOf({ situation, happened, violations }: Finding): string {
  return [`${situation}: ${happened}`, ...violations.map((one) => `  ! ${one}`)].join('\n');
}
