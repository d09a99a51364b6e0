/** Scenes of an identity that gets into a database, or out of it: `move`, and `restore`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Box } from '../box.ts';
import type { Laws } from '../laws.ts';
import { PostgresServer } from '../postgres.ts';
import type { Scene } from '../scene.ts';
import { type Ran, WORKSHOP } from '../start.ts';
import { newDatabase } from './database.ts';
import { restore, untold, useHeldInvite } from './keeping.ts';
import { keeping, undelivered, unwritten } from './people.ts';

/** Texts on their way while Bob moves: in his inbox, in his outbox, and behind one of Alice that came later. */
const [WAITS, UNSENT, OVERTAKEN] = ['<it waits>', '<it was not sent>', '<it was overtaken>'];

/** Bob has all that an identity can have, and there is an older copy of him. */
async function laden(box: Box): Promise<void> {
  await keeping(box);
  mkdirSync(box.path('copy'));
  await box.ready('bob', ['backup', box.path('copy', 'bob.db')]);
  writeFileSync(box.path('overtaken.pawl'), await box.ready('alice', ['send', 'bob', '-m', OVERTAKEN]));
  await undelivered(box, WAITS);
  await unwritten(box, UNSENT, 'bob', 'alice');
}

/** Where Bob's database is kept while he is not in it: no identity has that name. */
const NOBODY = 'nobody';

interface Move {
  readonly name: string;
  readonly from: (box: Box) => string;
  readonly to: (box: Box) => string;
  /** What is in the folder of the identity files afterwards. */
  readonly files: readonly string[];
}

const inFolder = (box: Box): string => box.path('home');

function inDatabase({ homes }: Box): string {
  for (const { uri } of homes.values()) return uri;
  throw new Error('there is no database');
}

/** Exit codes of what is sent from where Bob was, and from where he moves to, at each stage. */
const [SENT, LEAVES, NOT_THERE, ROLLED_BACK] = [0, 75, 78, 76];
const MAY_HAVE_ARRIVED = /it is not found there, and may have been: /;
const STAGES: Readonly<Record<string, string>> = {
  [`${SENT}, ${NOT_THERE}`]: 'not begun',
  [`${LEAVES}, ${NOT_THERE}`]: 'leaves',
  [`${LEAVES}, ${SENT}`]: 'has arrived',
  [`${NOT_THERE}, ${SENT}`]: 'is moved',
};

/** Bob sends from at most one place, the same command goes on, and he has all that he had. */
function move({ name, from, to, files }: Move, prepare: (box: Box) => Promise<void>): Scene {
  const call = (box: Box) => ({ who: 'bob', parameters: ['move', '--to', to(box)] });
  return {
    name,
    prepare,
    call,
    async check(box, ran, laws) {
      const send = (home: string) => box.run('bob', ['send', 'alice', '-m', `from ${home}`, '--home', home]);
      const [here, there] = [await send(from(box)), await send(to(box))];
      const stage = STAGES[`${here.code}, ${there.code}`];
      laws.hold(stage !== undefined, `sends with ${here.code} and ${there.code}: ${here.stderr}${there.stderr}`);
      holdTold(laws, ran, stage);
      if (stage === 'leaves') await stays(box, laws);
      if (stage !== 'is moved') {
        const again = await box.run('bob', call(box).parameters);
        // It was stopped just when he could have arrived: of that, only his owner knows.
        if (stage === 'leaves' && again.code === LEAVES && MAY_HAVE_ARRIVED.test(again.stderr)) return;
        laws.hold(again.code === SENT, `once more: exit ${again.code}: ${again.stderr}`);
      }
      const gone = await box.run('bob', ['inspect', '--home', from(box)]);
      laws.hold(gone.code === NOT_THERE, `where he was: exit ${gone.code}: ${gone.stderr}`);
      // A draft stays for a day: it might be that of another process.
      const left = box.files().filter((file) => file.startsWith('home/') && !file.includes('.pawl-'));
      laws.hold(left.join() === files.map((file) => `home/${file}`).join(), `there are ${left}`);
      exchange(box);
      await laws.whole(box, 'bob');
      if (laws.broken.length > 0) return;
      await settle(box, laws, Buffer.concat([here.stdout, there.stdout]));
      await laws.talk(box, 'bob', 'alice');
      await laws.keptByBoth(box, 'bob', 'alice');
      await laws.keptByBoth(box, 'alice', 'bob');
      const copy = await box.run('bob', ['send', 'alice', '-m', 'from a copy', '--home', box.path('copy')]);
      laws.hold(copy.code === ROLLED_BACK, `sends from an older copy: exit ${copy.code}: ${copy.stderr}`);
    },
  };
}

/** What the command has told agrees with how far it came. */
function holdTold(laws: Laws, ran: Ran, stage: string | undefined): void {
  const { code, stderr } = ran;
  if (code === 0) laws.hold(stage === 'is moved', `done, but he ${stage}`);
  else if (code !== undefined) laws.hold(stage !== 'is moved' || untold(ran), `failed, but he ${stage}`);
  if (/nothing of this was done/.test(stderr)) laws.hold(stage === 'not begun', `nothing was done, but he ${stage}`);
}

/** His owner may have him stay where he was: he sends nothing before Alice has his new invite, and reads on. */
async function stays(box: Box, laws: Laws): Promise<void> {
  const copy = box.copy(WORKSHOP);
  await laws.works(copy, 'bob', ['inspect', '--after-restore']);
  const sent = await copy.run('bob', ['send', 'alice', '-m', 'too early']);
  laws.hold(sent.code === ROLLED_BACK, `sends when he was to stay: exit ${sent.code}: ${sent.stderr}`);
  await settle(copy, laws, Buffer.alloc(0));
  await useHeldInvite(copy, laws);
  copy.remove();
}

/** From here on, Bob is in the database, or is not any more. */
function exchange({ homes }: Box): void {
  for (const [who, home] of [...homes]) {
    homes.delete(who);
    homes.set(who === 'bob' ? NOBODY : 'bob', home);
  }
}

/** Each text that was on its way arrives once. @param sent what Bob has sent besides. */
async function settle(box: Box, laws: Laws, sent: Uint8Array): Promise<void> {
  const resent = (await laws.works(box, 'bob', ['outbox', 'resend'])).stdout;
  const toAlice = await laws.receives(box, 'alice', Buffer.concat([resent, sent]));
  const count = toAlice.filter(({ text }) => text === UNSENT).length;
  laws.hold(count === 1, `what was in the outbox comes ${count} times`);
  const expected = sent.length > 0 ? 2 : 1;
  laws.hold(toAlice.length === expected, `Alice reads ${toAlice.length} texts, and not ${expected}`);
  const toBob = [
    ...(await laws.receives(box, 'bob', Buffer.alloc(0))),
    ...(await laws.receives(box, 'bob', box.read('overtaken.pawl') ?? Buffer.alloc(0))),
  ];
  const texts = toBob.map(({ text }) => text);
  laws.hold(texts.join() === [WAITS, OVERTAKEN].join(), `Bob reads ${texts}`);
}

const into = move(
  { name: 'move, into a database', from: inFolder, to: inDatabase, files: ['alice.db'] },
  async (box) => {
    await laden(box);
    box.homes.set(NOBODY, newDatabase());
  },
);

const outOf = move(
  { name: 'move, out of a database', from: inDatabase, to: inFolder, files: ['alice.db', 'bob.db'] },
  async (box) => {
    box.homes.set('bob', newDatabase());
    await laden(box);
  },
);

/** The copy that is prepared lies in a folder of the box, so that it is written in steps, and goes with the box. */
const restored: Scene = {
  ...restore,
  name: 'restore, into a database',
  async prepare(box) {
    await restore.prepare(box);
    box.homes.set('bob', newDatabase());
    mkdirSync(box.path('runtime'));
  },
  call: (box) => ({ ...restore.call(box), environment: { XDG_RUNTIME_DIR: box.path('runtime') } }),
};

/** None where there is no server on this machine. */
export const MOVING: readonly Scene[] = PostgresServer.isHere ? [into, outOf, restored] : [];
