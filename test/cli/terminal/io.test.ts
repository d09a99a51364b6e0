import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { systemIo } from '../../../src/cli/terminal/io.ts';
import { systemRandom } from '../../../src/primitives/index.ts';

it('has the random source that ML-KEM leaves to Node: a wrapped one would be given to noble, which is slower', () => {
  expect(systemIo(process).random).toBe(systemRandom);
});

it('is ended by a signal that came just before its work was taken back', async () => {
  const kill = vi.fn();
  const listeners = new EventEmitter();
  const fake = Object.assign(listeners, { pid: 7, env: {}, argv: [], kill }) as unknown as NodeJS.Process;
  const work = vi.fn(() => Promise.resolve());
  const { beforeEnd } = systemIo(fake);
  beforeEnd(work).remove();
  listeners.emit('SIGTERM', 'SIGTERM');
  await vi.waitFor(() => expect(kill.mock.calls).toEqual([[7, 'SIGTERM']]));
  expect(work).not.toHaveBeenCalled();
  // The next one ends it at once.
  expect(listeners.eventNames()).toEqual([]);
});
