/** The command line of the crash harness: runs the scenes and situations, and reports. */
import { parseArgs } from 'node:util';
import {
  buildFaults,
  crash,
  EVERYTHING,
  type Figures,
  type Finding,
  MODES,
  OUTSIDE,
  parallel,
  readOnly,
  SCENES,
  smallDisks,
  TOGETHER,
  tryOut,
} from './index.ts';
import { lineOf, tableOf, totalOf, violationsIn } from './table.ts';

const { values } = parseArgs({
  options: {
    command: { type: 'string' },
    mode: { type: 'string' },
    every: { type: 'string', default: '1' },
    most: { type: 'string', default: '150' },
    parallel: { type: 'string', default: '2' },
    processes: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
  },
});

async function torture(): Promise<void> {
  const why = buildFaults();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  const { command = '', mode } = values;
  const scenes = SCENES.filter(({ name }) => name.startsWith(command));
  const selection = {
    ...EVERYTHING,
    every: Number(values.every),
    most: Number(values.most),
    parallel: Number(values.parallel),
    modes: MODES.filter(({ name }) => mode === undefined || name.startsWith(mode)),
  };
  const all: Figures[] = [];
  for (const scene of scenes) {
    const figures = await crash(scene, selection);
    all.push(...figures);
    console.log(values.json ? JSON.stringify(figures) : tableOf(figures));
  }
  const findings: Finding[] = [];
  const situations = [
    ...parallel(Number(values.processes)),
    ...TOGETHER,
    ...OUTSIDE,
    ...smallDisks(SCENES),
    ...readOnly(SCENES),
  ];
  for (const situation of situations) {
    if (!situation.name.includes(command)) continue;
    const finding = await tryOut(situation);
    console.log(values.json ? JSON.stringify(finding) : lineOf(finding));
    findings.push(finding);
  }
  console.log(totalOf(all, findings));
  if (violationsIn(all, findings) > 0) process.exitCode = 1;
}

// Exiting removes the temporary folder also after a signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
void torture();
