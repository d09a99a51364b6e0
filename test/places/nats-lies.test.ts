import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { makeNats } from '../../src/places/nats-place.ts';
import { answer, answering, fake, INFO } from './fake-nats.ts';
import { BOX, context, LIMITS, listed, OTHER, open, operationsOf, read, routeTo } from './nats-relay.ts';

// Servers that answer without an end, or by more than a client can hold. None of them is waited for for ever.

const STATE = (messages: number, last = messages) =>
  JSON.stringify({ created: 'x', state: { messages, first_seq: 1, last_seq: last } });
const ten = Buffer.alloc(10).toString('base64');

/** A message of a consumer. */
function delivered(sid: string, { sequence = 1, pending = 9, box = BOX, size = '10' }): string {
  const headers = `NATS/1.0\r\nNats-Msg-Size: ${size}\r\n\r\n`;
  const ack = `$JS.ACK.PAWL.c.1.${sequence}.1.1.${pending}`;
  return `HMSG pawl.${box} ${sid} ${ack} ${headers.length} ${headers.length}\r\n${headers}\r\n`;
}

/** A server with so many messages, the first three of which are honest. `pull` answers a consumer. */
function stream(messages: number, pull: (to: string, sid: string, socket: Socket) => string, last = messages) {
  let first = 0;
  return answering((reply, subject, sid, socket) => {
    if (subject.includes('STREAM.INFO')) return answer(reply, STATE(messages, last));
    if (subject.includes('CONSUMER.CREATE')) return answer(reply, '{"num_pending":9}');
    if (subject.includes('CONSUMER.DELETE')) return answer(reply, '{}');
    if (subject.includes('MSG.NEXT')) return pull(reply, sid, socket);
    first++;
    return answer(reply, `{"message":{"subject":"pawl.${BOX}","seq":${first},"data":"${ten}"}}`);
  });
}

const bad = { code: 'unreachable', detail: { reason: 'it does not answer as JetStream does' } };

describe('a list', () => {
  it.each<[string, (sid: string) => string]>([
    ['gives the same message for ever', (sid) => delivered(sid, { sequence: 4 }).repeat(1_000)],
    ['gives messages before the first that was asked for', (sid) => delivered(sid, { sequence: 3, pending: 0 })],
    ['goes back', (sid) => delivered(sid, { sequence: 6 }) + delivered(sid, { sequence: 5, pending: 0 })],
    ['gives those of another box', (sid) => delivered(sid, { sequence: 4, box: OTHER, pending: 0 })],
    ['has numbers that are none', (sid) => delivered(sid, { sequence: 4.5, pending: 0 })],
    ['does not say how many there are', (sid) => delivered(sid, { sequence: 4, pending: Number.NaN })],
    ['says a size that is none', (sid) => delivered(sid, { sequence: 4, size: '-1', pending: 0 })],
  ])('that %s is not believed', async (_, pull) => {
    let pulls = 0;
    const place = await open(
      await fake(
        stream(50, (_to, sid) => {
          pulls++;
          return pull(sid);
        }),
      ),
    );
    await expect(listed(place)).rejects.toMatchObject(bad);
    expect(pulls).toBeLessThan(3);
  });

  it('has no more messages than there are in the stream', async () => {
    let sequence = 3;
    const more = (_to: string, sid: string) => {
      if (sequence > 20_000) return delivered(sid, { sequence: ++sequence, size: '5', pending: 0 });
      const all = Array.from({ length: 1_000 }, () => delivered(sid, { sequence: ++sequence, size: '5' }));
      return all.join('');
    };
    const place = await open(await fake(stream(2_500, more, 1e9)));
    await expect(listed(place)).rejects.toMatchObject(bad);
    expect(sequence).toBe(3_003);
    sequence = 3;
    // Behind the newest that there was, there is nothing.
    expect(await listed(await open(await fake(stream(2_500, more))))).toHaveLength(3);
    expect(sequence).toBe(3_003);
  });

  it('ends with an answer that has nothing in it', async () => {
    let pulls = 0;
    const place = await open(
      await fake(
        stream(50, (to, sid) => {
          pulls++;
          return `HMSG ${to} ${sid} 28 28\r\nNATS/1.0 404 No Messages\r\n\r\n\r\n`;
        }),
      ),
    );
    expect(await listed(place)).toHaveLength(3);
    expect(pulls).toBe(1);
  });

  it('is not kept back by a message that is larger than any envelope', async () => {
    const large = Buffer.alloc(34 * 2 ** 20, ' ');
    const talk = answering((reply, subject, sid) => {
      if (subject.includes('STREAM.INFO')) return answer(reply, STATE(50));
      if (subject.includes('CONSUMER.CREATE')) return answer(reply, '{"num_pending":2}');
      if (subject.includes('CONSUMER.DELETE')) return answer(reply, '{}');
      if (subject.includes('MSG.NEXT')) {
        const one = delivered(sid, { sequence: 1, size: `${30 * 2 ** 20}`, pending: 1 });
        return one + delivered(sid, { sequence: 2, pending: 0 });
      }
      return Buffer.concat([Buffer.from(`MSG ${reply} 1 ${large.length}\r\n`), large, Buffer.from('\r\n')]);
    });
    const place = await open(await fake(talk));
    const entries = await listed(place, [BOX], LIMITS);
    expect(entries.map(({ name }) => name)).toEqual(['2']);
    expect(await read(place, entries)).toEqual([]);
  });
});

describe('a server that gives a byte now and then', () => {
  const trickle = (head: string) => (socket: Socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write(' '), 20);
    socket.on('close', () => clearInterval(timer));
  };

  it('is given up, whatever was asked', async () => {
    const url = await fake(
      answering((reply, _, __, socket) => {
        trickle(`MSG ${reply} 1 100000\r\n`)(socket);
        return '';
      }),
    );
    const place = await open(url, { timeLimit: 400 });
    const slow = { code: 'unreachable', detail: { reason: 'it answers too slowly' } };
    for (const operation of operationsOf(place)) {
      await expect(operation()).rejects.toMatchObject(slow);
    }
  });

  it('is given up in the midst of a list', async () => {
    let sequence = 3;
    const url = await fake(
      stream(1_000, (_to, sid, socket) => {
        const timer = setInterval(() => socket.write(delivered(sid, { sequence: ++sequence })), 20);
        socket.on('close', () => clearInterval(timer));
        return '';
      }),
    );
    await expect(listed(await open(url, { timeLimit: 400 }))).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'it answers too slowly' },
    });
  });

  it.each(['INFO {"server_id', INFO])('is given up when it is greeted: %s', async (head) => {
    const url = await fake(trickle(head));
    const made = makeNats(routeTo(url), { create: false }, context({ timeLimit: 400 }));
    await expect(made).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a server that says very much', () => {
  it('has no greeting without an end', async () => {
    let written = 0;
    const url = await fake((socket) => {
      socket.write('INFO ');
      const piece = Buffer.alloc(2 ** 16, 'x');
      const more = () => {
        while (!socket.destroyed && socket.write(piece)) written += piece.length;
      };
      socket.on('drain', more);
      more();
    });
    await expect(listed(await open(url))).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'it does not answer as a NATS server' },
    });
    // What the system holds comes on top.
    expect(written).toBeLessThan(64 * 2 ** 20);
  });

  it('asks ten thousand times whether we are there, and is told a few times', async () => {
    let heard = '';
    const url = await fake((socket) => {
      answering((reply) => {
        socket.write('PING\r\n'.repeat(10_000));
        return answer(reply, STATE(0));
      })(socket);
      socket.on('data', (chunk) => {
        heard += chunk;
      });
    });
    const place = await open(url);
    expect(await listed(place)).toEqual([]);
    await vi.waitFor(() => expect(heard).toContain('PONG'));
    expect(await listed(place)).toEqual([]);
    expect(heard.match(/PONG/g)?.length).toBeLessThan(100);
  });
});
