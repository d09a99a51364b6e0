/**
 * When something is next due to be swept: with it, a unit of work need not read whole tables to find that nothing is.
 */
import type { WorkingSet } from './working-set.ts';

/** The earliest time of each sweep, as SQL over its table. In unix milliseconds; NULL for a row that is never swept. */
const SWEPT = {
  'open invites': ['invites', "CASE fate WHEN 'open' THEN expires * 1000 END"],
  'other invites': [
    'invites',
    "CASE fate WHEN 'open' THEN NULL ELSE coalesce(spent_at, withdrawn_at, expires * 1000) END",
  ],
  'skipped keys': ['skipped_keys', 'created_at'],
  outgoing: ['outgoing', 'created_at'],
  'left entries': ['left_entries', 'tried_at'],
  'spent boxes': ['spent_boxes', 'spent_at'],
  history: ['history', 'at'],
} as const;

export type Sweep = keyof typeof SWEPT;

const SWEEPS = Object.keys(SWEPT) as readonly Sweep[];

export class Sweeps {
  readonly #bounds: ReadonlyMap<string, number | undefined>;
  readonly #swept = new Set<Sweep>();

  readonly #set: WorkingSet;

  /** @param bounds no row in the database is due before these times; `undefined`: none ever. */
  constructor(set: WorkingSet, bounds: ReadonlyMap<string, number | undefined>) {
    this.#set = set;
    this.#bounds = bounds;
  }

  /** Whether there may be something of before a time. */
  isDue(sweep: Sweep, before: number): boolean {
    const earliest = this.#earliest(sweep);
    return earliest !== undefined && earliest < before;
  }

  /** Notes that all rows of a sweep are in the working set. */
  note(...sweeps: readonly Sweep[]): void {
    for (const sweep of sweeps) this.#swept.add(sweep);
  }

  /** The bounds after a unit of work. */
  after(): ReadonlyMap<string, number | undefined> {
    return new Map(SWEEPS.map((sweep) => [sweep, this.#earliest(sweep)]));
  }

  #earliest(sweep: Sweep): number | undefined {
    const [table, time] = SWEPT[sweep];
    const here = this.#set.get<{ readonly time: number | null }>(`SELECT min(${time}) AS time FROM ${table}`)?.time;
    const times = [here ?? undefined, this.#swept.has(sweep) ? undefined : this.#bounds.get(sweep)];
    const known = times.filter((one) => one !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }
}
