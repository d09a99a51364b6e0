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
    // Only this scene, in a process that another one of the harness has forked.
    scene: { type: 'string' },
  },
});

const ALL_SCENES = [...SCENES, ...IN_DATABASE, ...MOVING];
/** Of two hosts that use one identity. */
const ROUNDS = 40;

async function torture(): Promise<void> {
  const why = buildFaults();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  if (!PostgresServer.isHere) console.log('skipped: all with a database, as there is no PostgreSQL here');
  const all: Figures[] = [];
  const scenes = ALL_SCENES.filter(({ name }) => name.startsWith(values.command));
  await sideBySide(Number(values.parallel), scenes, async ({ name }) => {
    const figures = await inProcess(name);
    all.push(...figures);
    console.log(values.json ? JSON.stringify(figures) : tableOf(figures));
  });
  const findings: Finding[] = [];
  const situations = [
    ...parallel(Number(values.processes)),
    ...TOGETHER,
    ...OUTSIDE,
    ...failingPlaces(Number(values.every)),
    ...smallDisks(SCENES),
    ...readOnly(SCENES),
    ...SERVERS,
    twoHosts(Math.ceil(ROUNDS / Number(values.every))),
    ...onWire(
      [...IN_DATABASE, ...MOVING].filter(({ large }) => !large),
      { ...ALL_STEPS, most: Math.ceil(ALL_STEPS.most / Number(values.every)) },
    ),
  ];
  for (const situation of situations) {
    if (!situation.name.includes(values.command)) continue;
    const finding = await tryOut(situation);
    console.log(values.json ? JSON.stringify(finding) : lineOf(finding));
    findings.push(finding);
  }
  console.log(totalOf(all, findings));
  if (violationsIn(all, findings) > 0) process.exitCode = 1;
}

/** This file as run.mjs bundles it. */
const HARNESS = join(import.meta.dirname, '..', 'dist', 'torture', 'torture.cjs');

/** Runs a scene in a process of its own: its checks take as long as the runs, and one process checks on one core. */
function inProcess(scene: string): Promise<readonly Figures[]> {
  const child = fork(HARNESS, [...process.argv.slice(2), '--scene', scene]);
  return new Promise((resolve, reject) => {
    child.on('message', (figures) => resolve(figures as readonly Figures[]));
    child.on('close', (code, signal) => reject(new Error(`${scene}: the harness ended with ${signal ?? code}`)));
  });
}

async function runScene(name: string): Promise<void> {
  const end = () => process.exit(1);
  // Where the process that forked this one ends first.
  process.once('disconnect', end);
  const why = buildFaults();
  const scene = ALL_SCENES.find((one) => one.name === name);
  if (why !== undefined || scene === undefined) throw new Error(why ?? `there is no scene "${name}"`);
  const figures = await crash(scene, {
    ...EVERYTHING,
    every: Number(values.every),
    most: Number(values.most),
    parallel: 2,
    modes: MODES.filter((mode) => mode.name.startsWith(values.mode)),
  });
  process.off('disconnect', end);
  process.send?.(figures, () => process.disconnect());
}

// Exiting removes the temporary folder also after a signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
void (values.scene === undefined ? torture() : runScene(values.scene));
