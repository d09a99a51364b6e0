/** Scenes of `send` and `outbox resend`: each text arrives exactly once. */
import { chmodSync, mkdirSync } from 'node:fs';
import { type Box, type Call, type Document, documents } from '../box.ts';
import { countOf, type Laws, maySayItAgain } from '../laws.ts';
import { replacing, type Scene } from '../scene.ts';
import { type Ran, WORKSHOP } from '../start.ts';
import { deliver, FILM, invited, keeping, talking, unwritten, withFilm } from './people.ts';

const TEXT = 'the text of this send';

/** Bob receives what was output, then what `outbox resend` outputs, and gets each text once. */
async function checkSend(box: Box, ran: Ran, laws: Laws, texts: readonly string[] = [TEXT]): Promise<void> {
  await laws.whole(box, 'alice');
  const left = box.read('out.pawl') ?? ran.stdout;
  const resent = (await laws.works(box, 'alice', ['outbox', 'resend'])).stdout;
  const again = (await laws.works(box, 'alice', ['outbox', 'resend'])).stdout;
  laws.hold(again.length === 0, 'the outbox gives an envelope twice');
  const atFirst = await laws.receives(box, 'bob', left);
  const later = await laws.receives(box, 'bob', resent);
  for (const text of texts) {
    const times = [...atFirst, ...later].filter((one) => one.text === text).length;
    laws.hold(times <= 1, `Bob reads a text ${times} times`);
    if (ran.code === 0) laws.hold(times === 1, 'done, but Bob does not read it');
  }
  if (ran.code === 0 && !maySayItAgain(ran)) laws.hold(resent.length === 0, 'done, but the outbox still has it');
  // A used message key without its envelope would show as a missing message, a key used twice as a fork.
  await laws.talk(box, 'alice', 'bob');
}

function sending(name: string, prepare: (box: Box) => Promise<void>, call: (box: Box) => Call): Scene {
  return { name, prepare, call, check: (box, ran, laws) => checkSend(box, ran, laws) };
}

const plain = (): Call => ({ who: 'alice', parameters: ['send', 'bob', '-m', TEXT] });

const opening = sending('send, the first message', invited, plain);

const inChain = sending(
  'send, in a chain',
  async (box) => {
    await talking(box);
    await deliver(box, 'alice', 'bob', 'begins the chain');
  },
  plain,
);

const newChain = sending('send, a new chain', talking, plain);

/** Armored, an envelope with an ML-KEM key or ciphertext is longer than this, and one without is not. */
const LONGER_THAN_WITHOUT = 1_400;

/** The next envelope of Alice has an ML-KEM field. */
async function rekeying(box: Box): Promise<void> {
  await talking(box);
  for (let round = 0; round < 30; round++) {
    const probe = box.copy(WORKSHOP);
    const envelope = await probe.ready('alice', ['send', 'bob', '-m', 'x']);
    probe.remove();
    if (envelope.length > LONGER_THAN_WITHOUT) return;
    await deliver(box, 'alice', 'bob', `${round}`);
    await deliver(box, 'bob', 'alice', `${round}`);
  }
  throw new Error('no message has an ML-KEM field');
}

const rekeyed = sending('send, with an ML-KEM field', rekeying, plain);

const toFile: Scene = {
  ...sending('send -o FILE', talking, (box) => ({
    who: 'alice',
    parameters: ['send', 'bob', '-m', TEXT, '-o', box.path('out.pawl')],
  })),
  async check(box, ran, laws) {
    const file = box.read('out.pawl');
    if (file !== undefined) {
      const { stdout } = await laws.works(box, 'alice', ['inspect', '--envelope', box.path('out.pawl'), '--json']);
      laws.hold(documents(stdout)[0]?.bytes === file.length, 'the file is no whole envelope');
    }
    await checkSend(box, ran, laws);
  },
};

/** Others could read the identity file: its mode is changed on the way. */
const exposed = sending(
  'send, from a file that others can read',
  async (box) => {
    await talking(box);
    chmodSync(box.path('home', 'alice.db'), 0o644);
  },
  plain,
);

const kept: Scene = {
  ...sending('send, with history', keeping, plain),
  async check(box, ran, laws) {
    await checkSend(box, ran, laws);
    // If the text was sealed, Bob has received it by now.
    await laws.keptByBoth(box, 'alice', 'bob');
  },
};

const LARGE = 3 << 20;

const large: Scene = {
  ...sending('send, 3 MiB', talking, () => ({
    who: 'alice',
    parameters: ['send', 'bob'],
    input: Buffer.alloc(LARGE, 'x'),
  })),
  large: true,
  check: (box, ran, laws) => checkSend(box, ran, laws, ['x'.repeat(LARGE)]),
};

/** What was begun is gone on with, and Bob gets the whole of it; or nothing was begun. */
const film: Scene = {
  name: 'send, a large file',
  large: true,
  prepare: withFilm,
  call: (box) => ({ who: 'alice', parameters: ['send', 'bob', box.path('film')] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    const resent = (await laws.works(box, 'alice', ['outbox', 'resend'])).stdout;
    const again = (await laws.works(box, 'alice', ['outbox', 'resend'])).stdout;
    laws.hold(again.length === 0, 'the outbox gives a content twice');
    mkdirSync(box.path('got'));
    await box.run('bob', ['recv', '--out-dir', box.path('got')], Buffer.concat([ran.stdout, resent]));
    const isThere = box.read('got/film')?.equals(FILM) ?? false;
    laws.hold(isThere || (ran.code !== 0 && ran.stdout.length === 0), 'Bob does not get all of it');
    const [identity] = documents((await laws.works(box, 'bob', ['inspect', '--json'])).stdout);
    laws.hold(JSON.stringify(identity?.incoming) === '[]', 'Bob awaits it still');
    await laws.talk(box, 'alice', 'bob');
  },
};

const LINES = ['the first line', 'the second line', 'the third line'];

const lines: Scene = {
  ...sending('send --lines', talking, () => ({
    who: 'alice',
    parameters: ['send', 'bob', '--lines'],
    input: Buffer.from(`${LINES.join('\n')}\n`),
  })),
  check: (box, ran, laws) => checkSend(box, ran, laws, LINES),
};

const OLD = ['left behind, one', 'left behind, two', 'left behind, three'];

const resend: Scene = {
  name: 'outbox resend',
  async prepare(box) {
    await talking(box);
    for (const text of OLD) await unwritten(box, text);
  },
  call: () => ({ who: 'alice', parameters: ['outbox', 'resend'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    const resent = (await laws.works(box, 'alice', ['outbox', 'resend'])).stdout;
    const got: Document[] = [];
    got.push(...(await laws.receives(box, 'bob', ran.stdout)));
    got.push(...(await laws.receives(box, 'bob', resent)));
    for (const text of OLD) {
      const times = got.filter((one) => one.text === text).length;
      laws.hold(times === 1, `Bob reads an envelope of the outbox ${times} times`);
    }
    if (ran.code === 0 && !maySayItAgain(ran)) laws.hold(resent.length === 0, 'done, but the outbox still has some');
    const { stdout } = await laws.works(box, 'alice', ['outbox', '--json']);
    laws.hold(documents(stdout).length === 0 && countOf(stdout, 'bob') === 0, 'the outbox is not empty');
    await laws.talk(box, 'alice', 'bob');
  },
};

export const SENDING: readonly Scene[] = [
  opening,
  inChain,
  newChain,
  rekeyed,
  toFile,
  replacing(toFile, 'out.pawl'),
  exposed,
  kept,
  film,
  lines,
  large,
  resend,
];
