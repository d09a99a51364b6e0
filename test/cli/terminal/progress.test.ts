import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Io } from '../../../src/cli/terminal/io.ts';
import { Progress } from '../../../src/cli/terminal/progress.ts';
import { acquaint, CollectedOutput, type Person } from '../fake-io.ts';

const ERASED = '\r\x1b[K';

/** What is left to see on a terminal of one line at a time. */
function left(shown: string): string {
  const lines = shown.split('\n').map((line) => line.split(ERASED).at(-1));
  return lines.join('\n');
}

function progress({ isTerminal = true, isWanted = true, size = undefined as Io['errors']['size'] } = {}) {
  const errors = new CollectedOutput(isTerminal, size);
  const clock = { now: 0 };
  return { errors, clock, line: new Progress({ errors, now: () => clock.now }, isWanted) };
}

describe('Progress', () => {
  it('says nothing of what is quick, and then not more often than one can read', () => {
    const { errors, clock, line } = progress();
    for (; clock.now <= 1_000; clock.now += 10) line.update(`at ${clock.now}`);
    const times = [500, 600, 700, 800, 900, 1_000];
    expect(errors.text).toBe(times.map((time) => `${ERASED}pawl: at ${time} ...`).join(''));
    line.clear();
    expect(left(errors.text)).toBe('');
  });

  it('begins anew with everything else that is shown', () => {
    const { errors, clock, line } = progress();
    for (; clock.now < 5_000; clock.now += 100) {
      line.update('at work');
      if (clock.now % 400 === 0) line.clear();
    }
    expect(errors.text).toBe('');
  });

  it.each([{ isTerminal: false }, { isWanted: false }])('is silent where it is not wanted: %j', async (how) => {
    const { errors, clock, line } = progress(how);
    clock.now = 10_000;
    line.update('at work');
    line.whileBlocked('another', () => undefined);
    line.clear();
    expect(errors.text).toBe('');
  });

  it('keeps to one line of the terminal, and does nothing to it', () => {
    const { errors, clock, line } = progress({ size: { columns: 20, rows: 5 } });
    clock.now = 500;
    line.update('a \x1b[31mred\nword that is longer than the line');
    expect(errors.text).toBe(`${ERASED}pawl: a \\u{1b}[31mr`);
  });

  it('makes way for an output on a terminal, and is not in the way of a pipe', async () => {
    for (const isTerminal of [true, false]) {
      const { errors, clock, line } = progress();
      const output = new CollectedOutput(isTerminal);
      clock.now = 500;
      line.update('at work');
      await line.clearBefore(output).write('text');
      expect(left(errors.text)).toBe(isTerminal ? '' : 'pawl: at work ...');
      expect(output.text).toBe('text');
    }
  });

  it('is no reason to fail where the terminal has gone', () => {
    const errors = { isTerminal: true, write: () => Promise.reject(new Error('gone')), flush: async () => undefined };
    const line = new Progress({ errors, now: () => 0 }, true);
    line.whileBlocked('another', () => undefined);
  });

  describe('during a work that cannot be asked how far it is', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('leaves what is shown where it is quick', async () => {
      const { errors, clock, line } = progress();
      clock.now = 500;
      line.update('far');
      await line.during('at work', Promise.resolve());
      expect(left(errors.text)).toBe('pawl: far ...');
    });

    it('says so after half a second, until it is done or fails', async () => {
      for (const fails of [false, true]) {
        const { errors, line } = progress();
        const work = new Promise((resolve) => setTimeout(resolve, 700)).then(() => {
          if (fails) throw new Error('it fails');
        });
        const done = line.during('at work', work).catch((error: Error) => error.message);
        await vi.advanceTimersByTimeAsync(499);
        expect(errors.text).toBe('');
        await vi.advanceTimersByTimeAsync(1);
        expect(errors.text).toBe(`${ERASED}pawl: at work ...`);
        await vi.advanceTimersByTimeAsync(200);
        expect(await done).toBe(fails ? 'it fails' : undefined);
        expect(left(errors.text)).toBe('');
        expect(vi.getTimerCount()).toBe(0);
      }
    });

    it('says nothing of a quick one, and leaves no timer', async () => {
      const { errors, line } = progress();
      expect(await line.during('at work', Promise.resolve(7))).toBe(7);
      expect(vi.getTimerCount()).toBe(0);
      expect(errors.text).toBe('');
    });
  });
});

/** Runs a command whose standard error is a terminal, with a clock that goes on each time that it is looked at. */
async function watched(
  person: Person,
  parameters: readonly string[],
  { input = new Uint8Array(0), tick = 200 }: { input?: Uint8Array; tick?: number } = {},
): Promise<string> {
  const errors = new CollectedOutput(true);
  let { time } = person;
  const now = () => {
    time += tick;
    return time;
  };
  await person.pawl(parameters, input, { errors, now });
  return errors.text;
}

describe('a command that takes its time', () => {
  it('says how far it is, and leaves nothing of that', async () => {
    const { alice, bob } = await acquaint();
    const text = Buffer.from(Array.from({ length: 40 }, (_, n) => `${n}\n`).join(''));
    const many = (await alice.pawl(['send', 'bob', '--lines'], text)).bytes;
    const large = Buffer.alloc(3_000_000, 'x');

    const lines = await watched(alice, ['send', 'bob', '--lines'], { input: text });
    expect(lines).toContain('pawl: encrypting, ');
    const sent = await watched(alice, ['send', 'bob'], { input: large });
    expect(sent).toContain('pawl: reading, 3.0 MB ...');
    expect(sent).toContain('pawl: encrypting 3.');
    const received = await watched(bob, ['recv'], { input: many });
    expect(received).toMatch(/pawl: decrypting, \d+ messages \.\.\./);
    for (const shown of [lines, sent, received]) expect(left(shown)).toBe('');
  });

  it('is silent where it is quick, or was told to be', async () => {
    const { alice } = await acquaint();
    const input = Buffer.alloc(3_000_000, 'x');
    expect(await watched(alice, ['send', 'bob'], { input, tick: 0 })).toBe('');
    expect(await watched(alice, ['-q', 'send', 'bob'], { input })).toBe('');
    expect(await watched(alice, ['--json', 'send', 'bob'], { input })).not.toContain('\r');
  });
});

describe('an identity that another pawl uses', () => {
  it('is waited for as long as --wait says, wherever it stands, and the person is told', async () => {
    const { alice } = await acquaint();
    const held = alice.openFile();
    held.exec('BEGIN IMMEDIATE');
    try {
      for (const [parameters, seconds] of [
        [['--wait', '0', 'send', 'bob', '-m', 'hi'], 0],
        [['recv', '--wait', '0'], 0],
        [['recv', '--wait', '1'], 1],
      ] as const) {
        const errors = new CollectedOutput(true);
        const begun = performance.now();
        expect((await alice.run(parameters, undefined, { errors })).exit).toBe(75);
        expect(performance.now() - begun).toBeGreaterThanOrEqual(1_000 * seconds);
        const waits = errors.text.startsWith(`${ERASED}pawl: waiting for another pawl that uses alice ...${ERASED}`);
        expect(waits).toBe(seconds > 0);
        expect(left(errors.text)).toMatch(/^error: .*\nhint: .*--wait SECONDS\n$/);
      }
    } finally {
      held.close();
    }
  });
});
