import { describe, expect, it } from 'vitest';
import { HandOverQueue, type Queued } from '../../../src/cli/carrier/hand-over.ts';
import type { OpenIdentity } from '../../../src/cli/identity/open.ts';
import { PawlError } from '../../../src/errors.ts';
import type { OutboxId } from '../../../src/session/index.ts';

// What is tried at a place that does not take everything.

const BOX = new Uint8Array(16);

/** An identity with envelopes in its outbox. */
function identityWith(envelopes: readonly Queued[]): OpenIdentity {
  const envelope = async (id: OutboxId) => envelopes.find(({ outboxId }) => outboxId === id)?.envelope;
  return { store: { snapshot: (work: (view: unknown) => unknown) => work({ envelope }) } } as unknown as OpenIdentity;
}

function queued(...lengths: readonly number[]): Queued[] {
  return lengths.map((length, index) => ({
    outboxId: (index + 1) as OutboxId,
    to: 'bob',
    box: BOX,
    length,
    envelope: new Uint8Array(length),
  }));
}

/** Tries what waits. @param takes whether the place takes a try. @returns the lengths that were taken, or 0 for one that was not. */
async function tries(queue: HandOverQueue, takes: (length: number) => boolean): Promise<readonly number[]> {
  const all: number[] = [];
  let last = 0;
  const put = async (_: Uint8Array, { length }: Uint8Array) => {
    last = length;
    all.push(takes(length) ? length : 0);
    if (!takes(length)) throw new PawlError('unreachable', { place: 'there', reason: 'no room' });
  };
  for await (const { length } of queue.handOver({ put })) expect(length).toBe(last);
  return all;
}

function queueOf(...lengths: readonly number[]): HandOverQueue {
  const envelopes = queued(...lengths);
  const queue = new HandOverQueue(identityWith(envelopes));
  queue.add(envelopes);
  return queue;
}

describe('what waits is tried', () => {
  it('in its order, what is large behind all other', async () => {
    expect(await tries(queueOf(900, 70_000, 100, 400), () => true)).toEqual([900, 100, 400, 70_000]);
  });

  it.each([
    ['one that fails, and all are as large', [300, 300, 300], 0, [0]],
    ['one that fails, and others are not much smaller', [300, 200, 150], 0, [0]],
    ['two that fail, one after the other', [300, 100, 40, 10], 0, [0, 0]],
    ['one for which there is no room', [300, 100, 290, 40, 10], 290, [0, 100, 290, 40, 10]],
    ['several for which there is no room', [800, 100, 500, 700, 10, 600], 100, [0, 100, 0, 10]],
  ])('until the place fails: %s', async (_, lengths, room, expected) => {
    const queue = queueOf(...lengths);
    expect(await tries(queue, (length) => length <= room)).toEqual(expected);
    expect(queue.failure?.code).toBe('unreachable');
    expect(queue.isReached).toBe(room > 0);
    expect(queue.size).toBe(lengths.length - expected.filter((length) => length > 0).length);
    // Not again before it is asked for.
    expect(await tries(queue, () => true)).toEqual([]);
    queue.tryAgain();
    expect(queue.failure).toBeUndefined();
    const again = await tries(queue, () => true);
    expect(again.length).toBe(lengths.length - expected.filter((length) => length > 0).length);
    expect(queue.size).toBe(0);
  });

  it('again at once, where what failed was the last one, and something else was taken', async () => {
    const queue = queueOf(500, 5_000_000);
    const hasRoom = (length: number) => length < 5_000_000;
    expect(await tries(queue, hasRoom)).toEqual([500, 0]);
    expect(queue.isReached).toBe(true);
    queue.add(queued(700).map((one) => ({ ...one, outboxId: 9 as OutboxId })));
    expect(await tries(queue, hasRoom)).toEqual([700]);
  });

  it('no more where the place has failed, also what is added later', async () => {
    const queue = queueOf(300);
    expect(await tries(queue, () => false)).toEqual([0]);
    queue.add(queued(10).map((one) => ({ ...one, outboxId: 9 as OutboxId })));
    expect(await tries(queue, () => true)).toEqual([]);
    queue.tryAgain();
    expect(await tries(queue, () => true)).toEqual([300]);
  });

  it('once, where the place is another one', async () => {
    const queue = queueOf(300, 10);
    let calls = 0;
    const put = async () => {
      calls += 1;
      throw new PawlError('other-place', { place: 'there', expected: '0', found: '1' });
    };
    for await (const _ of queue.handOver({ put })) expect.unreachable();
    expect(calls).toBe(1);
    expect(queue.failure?.code).toBe('other-place');
  });

  it('not at all without a box, and not when it is over', async () => {
    const queue = queueOf();
    queue.add(queued(10).map((one) => ({ ...one, box: undefined })));
    expect(queue.size).toBe(0);
    queue.add(queued(10));
    const put = () => expect.unreachable();
    for await (const _ of queue.handOver({ put }, AbortSignal.abort())) expect.unreachable();
    expect(queue.size).toBe(1);
  });
});
