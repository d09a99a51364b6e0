/**
 * Runs ProVerif on the models: npm run prove -- [SCENARIO…] [--quick] [--record] [--trace] [--limit SECONDS]
 * or prints a model, or writes the table of docs/security-argument.md: --print SCENARIO, --table.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fingerprint, library } from './models.ts';
import { agrees, outcomesOf, type Recorded, type Run, readRecord, recordFile, theftsByQuery } from './record.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { table, withTable } from './table.ts';

const FOLDER = join('test', 'proverif');
const DOCUMENT = join('docs', 'security-argument.md');
const PROVERIF = process.env.PROVERIF ?? 'proverif';
/** With --quick, those that took at most this many seconds. */
const QUICK = 20;

const models = library(FOLDER);

export function main(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      table: { type: 'boolean', default: false },
      print: { type: 'boolean', default: false },
      limit: { type: 'string', default: '600' },
    },
  });
  const recorded = readRecord(FOLDER);
  const unknown = positionals.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined)
    return refuse(`there is no scenario ${unknown}`, `one of ${SCENARIOS.map((one) => one.name).join(', ')}`);
  const chosen = SCENARIOS.filter((one) => positionals.length === 0 || positionals.includes(one.name)).filter(
    (one) => !values.quick || isQuick(recorded[one.name]),
  );
  if (values.print) {
    for (const scenario of chosen) process.stdout.write(models.model(scenario));
    return 0;
  }
  if (values.table) {
    writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), table(models, recorded)));
    return 0;
  }
  const version = /Proverif ([\d.]+)\./.exec(spawnSync(PROVERIF, ['-help'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  if (version === undefined)
    return refuse(
      `there is no ProVerif: ${PROVERIF}`,
      'install it (https://bblanche.gitlabpages.inria.fr/proverif/), or PROVERIF=/path/to/proverif npm run prove',
    );
  let failed = 0;
  for (const scenario of chosen) {
    const { run, output } = prove(scenario, version, Number(values.limit));
    if (values.trace) process.stdout.write(output);
    const error = /^(?:Error|File).*error.*$/im.exec(output)?.[0];
    if (error !== undefined) return refuse(`ProVerif refuses ${scenario.name}: ${error}`, '--print shows the model');
    failed += report(scenario, run);
    if (values.record) write(scenario, run);
  }
  return failed === 0 ? 0 : 1;
}

const isQuick = (run: Run | undefined) =>
  run !== undefined && run.seconds <= QUICK && !Object.values(run.outcomes).includes('no end');

function prove(scenario: Scenario, proverif: string, limit: number): { run: Run; output: string } {
  const model = models.model(scenario);
  const folder = mkdtempSync(join(tmpdir(), 'pawl-prove-'));
  try {
    const file = join(folder, `${scenario.name}.pv`);
    writeFileSync(file, model);
    const start = Date.now();
    const { stdout, stderr } = spawnSync(PROVERIF, [file], {
      encoding: 'utf8',
      timeout: limit * 1000,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 30,
    });
    const seconds = Math.ceil((Date.now() - start) / 1000);
    const asked = Object.keys(models.asked(scenario));
    const run = {
      model: fingerprint(model),
      proverif,
      seconds,
      outcomes: outcomesOf(asked, stdout),
      thefts: theftsByQuery(asked.map(models.query), stdout),
    };
    return { run, output: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Says what came out; gives how many outcomes are not as expected. */
function report(scenario: Scenario, run: Run): number {
  console.log(`${scenario.name}, ${run.seconds} s`);
  let failed = 0;
  for (const [query, outcome] of Object.entries(run.outcomes)) {
    const expected = models.asked(scenario)[query];
    const fine = expected !== undefined && agrees(outcome, expected);
    if (!fine) failed += 1;
    console.log(`  ${fine ? ' ' : '!'} ${query}: ${outcome} (expected: ${expected})`);
  }
  return failed;
}

/** Each run is written as soon as it is there, so that one that is stopped loses nothing of the others. */
function write(scenario: Scenario, run: Run): void {
  const recorded: Recorded = { ...readRecord(FOLDER), [scenario.name]: run };
  const kept = SCENARIOS.flatMap(({ name }) => (recorded[name] === undefined ? [] : [[name, recorded[name]]]));
  writeFileSync(recordFile(FOLDER), `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
}

function refuse(sentence: string, hint: string): number {
  console.error(`error: ${sentence}\nhint: ${hint}`);
  return 1;
}
