/**
 * Scenes of one whose identity is in a PostgreSQL database, and talks to one whose identity is in a file: the scenes of files,
 * and what differs for a database.
 */
import { type Database, PostgresServer } from '../postgres.ts';
import type { Scene } from '../scene.ts';
import { CARRIED } from './carried.ts';
import { KEEPING } from './keeping.ts';
import { RECEIVING } from './receiving.ts';
import { SENDING } from './sending.ts';
import { SEVERAL } from './several.ts';

let shared: PostgresServer | undefined;

/** The server of all scenes in this process. It ends with the process, or by `PostgresServer.removeAll`. */
export function sharedServer(): PostgresServer | undefined {
  shared ??= PostgresServer.start();
  return shared;
}

/** An empty database of that server. */
export function newDatabase(): Database {
  const server = sharedServer();
  if (server === undefined) throw new Error('there is no PostgreSQL here');
  return server.database();
}

/** A scene in which one identity is in a database. */
function inDatabase(who: string, scene: Scene): Scene {
  return {
    ...scene,
    name: `${scene.name}, in a database`,
    async prepare(box) {
      box.homes.set(who, newDatabase());
      await scene.prepare(box);
    },
  };
}

/** Either there is no identity, and `init` can be repeated, or there is an intact one. */
const init: Scene = {
  name: 'init',
  prepare: async () => undefined,
  call: () => ({ who: 'alice', parameters: ['init', 'alice'] }),
  async check(box, ran, laws) {
    const isMade = (await box.run('alice', ['inspect'])).code === 0;
    if (ran.code === 0) laws.hold(isMade, 'done, but there is no identity');
    if (!isMade) await laws.works(box, 'alice', ['init', 'alice']);
    await laws.whole(box, 'alice');
    if (laws.broken.length > 0) return;
    await box.ready('bob', ['init', 'bob']);
    await box.ready('bob', ['add', 'alice'], await box.ready('alice', ['invite', 'bob']));
    await laws.talk(box, 'bob', 'alice');
  },
};

const named = (scenes: readonly Scene[], ...names: readonly string[]) =>
  names.map((name) => {
    const scene = scenes.find((one) => one.name === name);
    if (scene === undefined) throw new Error(`there is no scene "${name}"`);
    return scene;
  });

const OF_ALICE: readonly Scene[] = [
  init,
  ...named(KEEPING, 'add', 'add, a second invite'),
  ...named(
    SENDING,
    'send, the first message',
    'send, in a chain',
    'send, a new chain',
    'send -o FILE',
    'send, with history',
    'send --lines',
    'outbox resend',
    'send, a large file',
    'send, with an ML-KEM field',
  ),
  ...named(CARRIED, 'send, along a route'),
  ...SEVERAL,
];

const OF_BOB: readonly Scene[] = [
  ...named(KEEPING, 'invite', 'invite --held', 'passwd', 'backup', 'backup -'),
  ...RECEIVING,
  ...named(CARRIED, 'recv --fetch'),
];

/** None where there is no server on this machine. */
export const IN_DATABASE: readonly Scene[] = PostgresServer.isHere
  ? [...OF_ALICE.map((scene) => inDatabase('alice', scene)), ...OF_BOB.map((scene) => inDatabase('bob', scene))]
  : [];
