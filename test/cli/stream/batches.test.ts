/**
 * Unit tests of `Batches`: which items are worked on together, when it is idle, and how failures end it.
 * The stream is scripted, so that each item is either there at once or comes only when the test says so.
 */
import { setFlagsFromString } from 'node:v8';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Batches } from '../../../src/cli/stream/batches.ts';

// The flags would hold for every other test of this process.
vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }));
afterEach(() => vi.mocked(setFlagsFromString).mockClear());

interface Work {
  readonly most: number;
  work(items: number[]): Promise<void>;
  pause(): Promise<void>;
}

/** The loop that the commands have: `pause` comes when the stream is idle, and at the end. */
async function asItComes(
  first: IteratorResult<number[]>,
  stream: { next(): Promise<IteratorResult<number[], unknown>> },
  { most, work, pause }: Work,
): Promise<void> {
  const batches = new Batches(stream, { first, lengthOf: (item) => item, bound: { items: most, bytes: 1_000 } });
  try {
    for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
      await work(batch);
      if (await batches.isIdle()) await pause();
    }
  } finally {
    await pause();
  }
}

/** What the stream does next: gives items, waits until the system has been asked several times, or fails. */
type Step = number[] | 'wait' | Error;

async function* scripted(steps: readonly Step[]): AsyncGenerator<number[], void> {
  for (const step of steps) {
    if (step instanceof Error) throw step;
    if (step === 'wait') await longer();
    else yield step;
  }
}

/** Longer than anything takes that is there already. */
async function longer(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs a stream. @returns in their order the items of each call of `work`, and the pauses. */
async function run(steps: readonly Step[], most = 1_000, work: () => Promise<void> = async () => undefined) {
  const stream = scripted(steps);
  const log: (number[] | 'pause')[] = [];
  const ended = asItComes(await stream.next(), stream, {
    most,
    async work(items) {
      log.push(items);
      await work();
    },
    async pause() {
      log.push('pause');
    },
  });
  return { log, error: await ended.catch((error: unknown) => error) };
}

describe('Batches', () => {
  it('works on nothing where nothing comes, and pauses once', async () => {
    expect(await run([])).toEqual({ log: ['pause'], error: undefined });
  });

  it('works together on what is there together', async () => {
    const { log } = await run([[1], [2, 3], [], [4]]);
    expect(log).toEqual([[1, 2, 3, 4], 'pause']);
  });

  it('works on what is there before more has come, and pauses until then', async () => {
    const { log } = await run([[1], 'wait', [2], [3], 'wait', [4]]);
    expect(log).toEqual([[1], 'pause', [2, 3], 'pause', [4], 'pause']);
  });

  it('does not wait for the end to pause', async () => {
    const { log } = await run([[1], 'wait']);
    expect(log).toEqual([[1], 'pause', 'pause']);
  });

  it('does not wait for the second item to work on the first', async () => {
    let comes: (result: IteratorResult<number[]>) => void = () => undefined;
    const next = () =>
      new Promise<IteratorResult<number[]>>((resolve) => {
        comes = resolve;
      });
    const worked: number[] = [];
    let pauses = 0;
    const ended = asItComes(
      { done: false, value: [1] },
      { next },
      {
        most: 10,
        async work(items) {
          worked.push(...items);
        },
        async pause() {
          pauses += 1;
        },
      },
    );
    await vi.waitFor(() => expect([worked, pauses]).toEqual([[1], 1]));
    comes({ done: true, value: undefined });
    await ended;
    expect([worked, pauses]).toEqual([[1], 2]);
  });

  it('takes what comes with the next turn of the event loop for there', async () => {
    let calls = 0;
    const next = async (): Promise<IteratorResult<number[]>> => {
      await new Promise((resolve) => setImmediate(resolve));
      calls += 1;
      return calls > 2 ? { done: true, value: undefined } : { done: false, value: [calls] };
    };
    const worked: number[][] = [];
    await asItComes(
      { done: false, value: [0] },
      { next },
      {
        most: 10,
        async work(items) {
          worked.push(items);
        },
        pause: async () => undefined,
      },
    );
    expect(worked).toEqual([[0, 1, 2]]);
  });

  it('gathers up to `most`, and does not split what the stream gives at once', async () => {
    const { log } = await run([[1, 2], [3, 4], [5, 6, 7], [8], [9]], 3);
    // No pause in between: the next items are there each time.
    expect(log).toEqual([[1, 2, 3, 4], [5, 6, 7], [8, 9], 'pause']);
  });

  it('ends one piece of work before it begins the next', async () => {
    let working = 0;
    const { log } = await run([[1], [2], [3]], 1, async () => {
      working += 1;
      expect(working).toBe(1);
      await longer();
      working -= 1;
    });
    expect(log).toEqual([[1], [2], [3], 'pause']);
  });

  it('empties the groups of the stream, which may hold them for long', async () => {
    const given = [[1], [2, 3]];
    const { log } = await run(given);
    expect(log[0]).toEqual([1, 2, 3]);
    expect(given).toEqual([[], []]);
  });

  it('takes nothing more from so many bytes on, and asks for nothing before the batch is worked on', async () => {
    // An item is as long as its number says.
    const { log } = await run([[600], [399], [1], [1_000], [5_000], [1], [998], [1], [1]]);
    expect(log).toEqual([[600, 399, 1], [1_000], [5_000], [1, 998, 1], [1], 'pause']);

    const asked: number[] = [];
    async function* stream(): AsyncGenerator<number[]> {
      for (const item of [1_000, 999, 1, 7]) {
        asked.push(item);
        yield [item];
      }
    }
    const items = stream();
    const batches = new Batches(items, {
      first: await items.next(),
      lengthOf: (item) => item,
      bound: { items: 100, bytes: 1_000 },
    });
    expect([await batches.next(), asked]).toEqual([[1_000], [1_000]]);
    await longer();
    expect(asked).toEqual([1_000]);
    expect([await batches.next(), asked]).toEqual([
      [999, 1],
      [1_000, 999, 1],
    ]);
    expect([await batches.isIdle(), asked]).toEqual([false, [1_000, 999, 1, 7]]);
  });

  it('pauses, then throws what the work throws, and works on nothing more', async () => {
    const failure = new Error('disk full');
    const { log, error } = await run([[1], [2], [3]], 2, () => Promise.reject(failure));
    expect(log).toEqual([[1, 2], 'pause']);
    expect(error).toBe(failure);
  });

  it('gives what came before a failure of the stream, and then throws that', async () => {
    const failure = new Error('unreadable');
    const { log, error } = await run([[1], [2], failure]);
    expect(log).toEqual([[1, 2], 'pause']);
    expect(error).toBe(failure);
  });

  it('pauses, then throws what the stream throws', async () => {
    const failure = new Error('unreadable');
    const { log, error } = await run([[1], 'wait', failure]);
    expect(log).toEqual([[1], 'pause', 'pause']);
    expect(error).toBe(failure);
  });

  it('throws what a pause throws', async () => {
    const failure = new Error('closed pipe');
    const stream = scripted([[1]]);
    const ended = asItComes(await stream.next(), stream, {
      most: 1,
      work: async () => undefined,
      pause: () => Promise.reject(failure),
    });
    await expect(ended).rejects.toBe(failure);
  });
});

describe('a stream of more than 100 items', () => {
  const items = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('has the heap stay small, from then on', async () => {
    await run([items(60), items(40), [1], [1], items(50)], 1);
    expect(vi.mocked(setFlagsFromString).mock.calls.flat()).toEqual([
      '--semi-space-growth-factor=1',
      '--heap-growing-percent=20',
    ]);
  });

  it('may come all at once', async () => {
    await run([items(101)]);
    expect(setFlagsFromString).toHaveBeenCalledTimes(2);
  });

  it.each([[[items(100)]], [[items(50), items(50)]]])('and none of 100 does', async (steps) => {
    await run(steps, 1);
    expect(setFlagsFromString).not.toHaveBeenCalled();
  });
});
