/**
 * Runs one command on a database once for each message between it and the server, with a fault at that message, and checks
 * the laws after each run.
 */
import { Box, type RemoteHome } from './box.ts';
import { sideBySide } from './crash.ts';
import { Laws } from './laws.ts';
import { Database } from './postgres.ts';
import { type Break, PostgresRelay, type Step } from './postgres-relay.ts';
import type { Scene } from './scene.ts';
import type { Situation } from './situations.ts';
import { type Ran, WORKSHOP } from './start.ts';

/** What is done at a message, apart from what the relay does with the connection. */
type Victim = 'client' | 'backend' | 'server' | undefined;

interface WireFault {
  readonly name: string;
  readonly does: Break['does'];
  readonly victim: Victim;
  /** Only at a COMMIT: until it is given up, it takes half a minute. */
  readonly isSlow: boolean;
  /** Other runs on the same server would see it. */
  readonly isAlone: boolean;
}

const quick = { isSlow: false, isAlone: false };

export const WIRE_FAULTS: readonly WireFault[] = [
  { name: 'the client is killed', does: 'cut', victim: 'client', ...quick },
  { name: 'the connection is cut', does: 'cut', victim: undefined, ...quick },
  { name: 'nobody gets through any more', does: 'shut', victim: undefined, ...quick, isSlow: true },
  { name: 'an answer never comes', does: 'hold', victim: undefined, ...quick, isSlow: true },
  { name: 'the process of the server is killed', does: 'go', victim: 'backend', ...quick, isAlone: true },
  { name: 'the server crashes', does: 'go', victim: 'server', ...quick, isAlone: true },
];

/** Where a command meets the faults: at most so many steps for each, evenly spread, and COMMITs besides. */
export interface WireSelection {
  readonly most: number;
  readonly mostAlone: number;
  readonly mostSlow: number;
  /** How many processes run side by side; those that only wait are more. */
  readonly parallel: number;
}

export const ALL_STEPS: WireSelection = { most: 24, mostAlone: 8, mostSlow: 2, parallel: 2 };
/** Takes seconds. */
export const SOME_STEPS: WireSelection = { most: 2, mostAlone: 1, mostSlow: 0, parallel: 2 };
/** So many wait for a server side by side that does not answer. */
const WAITING = 8;

interface Try {
  readonly fault: WireFault;
  readonly step: number;
  readonly when: Break['when'];
}

/** What a command may end with: success, cannot create, reading or writing failed, busy or not known. */
const ENDS = [0, 73, 74, 75];

/** A situation of each scene: with faults at its messages. */
export function onWire(scenes: readonly Scene[], selection: WireSelection): readonly Situation[] {
  return scenes.map((scene) => ({
    name: `${scene.name}, with faults at its messages`,
    run: (laws) => faultsOnWire(scene, selection, laws),
  }));
}

/** @returns how often the command ended in which way. */
async function faultsOnWire(scene: Scene, selection: WireSelection, laws: Laws): Promise<string> {
  const template = Box.make(WORKSHOP);
  await scene.prepare(template);
  const [, { server }] = databaseOf(template);
  const outcomes: Record<string, number> = {};
  const steps = await stepsOf(scene, template, laws);
  const tries = triesAt(steps, selection);
  const attempt = async (one: Try) => {
    const inRun = new Laws();
    const outcome = await tryOnce(scene, template, one, inRun);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const at = steps[one.step - 1];
    for (const broken of inRun.broken) {
      const where = `${one.when} step ${one.step} of ${steps.length} (${at?.from}: ${at?.what})`;
      laws.hold(false, `${one.fault.name} ${where}, ${outcome}: ${broken}`);
    }
  };
  const isFast = ({ fault }: Try) => !fault.isAlone && !fault.isSlow;
  await sideBySide(selection.parallel, tries.filter(isFast), attempt);
  const waiting = tries.filter(({ fault }) => fault.isSlow);
  await sideBySide(WAITING, waiting, attempt);
  const alone = tries.filter(({ fault }) => fault.isAlone);
  await sideBySide(1, alone, attempt);
  server.untilReady();
  template.remove();
  const ends = Object.entries(outcomes).map(([outcome, count]) => `${outcome} ×${count}`);
  return `${tries.length} runs at ${steps.length} steps: ${ends.join(', ')}`;
}

/** The only database of a scene, and whose home it is. */
function databaseOf(box: Box): readonly [who: string, Database] {
  for (const [who, home] of box.homes) if (home instanceof Database) return [who, home];
  throw new Error('there is nothing in a database');
}

/** A database at the address of a relay, where it stays when that has stepped aside: a move goes on to that address. */
class Relayed implements RemoteHome {
  readonly uri: string;
  readonly #database: Database;
  readonly #relay: PostgresRelay;

  constructor(database: Database, relay: PostgresRelay) {
    this.uri = database.server.uri(database.name, relay.folder);
    this.#database = database;
    this.#relay = relay;
  }

  copy(): RemoteHome {
    return this.#database.copy();
  }

  remove(): void {
    this.#relay.end();
    this.#database.remove();
  }
}

/** The steps of a run without a fault, which also has to keep the laws. */
async function stepsOf(scene: Scene, template: Box, laws: Laws): Promise<readonly Step[]> {
  const { ran, relay, box } = await runOnce(scene, template, (one) => one.breakAt(0));
  laws.hold(ran.code === 0, `without a fault: exit ${ran.code}: ${ran.stderr}`);
  await scene.check(box, ran, laws);
  box.remove();
  return relay.steps;
}

/** Some of the steps for each fault, and some of the COMMITs besides: before one and behind it, it is not the same. */
function triesAt(steps: readonly Step[], { most, mostAlone, mostSlow }: WireSelection): readonly Try[] {
  const numbers = steps.map((_, index) => index + 1);
  const commits = numbers.filter((number) => steps[number - 1]?.what === 'COMMIT');
  return WIRE_FAULTS.flatMap((fault, index) => {
    if (fault.isSlow) return some(commits, mostSlow, index).map((step) => ({ fault, step, when: 'before' as const }));
    const tries = some(numbers, fault.isAlone ? mostAlone : most, index).map(
      (step, position): Try => ({ fault, step, when: position % 2 === 0 ? 'before' : 'after' }),
    );
    const atCommits = commits.flatMap((step) => [
      { fault, step, when: 'before' as const },
      { fault, step, when: 'after' as const },
    ]);
    const few = some(atCommits, fault.isAlone ? mostAlone : 2 * most, index);
    return [...tries.filter(({ step }) => !commits.includes(step)), ...few];
  });
}

/** At most so many of them, evenly spread; each fault begins with another one. */
function some<Item>(all: readonly Item[], most: number, index: number): readonly Item[] {
  if (most === 0) return [];
  const stride = Math.max(1, Math.ceil(all.length / most));
  const first = Math.floor((Math.min(stride, all.length) * index) / WIRE_FAULTS.length);
  return all.filter((_, number) => number % stride === first);
}

async function tryOnce(scene: Scene, template: Box, { fault, step, when }: Try, laws: Laws): Promise<string> {
  const [, { server }] = databaseOf(template);
  const { ran, relay, box } = await runOnce(scene, template, (one, kill) =>
    one.breakAt(step, {
      when,
      does: fault.does,
      onMet(backend) {
        if (fault.victim === 'client') kill();
        if (fault.victim === 'backend') process.kill(backend, 'SIGKILL');
        if (fault.victim === 'server') server.crash();
      },
    }),
  );
  if (fault.isAlone) server.untilReady();
  laws.hold(relay.met === 1, 'the step is not met');
  laws.hold(!/\n {4}at /.test(ran.stderr), 'shows a stack trace');
  const isKilled = ran.signal === 'SIGKILL' && fault.victim === 'client';
  if (!isKilled) {
    const isExpected = ran.code !== undefined && [...ENDS, ...(scene.exits ?? [])].includes(ran.code);
    laws.hold(isExpected, `exit ${ran.code ?? ran.signal}: ${ran.stderr.trim()}`);
  }
  // Where it is not known what was committed, the laws are those of a process that was killed.
  const isUnknown = ran.code !== 0 && /whether it was is not known/.test(ran.stderr);
  const { code: _, ...unknown } = ran;
  try {
    await scene.check(box, isUnknown ? { ...unknown, code: undefined } : ran, laws);
  } catch (error) {
    laws.broken.push(`the check fails: ${error instanceof Error ? error.stack : error}`);
  }
  box.remove();
  return isKilled ? 'SIGKILL' : isUnknown ? `exit ${ran.code} (unknown)` : `exit ${ran.code ?? ran.signal}`;
}

/** Runs the command of a scene through a relay. What is run in the box afterwards is not. */
async function runOnce(
  scene: Scene,
  template: Box,
  prepare: (relay: PostgresRelay, kill: () => void) => void,
): Promise<{ ran: Ran; relay: PostgresRelay; box: Box }> {
  const box = template.copy(WORKSHOP);
  const [who, database] = databaseOf(box);
  const relay = await PostgresRelay.start(database.server.socket);
  box.homes.set(who, new Relayed(database, relay));
  await scene.arrange?.(box);
  let pid: number | undefined;
  prepare(relay, () => {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  });
  const ran = await box.start(scene.call(box), undefined, {
    onStarted: (one) => {
      pid = one;
    },
  });
  relay.stepAside();
  return { ran, relay, box };
}
