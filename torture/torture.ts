/** The command line of the crash harness: runs the scenes and situations, and reports. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ALL_STEPS,
  buildFaults,
  crash,
  EVERYTHING,
  type Figures,
  type Finding,
  failingPlaces,
  IN_DATABASE,
  MODES,
  MOVING,
  OUTSIDE,
  onWire,
  PostgresServer,
  parallel,
  readOnly,
  SCENES,
  SERVERS,
  type Situation,
  STANDBYS,
  sideBySide,
  smallDisks,
  TOGETHER,
  tryOut,
  twoHosts,
} from './index.ts';
import { lineOf, tableOf, totalOf, violationsIn } from './table.ts';

const { values } = parseArgs({
  options: {
    command: { type: 'string', default: '' },
    mode: { type: 'string', default: '' },
    every: { type: 'string', default: '1' },
    most: { type: 'string', default: '150' },
    parallel: { type: 'string', default: '2' },
    processes: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
    // Only this one of `inProcesses`, in a process that another one of the harness has forked.
    only: { type: 'string' },
  },
});

/** What was found by a scene, or in a situation. */
interface Found {
  readonly figures: readonly Figures[];
  readonly findings: readonly Finding[];
}

interface Work {
  readonly name: string;
  readonly run: () => Promise<Found>;
}

/** Of two hosts that use one identity. */
const ROUNDS = 40;
const EVERY = Number(values.every);
const DATABASE_SCENES = [...IN_DATABASE, ...MOVING];

/**
 * What takes longest has a process of its own: the checks take as long as the runs, and one process checks on one core. Those
 * that mostly wait for a server go first, beside scenes that use a core.
 */
function inProcesses(): readonly Work[] {
  const modes = MODES.filter((mode) => mode.name.startsWith(values.mode));
  const selection = { ...EVERYTHING, every: EVERY, most: Number(values.most), modes };
  const scenes = [...SCENES, ...DATABASE_SCENES].filter(({ name }) => name.startsWith(values.command));
  const small = DATABASE_SCENES.filter(({ large }) => !large);
  const steps = { ...ALL_STEPS, most: Math.ceil(ALL_STEPS.most / EVERY) };
  const work = (situation: Situation): Work => ({ name: situation.name, run: () => foundIn(situation) });
  return [
    ...chosen([...failingPlaces(EVERY), twoHosts(Math.ceil(ROUNDS / EVERY))]).map(work),
    ...scenes.map((scene) => ({
      name: scene.name,
      run: async () => ({ figures: await crash(scene, selection), findings: [] }),
    })),
    ...chosen(onWire(small, steps)).map(work),
  ];
}

function chosen(situations: readonly Situation[]): readonly Situation[] {
  return situations.filter(({ name }) => name.includes(values.command));
}

async function foundIn(situation: Situation): Promise<Found> {
  return { figures: [], findings: [await tryOut(situation)] };
}

async function torture(): Promise<void> {
  const why = buildFaults();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  if (!PostgresServer.isHere) console.log('skipped: all with a database, as there is no PostgreSQL here');
  const figures: Figures[] = [];
  const findings: Finding[] = [];
  const report = (found: Found) => {
    figures.push(...found.figures);
    findings.push(...found.findings);
    if (found.figures.length > 0) console.log(values.json ? JSON.stringify(found.figures) : tableOf(found.figures));
    for (const one of found.findings) console.log(values.json ? JSON.stringify(one) : lineOf(one));
  };
  await sideBySide(Number(values.parallel), inProcesses(), async ({ name }) => report(await inProcess(name)));
  const situations = [
    ...parallel(Number(values.processes)),
    ...TOGETHER,
    ...OUTSIDE,
    ...smallDisks(SCENES),
    ...readOnly(SCENES),
    ...STANDBYS,
    ...SERVERS,
  ];
  for (const situation of chosen(situations)) report(await foundIn(situation));
  console.log(totalOf(figures, findings));
  if (violationsIn(figures, findings) > 0) process.exitCode = 1;
}

/** This file as run.mjs bundles it. */
const HARNESS = join(import.meta.dirname, '..', 'dist', 'torture', 'torture.cjs');

function inProcess(name: string): Promise<Found> {
  const child = fork(HARNESS, [...process.argv.slice(2), '--only', name]);
  return new Promise((resolve, reject) => {
    child.on('message', (found) => resolve(found as Found));
    child.on('close', (code, signal) => reject(new Error(`${name}: the harness ended with ${signal ?? code}`)));
  });
}

async function runOnly(name: string): Promise<void> {
  const end = () => process.exit(1);
  // Where the process that forked this one ends first.
  process.once('disconnect', end);
  const why = buildFaults();
  const work = inProcesses().find((one) => one.name === name);
  if (why !== undefined || work === undefined) throw new Error(why ?? `there is no scene "${name}"`);
  const found = await work.run();
  process.off('disconnect', end);
  process.send?.(found, () => process.disconnect());
}

// Exiting removes the temporary folder also after a signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
void (values.only === undefined ? torture() : runOnly(values.only));
