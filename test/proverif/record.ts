import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Expected } from './scenarios.ts';

/** ProVerif's word on a query, or that it was stopped before. */
export type Outcome = 'true' | 'false' | 'cannot be proved' | 'no end';

export interface Run {
  /** Of the model that was run: fingerprint() of models.ts. */
  readonly model: string;
  readonly proverif: string;
  /** How long it took, or after how long it was stopped. */
  readonly seconds: number;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** By the name of the scenario. */
export type Recorded = Readonly<Record<string, Run>>;

export const recordFile = (folder: string): string => join(folder, 'record.json');

export const readRecord = (folder: string): Recorded => JSON.parse(readFileSync(recordFile(folder), 'utf8'));

/** Whether this is what was expected. 'no end' is neither: it is left open, and said in the table. */
export function agrees(outcome: Outcome, expected: Expected): boolean {
  if (outcome === 'no end') return true;
  if (expected === 'proved') return outcome === 'true';
  if (expected === 'not proved') return outcome !== 'true';
  return outcome === 'false';
}

/**
 * @param asked the names of the queries, in the order in which ProVerif answers them
 * @param output all that ProVerif wrote
 */
export function outcomesOf(asked: readonly string[], output: string): Record<string, Outcome> {
  const answers = [...output.matchAll(/^RESULT (?!\().*? (?:is (true|false)|(cannot be proved))[. ]/gm)].map(
    ([, decided, open]) => (decided ?? open) as Outcome,
  );
  return Object.fromEntries(asked.map((name, index) => [name, answers[index] ?? 'no end']));
}
