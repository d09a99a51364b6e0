import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldOf, LARGEST_ANSWER, NoNats, operationsIn } from '../../src/places/nats-frames.ts';

const INFO = 'INFO {"version":"2.9.10","max_payload":1048576}';

async function* pieces(all: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* all;
}

/** What is read of texts that come one after the other: the verbs, and the bytes. */
async function readOf(...texts: readonly (string | Uint8Array)[]) {
  const read: [verb: string, text: string][] = [];
  const source = pieces(texts.map((text) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text)));
  for await (const { verb, bytes } of operationsIn(source)) read.push([verb, Buffer.from(bytes).toString('latin1')]);
  return read;
}

const plain = (bytes: string, to = 'a 1') => `MSG ${to} ${bytes.length}\r\n${bytes}\r\n`;
const headed = (fields: string, bytes: string, status = '') => {
  const headers = `NATS/1.0${status}\r\n${fields}\r\n`;
  return `HMSG a 1 b ${headers.length} ${headers.length + bytes.length}\r\n${headers}${bytes}\r\n`;
};

describe('what a server sends', () => {
  it.each([
    ['INFO', `${INFO}\r\n`],
    ['INFO', `${INFO} \r\n`],
    ['PING', 'PING\r\n'],
    ['other', 'PONG\r\n'],
    ['other', '+OK\r\n'],
    ['other', "-ERR 'Authorization Violation'\r\n"],
    ['MSG', plain('')],
    ['MSG', plain('ab\r\nPING\r\n')],
    ['MSG', plain('x', 'a 17 b.c')],
    ['MSG', headed('', 'x')],
    ['MSG', headed('', '', ' 404 No Messages')],
    ['MSG', headed('Pawl-Name: 1\r\nNats-Msg-Size: 7\r\n', '')],
  ])('is handed on as it is: %s %j', async (verb, text) => {
    expect(await readOf(text)).toEqual([[verb, text]]);
    // In pieces, and among others.
    expect(await readOf(...`${text}${plain('y')}${text}`)).toEqual([
      [verb, text],
      ['MSG', plain('y')],
      [verb, text],
    ]);
  });

  it('may have two spaces in it, as server 2.9.10 writes them', async () => {
    expect(await readOf(plain('x', 'a 1 '))).toEqual([['MSG', plain('x')]]);
  });

  it.each([
    'SSH-2.0-OpenSSH_9.2p1\r\n',
    'PING\n',
    'MSG a 1\r\n\r\n',
    'MSG a 1 x\r\n\r\n',
    'MSG a 1 -1\r\n\r\n',
    'MSG a 1 9999999999999999\r\n\r\n',
    'MSG a 1 2\r\nabcd',
    'HMSG a 1 5 4\r\nabcd\r\n',
    'INFO nonsense\r\n',
    'INFO {nonsense}\r\n',
    'INFO {"version":"2","max_payload":1}\r\n',
    'INFO {"version":"2.9.10","max_payload":"1"}\r\n',
    `-ERR ${'x'.repeat(2 ** 17)}\r\n`,
    'x'.repeat(2 ** 17),
    // What is read of it at most looks like a whole line.
    `-ERR ${'x'.repeat(2 ** 16 - 6)}\r${'y'.repeat(2 ** 16)}\r\n`,
  ])('is no NATS: %j', async (text) => {
    await expect(readOf(text)).rejects.toThrow(NoNats);
  });

  it('has an end in the midst of a message', async () => {
    await expect(readOf('MSG a 1 100\r\nabc')).rejects.toThrow('connection closed');
    expect(await readOf(plain('x'), '')).toHaveLength(1);
  });

  it('keeps of headers what is of use, the last of each name', async () => {
    const fields = 'Bad name: x\r\nno colon\r\nPawl-Name: 1\r\nX: y\r\nNats-Msg-Size: 1\r\nNats-Msg-Size: 2\r\n';
    expect(await readOf(headed(fields, 'body'))).toEqual([
      ['MSG', headed('Pawl-Name: 1\r\nNats-Msg-Size: 2\r\n', 'body')],
    ]);
    expect(await readOf(headed('Pawl-Name: x\ry\r\n', 'body'))).toEqual([['MSG', headed('', 'body')]]);
  });

  it.each(['MSG a 1 b', 'HMSG a 1 b 20'])('has no bytes where they are too many: %s', async (head) => {
    const piece = new Uint8Array(2 ** 20);
    const count = LARGEST_ANSWER / piece.length;
    const most = Array.from({ length: count }, () => piece);
    const over = [`MSG a 1 b ${LARGEST_ANSWER + 1}\r\n`.replace('MSG a 1 b', head), ...most, '\0\r\n', plain('y')];
    expect(await readOf(...over)).toEqual([
      ['MSG', 'MSG a 1 b 0\r\n\r\n'],
      ['MSG', plain('y')],
    ]);
    const [[, text = ''] = []] = await readOf(`MSG a 1 b ${LARGEST_ANSWER}\r\n`, ...most, '\r\n');
    expect(text.length).toBeGreaterThan(LARGEST_ANSWER);
  });

  it('is, whatever it is, what the package can read, or no NATS', async () => {
    const { Parser } = await import('@nats-io/transport-node');
    const { MsgHdrsImpl } = await import('@nats-io/nats-core/internal');
    const some = fc.constantFrom(
      ...[
        INFO,
        'PING',
        'PONG',
        '-ERR',
        'MSG a 1 3',
        'HMSG a 1 12 13',
        'HMSG a 1 30 30',
        'NATS/1.0',
        '404',
        'k: v',
        'k :',
      ],
      ...['\r\n', '\r\n', '\r\n', '\n', '\r', ' ', 'abc', ':', '\t', '{', '\xff', '{"version":"x"}', 'INFO '],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(some, { maxLength: 30 }), async (texts) => {
        const parser = new Parser({
          push(event) {
            if ('msg' in event && event.msg.hdr > -1)
              MsgHdrsImpl.decode((event.data ?? Buffer.of()).subarray(0, event.msg.hdr));
          },
        });
        try {
          for await (const { bytes } of operationsIn(pieces([Buffer.from(texts.join(''), 'latin1')])))
            parser.parse(bytes);
        } catch (error) {
          expect(`${error}`).toMatch(/NoNats|connection closed/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a field of headers', () => {
  it.each([
    ['NATS/1.0\r\nA: x\r\n\r\n', 'x'],
    ['NATS/1.0\r\nA:x\r\nA:  y \r\n\r\n', 'y'],
    ['NATS/1.0\r\nAA: x\r\n\r\n', undefined],
    ['A: x\r\n', undefined],
    ['NATS/1.0\r\nA: x', undefined],
    ['NATS/1.0\r\nA: x\ny\r\n\r\n', undefined],
    [`NATS/1.0\r\nA: ${'x'.repeat(200)}\r\n\r\n`, undefined],
    [`NATS/1.0\r\nA: x${' '.repeat(1e6)}y\r\n\r\n`, undefined],
  ])('of %j is %j', (headers, value) => {
    expect(fieldOf(headers, 'A')).toBe(value);
  });
});
