import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Patience, within } from '../../src/places/patience.ts';

const LIMIT = 30_000;
/** As many bytes as have to come in a time limit. */
const SLOWEST = 2 ** 17;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('patience', () => {
  const waiting = (first = LIMIT, most = first) => {
    const patience = new Patience(LIMIT, first, most);
    patience.begin();
    return patience;
  };

  it('is used up by waiting, and comes back with bytes and without waiting, up to what there was', () => {
    const patience = waiting();
    vi.advanceTimersByTime(20_000);
    expect(patience.left).toBe(10_000);
    patience.carried(SLOWEST / 2);
    expect(patience.left).toBe(25_000);
    vi.advanceTimersByTime(10_000);
    patience.end();
    vi.advanceTimersByTime(5_000);
    expect(patience.left).toBe(20_000);
    vi.advanceTimersByTime(1e9);
    expect(patience.left).toBe(LIMIT);
    patience.begin();
    vi.advanceTimersByTime(LIMIT + 1);
    expect(patience.left).toBe(-1);
  });

  it('takes what has passed from what there was before the bytes came', () => {
    const patience = waiting();
    vi.advanceTimersByTime(20_000);
    patience.carried(10 * SLOWEST);
    expect(patience.left).toBe(LIMIT);
  });

  it('has an end with who gives much at first, and then a byte now and then', () => {
    const patience = waiting(LIMIT, 3 * LIMIT);
    patience.carried(1e9);
    let seconds = 0;
    for (; patience.left > 0 && seconds < 1_000; seconds++) {
      vi.advanceTimersByTime(1_000);
      patience.carried(1);
    }
    expect(seconds).toBeGreaterThan(85);
    expect(seconds).toBeLessThan(95);
  });

  it('has no end with who is just fast enough', () => {
    const patience = waiting();
    for (let second = 0; second < 10_000; second++) {
      vi.advanceTimersByTime(1_000);
      patience.carried(SLOWEST / 30 + 1);
    }
    expect(patience.left).toBeGreaterThan(LIMIT - 2_000);
  });
});

describe('waiting', () => {
  it('ends with the work, and leaves no timer', async () => {
    expect(await within(Promise.resolve(7), () => LIMIT)).toBe(7);
    await expect(within(Promise.reject(new Error('x')), () => LIMIT)).rejects.toThrow('x');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when nothing is left, which is asked again when it is over', async () => {
    const lefts = [100, 50];
    const waited = within(new Promise(() => undefined), () => {
      const left = lefts.shift();
      if (left === undefined) throw new Error('late');
      return left;
    });
    const end = expect(waited).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(152);
    await end;
    expect(vi.getTimerCount()).toBe(0);
  });
});
