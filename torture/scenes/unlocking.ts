/** Scenes with an agent: `unlock`, and what retires it. One that is left over ends when its box is removed. */
import { copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { askForKey } from '../../src/cli/agent/client.ts';
import { socketFor } from '../../src/cli/agent/folder.ts';
import { encodeSetup } from '../../src/cli/agent/protocol.ts';
import { equal } from '../../src/primitives/index.ts';
import type { Box } from '../box.ts';
import type { Laws } from '../laws.ts';
import type { Scene } from '../scene.ts';
import { passwd } from './keeping.ts';
import { talking, writeKey } from './people.ts';

/** How a command ends that is given no key: 0 where an agent has it, and 77 where somebody would have to be asked. */
async function withoutKey(box: Box, who: string, laws: Laws): Promise<number | undefined> {
  const { code, stderr } = await box.run(who, ['inspect', '--no-input']);
  laws.hold(code === 0 || code === 77, `without a key: exit ${code}: ${stderr}`);
  return code;
}

/** No file but the key file has the key. */
function holdUnwritten(box: Box, who: string, laws: Laws): void {
  const key = readFileSync(box.path(`${who}.key`));
  const files = box.files().filter((file) => file !== `${who}.key` && statSync(box.path(file)).isFile());
  const having = files.filter((file) => {
    const bytes = readFileSync(box.path(file));
    return [key, key.toString('hex'), key.toString('base64')].some((needle) => bytes.includes(needle));
  });
  laws.hold(having.length === 0, `the key is in ${having.join(', ')}`);
}

/** The next command is given the key or asks, and `lock` ends it. */
const unlock: Scene = {
  name: 'unlock',
  prepare: talking,
  call: () => ({ who: 'bob', parameters: ['unlock'] }),
  async check(box, ran, laws) {
    holdUnwritten(box, 'bob', laws);
    const next = await withoutKey(box, 'bob', laws);
    if (ran.code === 0) laws.hold(next === 0, 'done, but the next command has no key');
    await laws.works(box, 'bob', ['lock']);
    laws.hold((await withoutKey(box, 'bob', laws)) === 77, 'locked, but the next command has a key');
    await laws.whole(box, 'bob');
    await laws.talk(box, 'bob', 'alice');
  },
};

/** There is an agent all the time: the first one, or the next one. */
const unlockAgain: Scene = {
  ...unlock,
  name: 'unlock, once more',
  arrange: async (box) => void (await box.ready('bob', ['unlock'])),
  async check(box, ran, laws) {
    laws.hold((await withoutKey(box, 'bob', laws)) === 0, 'the key is lost');
    await unlock.check(box, ran, laws);
  },
};

/** The agent itself, which has the key for a millisecond: nothing of it is left, and the next one can be started. */
const agent: Scene = {
  name: 'unlock, in its agent',
  prepare: talking,
  arrange: async (box) => void mkdirSync(box.path('state', 'pawl', 'agent'), { recursive: true, mode: 0o700 }),
  call: (box) => {
    const key = new Uint8Array(readFileSync(box.path('bob.key')));
    const salt = saltOf(box.path('home', 'bob.db'));
    const input = encodeSetup({ key, salt, idle: 1, most: 1, folder: box.path('state', 'pawl', 'agent') });
    return { who: 'bob', parameters: ['agent'], input };
  },
  async check(box, _, laws) {
    holdUnwritten(box, 'bob', laws);
    laws.hold((await withoutKey(box, 'bob', laws)) === 77, 'its key is still given out');
    await laws.works(box, 'bob', ['unlock']);
    laws.hold((await withoutKey(box, 'bob', laws)) === 0, 'no other agent can take its place');
    await laws.works(box, 'bob', ['lock']);
  },
};

const rekeyed = passwd('passwd, while it is unlocked', async (box) => {
  await talking(box);
  writeKey(box, 'new.key');
});

/** Once the new key is in force, nobody gives out the old one, with which copies of the file open. */
const passwdUnlocked: Scene = {
  ...rekeyed,
  async arrange(box) {
    copyFileSync(box.path('home', 'bob.db'), box.path('old.db'));
    await box.ready('bob', ['unlock']);
  },
  async check(box, ran, laws) {
    const old = saltOf(box.path('old.db'));
    const isInForce = !equal(old, saltOf(box.path('home', 'bob.db')));
    const next = await withoutKey(box, 'bob', laws);
    if (isInForce) {
      const key = await askForKey(socketFor(box.path('state', 'pawl', 'agent'), old), old);
      laws.hold(next === 77 && key === undefined, 'the new key is in force, and an agent has a key');
    }
    laws.hold(ran.code !== 0 || isInForce, 'done, but the file has the old key');
    await rekeyed.check(box, ran, laws);
  },
};

function saltOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path).subarray(0, 16));
}

export const UNLOCKING: readonly Scene[] = [unlock, unlockAgain, agent, passwdUnlocked];
