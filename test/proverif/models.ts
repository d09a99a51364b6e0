import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Expected, Scenario } from './scenarios.ts';

export interface Query {
  readonly name: string;
  /** What it says, in English. */
  readonly claim: string;
  /** ProVerif's; empty where the model itself is the question, whether its two sides can be told apart. */
  readonly text: string;
  /** The same without one of its exceptions, or without any: each must be false, or the claim is wider than it need be. */
  readonly narrower: readonly Query[];
}

/** The pieces that models are made of, and the queries. */
export interface Library {
  /** @throws if there is none of this name, or it replaces a line that is not there. */
  model(scenario: Scenario): string;
  /** @throws if there is none of this name. */
  query(name: string): Query;
  readonly queries: readonly Query[];
  /** Every query of a scenario, in the order in which it is asked. */
  asked(scenario: Scenario): Readonly<Record<string, Expected>>;
}

/** @param folder the path of this folder. */
export function library(folder: string): Library {
  const queries = new Map<string, Query>();
  for (const file of readdirSync(join(folder, 'queries')).sort())
    for (const one of parseQueries(readFileSync(join(folder, 'queries', file), 'utf8'))) queries.set(one.name, one);
  const piece = (kind: string, name: string) => readFileSync(join(folder, kind, `${name}.pvl`), 'utf8');

  function query(name: string): Query {
    const found = queries.get(name);
    if (found === undefined) throw new Error(`there is no query ${name}`);
    return found;
  }

  function asked(scenario: Scenario): Record<string, Expected> {
    const all = Object.entries(scenario.expected).flatMap(([name, expected]) => {
      const narrower = scenario.exact && expected === 'proved' ? query(name).narrower : [];
      return [[name, expected] as const, ...narrower.map((one) => [one.name, 'attack'] as const)];
    });
    return Object.fromEntries(all);
  }

  function model(scenario: Scenario): string {
    const whole = scenario.pieces.map((name) => piece('models', name)).join('\n');
    const taken = (scenario.without ?? []).flatMap((name) => piece('without', name).trimEnd().split('\n'));
    const changed = taken.reduce(replaced, whole);
    const texts = Object.keys(asked(scenario)).map((name) => query(name).text);
    const process = changed.lastIndexOf('\nprocess');
    return `${changed.slice(0, process)}\n${together(texts)}\n${changed.slice(process)}`;
  }

  return { asked, model, query, queries: [...queries.values()] };
}

/** `(* name: claim *)`, then the query, up to an empty line. A claim that begins with "…" is a narrower one of that before it. */
function parseQueries(text: string): Query[] {
  const claims: (Query & { narrower: Query[] })[] = [];
  const all: Query[] = [];
  for (const found of text.matchAll(/^\(\* ([\w-]+): (.+?) \*\)\n((?:[^(\n].*\n)*)/gm)) {
    const [, name = '', claim = '', query = ''] = found;
    const one = { name, claim, text: query, narrower: [] };
    if (claim.startsWith('…')) claims.at(-1)?.narrower.push(one);
    else claims.push(one);
    all.push(one);
  }
  return all;
}

/**
 * Queries that have no variables are asked as one: ProVerif then works once for all, and keeps the thefts that each of them names
 * apart, so that its runs have no theft too many.
 */
function together(texts: readonly string[]): string {
  if (!texts.every((text) => /^query \w+\(/.test(text))) return texts.join('\n');
  return `query ${texts.map((text) => text.replace(/^query /, '').replace(/\.\n$/, '')).join(';\n')}.\n`;
}

/** A model in which the definition of this name is another. */
function replaced(whole: string, line: string): string {
  const head = /^letfun \w+\(/.exec(line)?.[0];
  const old = whole.split('\n').find((one) => head !== undefined && one.startsWith(head));
  if (old === undefined) throw new Error(`nothing to replace by: ${line}`);
  return whole.replace(old, () => line);
}

/** SHA-256 in hex: which model a recorded outcome is of. */
export const fingerprint = (model: string): string => createHash('sha256').update(model).digest('hex');
