/** Runs one command once for each of its steps, with a fault at that step, and checks the laws after each run. */
import { Box } from './box.ts';
import type { FaultMode } from './faults.ts';
import { Laws } from './laws.ts';
import type { Scene } from './scene.ts';
import { type Selection, type Try, triesOf } from './selection.ts';
import { type Ran, type Step, WORKSHOP } from './start.ts';

/** The results of one scene in one mode. */
export interface Figures {
  readonly scene: string;
  readonly mode: string;
  readonly steps: number;
  runs: number;
  /** How often the command ended in which way. */
  readonly outcomes: Record<string, number>;
  /** Runs that left temporary files behind. */
  strays: number;
  readonly violations: string[];
}

/** @returns the results, one for each mode that was run. */
export async function crash(scene: Scene, selection: Selection): Promise<readonly Figures[]> {
  const template = Box.make(WORKSHOP);
  await scene.prepare(template);
  const steps = await countSteps(scene, template);
  const figures = new Map<FaultMode, Figures>();
  for (const mode of selection.modes) {
    figures.set(mode, {
      scene: scene.name,
      mode: mode.name,
      steps: steps.length,
      runs: 0,
      outcomes: {},
      strays: 0,
      violations: [],
    });
  }
  const tries = selection.modes.flatMap((mode) => triesOf(steps, mode, selection));
  await sideBySide(selection.parallel, tries, async (one) => {
    const found = figures.get(one.mode);
    if (found !== undefined) await attempt(scene, template, one, found);
  });
  template.remove();
  return [...figures.values()].filter(({ runs }) => runs > 0);
}

/** One run without a fault, which also has to keep the laws. */
async function countSteps(scene: Scene, template: Box): Promise<readonly Step[]> {
  const box = template.copy(WORKSHOP);
  await scene.arrange?.(box);
  const ran = await box.start(scene.call(box), { step: 0, mode: 'none' });
  const laws = new Laws();
  laws.hold(ran.code === 0, `exit ${ran.code}: ${ran.stderr}`);
  keepsItsLocks(ran, laws);
  await scene.check(box, ran, laws);
  if (laws.broken.length > 0) throw new Error(`${scene.name}, without a fault: ${laws.broken.join('; ')}`);
  box.remove();
  return ran.steps ?? [];
}

async function attempt(scene: Scene, template: Box, { step, at, mode }: Try, figures: Figures): Promise<void> {
  const box = template.copy(WORKSHOP);
  await scene.arrange?.(box);
  const before = new Set(box.files());
  const laws = new Laws();
  const ran = await box.start(scene.call(box), { step, mode: mode.name });
  const outcome = endOf(ran, mode, laws, scene.exits);
  keepsItsLocks(ran, laws);
  const strays = box.files().filter((file) => !before.has(file) && isStray(file));
  // After a kill nothing can be cleaned up, nor where removing fails.
  const excused = mode.ends !== undefined || mode.name === 'dead' || at.does === 'unlink';
  laws.hold(excused || strays.length === 0, `leaves ${strays.join(', ')}`);
  try {
    await scene.check(box, ran, laws);
  } catch (error) {
    laws.broken.push(`the check fails: ${error instanceof Error ? error.stack : error}`);
  }
  figures.runs++;
  figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
  if (strays.length > 0) figures.strays++;
  const where = at.path.replace(template.folder, '').replace(/^.*\/box-[^/]*\//, '');
  if (laws.broken.length > 0) {
    figures.violations.push(
      `step ${step} of ${figures.steps} (${at.does} ${where}), ${outcome}: ${laws.broken.join(' | ')}`,
    );
  }
  box.remove();
}

/** Opening and closing a locked file by its path drops the lock (POSIX), and others may write to it. */
function keepsItsLocks({ unlocked = [] }: Ran, laws: Laws): void {
  laws.hold(unlocked.length === 0, `loses its lock of ${unlocked.join(', ')}`);
}

/** Whether a file is a draft, or a scratch folder. A journal of the identity file is none: SQLite needs it to roll back. */
function isStray(file: string): boolean {
  return /(^|\/)\.pawl-[0-9a-f]{16}(-journal)?$|\.db-draft$|\/pawl-edit-[^/]+$|\/[0-9a-f]{32}\.[0-9a-f]{12}$/.test(
    file,
  );
}

/** Allowed exit codes when the disk fails: success, cannot create, reading or writing failed. */
const FAILED = new Set([0, 73, 74]);

function endOf(
  { code, signal, stderr, steps }: Ran,
  mode: FaultMode,
  laws: Laws,
  exits: readonly number[] = [],
): string {
  if (mode.ends !== undefined) {
    laws.hold(signal === mode.ends, `ends with ${signal ?? code} instead of ${mode.ends} (${steps?.length} steps)`);
    return signal ?? `exit ${code}`;
  }
  laws.hold(
    code !== undefined && (FAILED.has(code) || exits.includes(code)),
    `exit ${code ?? signal}: ${stderr.trim()}`,
  );
  laws.hold(!/\n {4}at /.test(stderr), 'shows a stack trace');
  return `exit ${code ?? signal}`;
}

export async function sideBySide<Item>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const lane = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
