/** Situations: what is tried beside failing system calls, such as several processes, signals, small disks, lost answers. */
import { Laws } from './laws.ts';

export interface Situation {
  readonly name: string;
  /** @returns what happened, in a few words; `undefined` where this machine does not support it. */
  run(laws: Laws): Promise<string | undefined>;
}

export interface Finding {
  readonly situation: string;
  readonly happened: string;
  readonly violations: readonly string[];
}

export async function tryOut({ name, run }: Situation): Promise<Finding> {
  const laws = new Laws();
  try {
    const happened = (await run(laws)) ?? 'skipped: not possible on this machine';
    return { situation: name, happened, violations: laws.broken };
  } catch (error) {
    return {
      situation: name,
      happened: 'failed',
      violations: [...laws.broken, String(error instanceof Error ? error.stack : error)],
    };
  }
}
