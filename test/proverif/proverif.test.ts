import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint, library } from './models.ts';
import { agrees, outcomesOf, readRecord } from './record.ts';
import { SCENARIOS } from './scenarios.ts';
import { table, withTable } from './table.ts';

const FOLDER = import.meta.dirname;
const models = library(FOLDER);
const recorded = readRecord(FOLDER);

describe.each(SCENARIOS)('the record of $name', (scenario) => {
  const run = recorded[scenario.name];
  const asked = models.asked(scenario);

  it('is of the model that is here', () => {
    expect(run?.model).toBe(fingerprint(models.model(scenario)));
    expect(run?.proverif).toMatch(/^\d+\.\d+$/);
  });

  it('has the outcome of each query, and it is the expected one, or none', () => {
    const outcomes = run?.outcomes ?? {};
    expect(Object.keys(outcomes)).toEqual(Object.keys(asked));
    const others = Object.entries(asked).filter(([name, expected]) => !agrees(outcomes[name] ?? 'no end', expected));
    expect(others).toEqual([]);
  });
});

it('no scenario has the name of another, and the record has no other', () => {
  const names = SCENARIOS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(recorded)).toEqual(names);
});

it('every query is asked', () => {
  const asked = new Set(SCENARIOS.flatMap((scenario) => Object.keys(models.asked(scenario))));
  expect(models.queries.filter(({ name }) => !asked.has(name)).map(({ name }) => name)).toEqual([]);
});

it('every piece is used', () => {
  const unused = (folder: string, used: readonly string[]) =>
    readdirSync(join(FOLDER, folder)).filter((file) => !used.includes(file.replace('.pvl', '')));
  expect(
    unused(
      'models',
      SCENARIOS.flatMap(({ pieces }) => pieces),
    ),
  ).toEqual([]);
  expect(
    unused(
      'without',
      SCENARIOS.flatMap(({ without }) => without ?? []),
    ),
  ).toEqual([]);
});

it('the table in the document is that of the record', () => {
  const document = readFileSync(join(FOLDER, '..', '..', 'docs', 'security-argument.md'), 'utf8');
  expect(withTable(document, table(models, recorded))).toBe(document);
});

it('what ProVerif says is read in the order of the queries', () => {
  const output = [
    'RESULT event(A(x)) ==> event(B(x)) is true.',
    'RESULT inj-event(A(x)) ==> inj-event(B(x)) is false.',
    'RESULT (but event(A(x)) ==> event(B(x)) is true.)',
    'RESULT attacker(t) ==> event(C) cannot be proved.',
  ].join('\n');
  expect(outcomesOf(['one', 'two', 'three', 'four'], output)).toEqual({
    one: 'true',
    two: 'false',
    three: 'cannot be proved',
    four: 'no end',
  });
});

it('nothing passes that is not as expected', () => {
  expect(agrees('false', 'proved')).toBe(false);
  expect(agrees('true', 'attack')).toBe(false);
  expect(agrees('true', 'happens')).toBe(false);
  expect(agrees('true', 'not proved')).toBe(false);
  expect(agrees('cannot be proved', 'proved')).toBe(false);
});
