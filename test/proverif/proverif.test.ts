import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint, library } from './models.ts';
import { agrees, outcomesOf, readRecord, theftsByQuery } from './record.ts';
import { SCENARIOS } from './scenarios.ts';
import { table, withTable } from './table.ts';
import { exceptions, isNamed, theftsOf } from './thefts.ts';

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

describe.each(SCENARIOS.filter(({ exact }) => exact))('the exceptions of $name', (scenario) => {
  const thefts = recorded[scenario.name]?.thefts ?? {};
  const model = models.model(scenario);
  const claims = Object.entries(scenario.expected).filter(([, expected]) => expected === 'proved');

  it.each(claims.map(([name]) => models.query(name)))('of $name are each enough by itself', ({ text, narrower }) => {
    const others = narrower.filter((one) => !isNamed(thefts[one.name] ?? '', text, one.text));
    expect(others.map(({ name }) => [name, thefts[name]])).toEqual([]);
  });

  it.each(claims.map(([name]) => models.query(name)))('of $name are each asked for', ({ text, narrower }) => {
    const canHappen = (theft: string) => new RegExp(`event ${theft.replace(/\(.*/, '')}\\b[^.]*;`).test(model);
    const possible = exceptions(text).filter((one) => one.every(canHappen));
    expect(narrower.map(({ name }) => thefts[name]).sort()).toEqual(possible.map((one) => one.join(' ')).sort());
  });
});

describe.each(SCENARIOS)('the runs of $name', (scenario) => {
  const run = recorded[scenario.name];
  const asked = Object.entries(models.asked(scenario));

  it('are there: no claim is proved of a model in which nothing happens', () => {
    const equivalence = asked.some(([name]) => models.query(name).text === '');
    const found = asked.filter(([name]) => run?.outcomes[name] === 'false');
    expect(equivalence || found.length > 0).toBe(true);
  });

  it('take no theft for what ought to be possible, nor for an attack on the whole protocol', () => {
    const whole = !scenario.name.startsWith('without-');
    const free = Object.entries(scenario.expected).filter(
      ([, expected]) => expected === 'happens' || (expected === 'attack' && whole),
    );
    expect(free.filter(([name]) => run?.thefts?.[name] !== '')).toEqual([]);
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

describe('the thefts of a run', () => {
  const RUN = [
    'RESULT event(A) ==> event(B) is true.',
    'The event StolenB9 may be executed at {7}.',
    '  A more detailed output of the traces is available with',
    'event StolenB2 at {3}',
    'event Sealed(pk(p),(n_1,pk(p))) at {4} in copy a_1',
    'event Sealed(pk(a),(n_1,pk(c))) at {4} in copy a (goal)',
    'event Box(pk(c)) at {4} in copy a (goal)',
    'event Prekey0(pk(p)) at {5} in copy a',
    'event Seed0(pk(c)) at {5} in copy a',
    'event Quantum0 at {6}',
    'event StolenB2 at {3}',
    'RESULT attacker(t) is false.',
    'RESULT attacker(u) is false.',
  ].join('\n');

  const QUERY = 'query p: point; event(Sealed(p, (n, x))) && event(Box(y)) && attacker(t) ==> false.\n';

  it('are those that happen in it, each once, with their owner as the query names him', () => {
    expect(theftsOf(RUN, QUERY)).toBe('Prekey0(another) Seed0(x) StolenB2');
  });

  it('belong to the query whose run it is', () => {
    const asked = ['one', 'two', 'three', 'four'].map((name) => ({ name, text: QUERY }));
    expect(theftsByQuery(asked, RUN)).toEqual({ two: 'Prekey0(another) Seed0(x) StolenB2', three: '' });
  });

  it('are one exception, whole, that only the wider claim makes', () => {
    const claim = 'query attacker(t) ==> event(StolenA3) || (event(StolenB2) && event(StolenB4)).\n';
    const narrower = 'query attacker(t) ==> event(StolenA3).\n';
    expect(isNamed('StolenB2 StolenB4', claim, narrower)).toBe(true);
    expect(isNamed('StolenB2', claim, narrower)).toBe(false);
    expect(isNamed('StolenA1 StolenB2 StolenB4', claim, narrower)).toBe(false);
    expect(isNamed('StolenA3', claim, narrower)).toBe(false);
    expect(isNamed('', claim, 'query attacker(t) ==> false.\n')).toBe(false);
    expect(isNamed('Seed0(X)', 'query attacker(t) ==> event(Seed0(X)).\n', narrower)).toBe(true);
    expect(isNamed('Seed0(Y)', 'query attacker(t) ==> event(Seed0(X)).\n', narrower)).toBe(false);
  });

  it('stand in a claim beside what is no theft, and in brackets', () => {
    const claim =
      'query x: point; inj-event(Got(x)) ==> inj-event(Sent(id(b, x), (f, x))) || ((event(Kem0(K)) || event(Kem1(K))) && event(Seed1(X))).\n';
    expect(exceptions(claim)).toEqual([
      ['Kem0(K)', 'Seed1(X)'],
      ['Kem1(K)', 'Seed1(X)'],
    ]);
    expect(exceptions('query attacker(t) ==> false.\n')).toEqual([]);
  });
});
