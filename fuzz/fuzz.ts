/** Runs generated inputs on a target, checks time and properties, and minimises what violates them. */
import { Dice } from './dice.ts';
import type { Prepared, Target } from './target.ts';
import { commands } from './targets/commands.ts';
import { decoders } from './targets/decoders.ts';
import { handshakes } from './targets/handshake.ts';
import { inParts } from './targets/parts.ts';
import { sessions } from './targets/sessions.ts';

export const TARGETS: readonly Target[] = [...decoders, ...handshakes, ...inParts, ...sessions, ...commands];
const SHARES = TARGETS.reduce((sum, { share }) => sum + share, 0);

/** Limit per input: 2 s for each MiB, at least 2 s. Far above the usual time, so that a busy machine passes. */
const MILLISECONDS_PER_MIB = 2_000;

export interface Slowest {
  readonly index: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

export interface Violation {
  /** `make(new Dice(`${seed}/${target}/${index}`))` makes the input again. */
  readonly index: number;
  readonly problem: string;
  /** The input, minimised: it violates the same property. */
  readonly input: Uint8Array;
}

export interface Result {
  readonly target: string;
  readonly inputs: number;
  readonly bytes: number;
  readonly accepted: number;
  /** How often each verdict occurred; an input may have several. */
  readonly refused: ReadonlyMap<string, number>;
  readonly seconds: number;
  readonly slowest: Slowest;
  readonly violations: readonly Violation[];
}

/** The number of inputs for a target, of `inputs` for all targets. */
export function shareOf({ share }: Target, inputs: number): number {
  return Math.max(1, Math.ceil((inputs * share) / SHARES));
}

/** Runs `inputs` inputs on one target; stops after five violations. */
export async function fuzz(target: Target, inputs: number, seed: string): Promise<Result> {
  const prepared = await target.prepare(new Dice(`${seed}/${target.name}`));
  const refused = new Map<string, number>();
  const violations: Violation[] = [];
  let [accepted, bytes] = [0, 0];
  let slowest: Slowest = { index: 0, bytes: 0, milliseconds: 0 };
  const start = performance.now();
  try {
    for (let index = 0; index < inputs; index++) {
      const input = prepared.make(new Dice(`${seed}/${target.name}/${index}`));
      bytes += input.length;
      const { verdicts, problem, milliseconds } = await attempt(prepared, input);
      if (milliseconds > slowest.milliseconds) slowest = { index, bytes: input.length, milliseconds };
      if (problem !== undefined) violations.push({ index, problem, input: await minimised(prepared, input, problem) });
      if (verdicts.includes('accepted')) accepted++;
      for (const verdict of verdicts) {
        if (verdict !== 'accepted') refused.set(verdict, (refused.get(verdict) ?? 0) + 1);
      }
      if (violations.length >= 5) break;
    }
  } finally {
    prepared.close?.();
  }
  const seconds = (performance.now() - start) / 1_000;
  return { target: target.name, inputs, bytes, accepted, refused, seconds, slowest, violations };
}

async function attempt(prepared: Prepared, input: Uint8Array) {
  const start = performance.now();
  try {
    const verdicts = await prepared.run(input);
    const milliseconds = performance.now() - start;
    const slow = milliseconds > MILLISECONDS_PER_MIB * Math.max(1, input.length / 2 ** 20);
    return { verdicts, milliseconds, problem: slow ? `violated: time, ${milliseconds.toFixed(0)} ms` : undefined };
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { verdicts: [], milliseconds: performance.now() - start, problem };
  }
}

/** Removes parts of the input as long as the same property is violated. */
async function minimised(prepared: Prepared, input: Uint8Array, problem: string): Promise<Uint8Array> {
  const [sentence] = problem.split('\n');
  let smallest = input;
  let tries = 300;
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < smallest.length && tries-- > 0; ) {
      const shorter = Uint8Array.from([...smallest.subarray(0, at), ...smallest.subarray(at + size)]);
      const again = await attempt(prepared, shorter);
      if (again.problem?.split('\n')[0] === sentence) smallest = shorter;
      else at += size;
    }
  }
  return smallest;
}
