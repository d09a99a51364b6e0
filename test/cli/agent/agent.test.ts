import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Agent } from '../../../src/cli/agent/agent.ts';
import { askForKey, askToEnd } from '../../../src/cli/agent/client.ts';
import { socketFor } from '../../../src/cli/agent/folder.ts';
import { encodeKey, encodeRequest } from '../../../src/cli/agent/protocol.ts';
import { toHex } from '../../../src/primitives/index.ts';
import { temporaryFolder } from '../fake-io.ts';

// Sockets are real; what waits for a time is told that it has passed.

const MINUTE = 60_000;
const LOOK = 30_000;
const PATIENCE = 2_000;

const clocks = { wall: 0, monotonic: 0 };
const CLOCKS = { wall: () => clocks.wall, monotonic: () => clocks.monotonic };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Started {
  readonly agent: Agent;
  readonly key: Uint8Array;
  /** A copy of the key. */
  readonly secret: Uint8Array;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly path: string;
}

async function start({
  idle = 15 * MINUTE,
  folder = temporaryFolder(),
  salt = new Uint8Array(randomBytes(16)),
} = {}): Promise<Started> {
  const key = new Uint8Array(randomBytes(32));
  const secret = key.slice();
  const agent = await Agent.start({ key, salt, idle, most: 480 * MINUTE, folder }, CLOCKS);
  onTestFinished(() => agent.end());
  return { agent, key, secret, salt, path: socketFor(folder, salt) };
}

async function isOver({ agent, key, path }: Started): Promise<void> {
  await agent.ended;
  expect(key).toEqual(new Uint8Array(32));
  expect(existsSync(path)).toBe(false);
}

/** Time goes by on both clocks, and for what waits. */
function pass(time: number): void {
  clocks.wall += time;
  clocks.monotonic += time;
  vi.advanceTimersByTime(time);
}

/** What comes back for some bytes, up to the end of the connection. */
function say(path: string, ...pieces: readonly Uint8Array[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    const connection = connect(path, () => {
      for (const piece of pieces) connection.write(piece);
    });
    connection.on('data', (chunk) => heard.push(chunk));
    connection.on('error', () => undefined);
    connection.on('close', () => resolve(Buffer.concat(heard)));
  });
}

/** Somebody else in the place of an agent. */
async function impostor(path: string, answer: (connection: Socket) => void): Promise<Server> {
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    answer(connection);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return server;
}

describe('an agent', () => {
  it('gives its key for the file with its salt, again and again', async () => {
    const { secret, salt, path } = await start();
    for (let i = 0; i < 3; i++) expect(await askForKey(path, salt)).toEqual(secret);
  });

  it('lets nobody but its user connect, and leaves nothing else behind', async () => {
    const { path } = await start();
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual([path.split('/').at(-1)]);
  });

  it('ends when it is told to: its key is gone before that is answered', async () => {
    const one = await start();
    const told = askToEnd(one.path, one.salt).then((end) => [end, toHex(one.key)]);
    expect(await told).toEqual(['ended', '00'.repeat(32)]);
    await isOver(one);
    expect(await askForKey(one.path, one.salt)).toBeUndefined();
    expect(await askToEnd(one.path, one.salt)).toBe('nobody');
  });

  it('ends when it was not used for its time', async () => {
    const one = await start({ idle: MINUTE });
    pass(MINUTE - 1);
    expect(await askForKey(one.path, one.salt)).toEqual(one.secret);
    pass(MINUTE - 1);
    expect(one.key).toEqual(one.secret);
    pass(1);
    await isOver(one);
  });

  it('gives its key without a use of it, by which its time goes on', async () => {
    const one = await start({ idle: MINUTE });
    pass(MINUTE - 1);
    expect(await askForKey(one.path, one.salt, 'peek')).toEqual(one.secret);
    pass(1);
    await isOver(one);
    const late = await start({ idle: MINUTE });
    clocks.wall += MINUTE;
    expect(await askForKey(late.path, late.salt, 'peek')).toBeUndefined();
    await isOver(late);
  });

  it('gives nothing once its time is over by either clock, whether or not its timer has noticed', async () => {
    for (const clock of ['wall', 'monotonic'] as const) {
      const one = await start({ idle: MINUTE });
      clocks[clock] += MINUTE;
      expect(await askForKey(one.path, one.salt)).toBeUndefined();
      await isOver(one);
    }
  });

  it('ends when its socket is gone, or is another one', async () => {
    const gone = await start();
    rmSync(gone.path);
    pass(LOOK);
    await isOver(gone);
    const replaced = await start();
    rmSync(replaced.path);
    writeFileSync(replaced.path, '');
    pass(LOOK);
    await replaced.agent.ended;
    expect(replaced.key).toEqual(new Uint8Array(32));
    // What is there now is not its own.
    expect(existsSync(replaced.path)).toBe(true);
  });

  it('takes the place of the one before for the same file, which has ended then', async () => {
    const first = await start();
    const folder = join(first.path, '..');
    const next = await start({ folder, salt: first.salt });
    expect(first.key).toEqual(new Uint8Array(32));
    await first.agent.ended;
    expect(await askForKey(next.path, next.salt)).toEqual(next.secret);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('takes the place of a socket that a killed one has left', async () => {
    const folder = temporaryFolder();
    const salt = new Uint8Array(randomBytes(16));
    const server = await impostor(join(folder, 'other'), () => undefined);
    linkSync(join(folder, 'other'), socketFor(folder, salt));
    await new Promise((resolve) => server.close(resolve));
    const { path, secret } = await start({ folder, salt });
    expect(await askForKey(path, salt)).toEqual(secret);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('answers nothing for another salt, nor to what is no request', async () => {
    const { secret, salt, path } = await start();
    const request = encodeRequest({ wants: 'give', salt });
    const other = salt.map((byte) => byte ^ 1);
    expect(await askForKey(path, other)).toBeUndefined();
    expect(await askToEnd(path, other)).toBe('silent');
    for (const junk of [Uint8Array.of(...request, 0), new Uint8Array(request.length), new Uint8Array(1 << 20)]) {
      expect(await say(path, junk)).toHaveLength(0);
    }
    expect(await askForKey(path, salt)).toEqual(secret);
  });

  it('takes a request that comes in pieces', async () => {
    const { secret, salt, path } = await start();
    const request = encodeRequest({ wants: 'give', salt });
    expect(await say(path, request.subarray(0, 5), request.subarray(5))).toEqual(Buffer.from(encodeKey(secret)));
  });

  it('does not wait for a request that does not come, and is there for others meanwhile', async () => {
    const { secret, salt, path } = await start();
    const slow = say(path, Uint8Array.of(1));
    expect(await askForKey(path, salt)).toEqual(secret);
    pass(PATIENCE);
    expect(await slow).toHaveLength(0);
  });
});

describe('in the place of an agent', () => {
  const salt = new Uint8Array(16);

  it('there may be nothing, a file, a folder or a socket at which nobody answers', async () => {
    const folder = temporaryFolder();
    expect(await askForKey(join(folder, 'nothing'), salt)).toBeUndefined();
    writeFileSync(join(folder, 'file'), 'junk');
    expect(await askForKey(join(folder, 'file'), salt)).toBeUndefined();
    mkdirSync(join(folder, 'folder'));
    expect(await askForKey(join(folder, 'folder'), salt)).toBeUndefined();
    expect(await askToEnd(join(folder, 'folder'), salt)).toBe('nobody');
  });

  it('there may be one who says too little, too much or something else', async () => {
    const path = join(temporaryFolder(), 'socket');
    const answer = encodeKey(new Uint8Array(32));
    let said: Uint8Array = answer;
    await impostor(path, (connection) => connection.end(said));
    expect(await askForKey(path, salt)).toEqual(new Uint8Array(32));
    for (const junk of [
      answer.subarray(1),
      Uint8Array.of(...answer, 0),
      new Uint8Array(45),
      new Uint8Array(1 << 20),
      new Uint8Array(0),
    ]) {
      said = junk;
      expect(await askForKey(path, salt)).toBeUndefined();
    }
  });

  it('there may be one who never answers, or never ends', async () => {
    const path = join(temporaryFolder(), 'socket');
    let isHeard: () => void = () => undefined;
    await impostor(path, (connection) => {
      connection.write(encodeKey(new Uint8Array(32)).subarray(0, 44));
      connection.once('data', () => isHeard());
    });
    const late = async <Answer>(asked: Promise<Answer>): Promise<Answer> => {
      await new Promise<void>((resolve) => {
        isHeard = resolve;
      });
      vi.advanceTimersByTime(PATIENCE);
      return asked;
    };
    expect(await late(askForKey(path, salt))).toBeUndefined();
    expect(await late(askToEnd(path, salt))).toBe('silent');
  });
});
