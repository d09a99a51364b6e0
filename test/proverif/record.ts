import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Query } from './models.ts';
import type { Expected } from './scenarios.ts';
import { theftsOf } from './thefts.ts';

/** ProVerif's word on a query, or that it was stopped before. */
export type Outcome = 'true' | 'false' | 'cannot be proved' | 'no end';

export interface Run {
  /** Of the model that was run: fingerprint() of models.ts. */
  readonly model: string;
  readonly proverif: string;
  /** How long it took, or after how long it was stopped. */
  readonly seconds: number;
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** By query that is false: theftsOf() the run that ProVerif found. Not there in records from before these were kept. */
  readonly thefts?: Readonly<Record<string, string>>;
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

const ANSWER = /^RESULT (?!\().*? (?:is (true|false)|(cannot be proved))[. ]/gm;

/**
 * @param asked the names of the queries, in the order in which ProVerif answers them
 * @param output all that ProVerif wrote
 */
export function outcomesOf(asked: readonly string[], output: string): Record<string, Outcome> {
  const answers = [...output.matchAll(ANSWER)].map(([, decided, open]) => (decided ?? open) as Outcome);
  return Object.fromEntries(asked.map((name, index) => [name, answers[index] ?? 'no end']));
}

/** The thefts of each query that is false: theftsOf(). The parameters are those of outcomesOf(), but for the queries' texts. */
export function theftsByQuery(asked: readonly Pick<Query, 'name' | 'text'>[], output: string): Record<string, string> {
  const ends = [...output.matchAll(ANSWER)].map(({ index }) => index);
  const names = asked.map(({ name }) => name);
  const outcomes = outcomesOf(names, output);
  const read = asked.map(
    ({ name, text }, at) => [name, theftsOf(output.slice(ends[at - 1] ?? 0, ends[at]), text)] as const,
  );
  return Object.fromEntries(read.filter(([name]) => outcomes[name] === 'false'));
}
