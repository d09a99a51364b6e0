import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lease } from '../../../src/cli/agent/lease.ts';

const IDLE = 900;
const MOST = 28_800;

/** A lease on two clocks, which begin anywhere. */
function lease({ wall = 1.8e12, monotonic = 5 } = {}) {
  const clocks = { wall, monotonic };
  return {
    clocks,
    lease: new Lease({ wall: () => clocks.wall, monotonic: () => clocks.monotonic }, IDLE, MOST),
    pass(time: number) {
      clocks.wall += time;
      clocks.monotonic += time;
    },
  };
}

describe('a lease', () => {
  it('is over after its time without a use, and cannot be used any more', () => {
    const one = lease();
    one.pass(IDLE - 1);
    expect(one.lease.left).toBe(1);
    one.pass(1);
    expect(one.lease.use()).toBe(false);
    expect(one.lease.left).toBe(0);
  });

  it('begins anew with each use', () => {
    const one = lease();
    for (let use = 0; use < 20; use++) {
      one.pass(IDLE - 1);
      expect(one.lease.use()).toBe(true);
    }
    expect(one.lease.left).toBe(IDLE);
  });

  it('is over in the end, however often it is used', () => {
    const one = lease();
    let time = 0;
    for (; one.lease.use(); time += 100) one.pass(100);
    expect(time).toBe(MOST);
  });

  it('is over when the machine was suspended, which stops the monotonic clock', () => {
    const one = lease();
    one.clocks.wall += IDLE;
    expect(one.lease.use()).toBe(false);
  });

  it('is over by the monotonic clock when the wall clock is set back', () => {
    const one = lease();
    one.clocks.wall -= 1e9;
    one.clocks.monotonic += IDLE;
    expect(one.lease.use()).toBe(false);
  });

  it('is never longer than either clock allows, whatever the two do', () => {
    const moves = fc.array(fc.record({ wall: fc.integer({ min: -5_000, max: 5_000 }), monotonic: fc.nat(2_000) }));
    fc.assert(
      fc.property(moves, (all) => {
        const one = lease();
        const start = { ...one.clocks };
        for (const { wall, monotonic } of all) {
          const before = { ...one.clocks };
          one.clocks.wall += wall;
          one.clocks.monotonic += monotonic;
          if (!one.lease.use()) return;
          // Since the use before, or the start, neither clock has gone on for longer than is allowed.
          expect(one.clocks.wall - before.wall).toBeLessThan(IDLE);
          expect(one.clocks.monotonic - before.monotonic).toBeLessThan(IDLE);
          expect(one.clocks.wall - start.wall).toBeLessThan(MOST);
          expect(one.clocks.monotonic - start.monotonic).toBeLessThan(MOST);
        }
      }),
    );
  });
});
