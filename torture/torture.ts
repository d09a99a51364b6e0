import { parseArgs } from 'node:util';
import { crash, EVERYTHING, type Figures } from './crash.ts';
import { MODES } from './faults.ts';
import { KEEPING } from './scenes/keeping.ts';
import { RECEIVING } from './scenes/receiving.ts';
import { SENDING } from './scenes/sending.ts';
import { buildFaults } from './start.ts';
import { tableOf, totalOf } from './table.ts';

const { values } = parseArgs({
  options: {
    command: { type: 'string' },
    mode: { type: 'string' },
    every: { type: 'string', default: '1' },
    most: { type: 'string', default: '150' },
    parallel: { type: 'string', default: '3' },
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
  const scenes = [...KEEPING, ...SENDING, ...RECEIVING].filter(({ name }) => name.startsWith(command));
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
  console.log(totalOf(all));
  if (all.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}

void torture();
