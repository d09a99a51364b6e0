/** Scenes of `recv`: each text is delivered, or delivered later, or can be received again. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { type Box, documents } from '../box.ts';
import { countOf, type Laws, maySayItAgain } from '../laws.ts';
import { replacing, type Scene } from '../scene.ts';
import type { Ran } from '../start.ts';
import { FILM, invited, keeping, talking, undelivered, withFilm } from './people.ts';

const TEXTS = ['<the first text>', '<the second text>', '<the third text>'];
const LEFT = '<left behind before>';

/** Alice sends the texts; the envelopes are in in.pawl. */
async function send(box: Box, texts: readonly string[]): Promise<void> {
  const envelopes: Buffer[] = [];
  for (const text of texts) envelopes.push(await box.ready('alice', ['send', 'bob'], Buffer.from(text)));
  writeFileSync(box.path('in.pawl'), Buffer.concat(envelopes));
}

interface Variant {
  readonly name: string;
  readonly before: (box: Box) => Promise<void>;
  readonly texts: readonly string[];
  readonly options?: readonly string[];
}

/** Each text is output by this run or by the next `recv < /dev/null`; otherwise its envelope can be received again. */
function receiving({ name, before, texts, options = [] }: Variant): Scene {
  const output = (box: Box, ran: Ran) => (options.includes('-o') ? box.read('out.txt') : ran.stdout);
  return {
    name,
    async prepare(box) {
      await before(box);
      await send(box, texts);
    },
    call: (box) => ({ who: 'bob', parameters: ['recv', ...options, box.path('in.pawl')] }),
    async check(box, ran, laws) {
      await laws.whole(box, 'bob');
      const first = output(box, ran);
      const next = await recvNothing(box, laws);
      const again = await laws.receives(box, 'bob', box.read('in.pawl') ?? Buffer.alloc(0));
      laws.hold((await recvNothing(box, laws)).length === 0, 'a text that came out waits still');
      for (const text of before === withLeftover ? [...texts, LEFT] : texts) {
        const now = countOf(first, text);
        const later = next.filter((one) => one.text === text);
        const anew = again.filter((one) => one.text === text).length;
        const shown = text.slice(0, 30);
        laws.hold(now + later.length + anew > 0, `${shown} is lost`);
        laws.hold(now <= 1 && later.length <= 1 && anew <= 1, `${shown} came ${now}, ${later.length}, ${anew} times`);
        laws.hold(anew === 0 || now + later.length === 0, `${shown} was accepted twice`);
        laws.hold(now === 0 || later.every((one) => one.again === true), `${shown} came again and does not say so`);
        // What was left waits where nothing would set it apart from what is received.
        const inOutput = text !== LEFT || options.includes('--json');
        if (ran.code === 0 && inOutput)
          laws.hold(
            now === 1 && (later.length === 0 || maySayItAgain(ran)),
            `done, but ${shown} came ${now}, then ${later.length} times`,
          );
      }
      await laws.talk(box, 'alice', 'bob');
    },
  };
}

/**
 * Receives empty input.
 * @returns what was accepted earlier and not delivered.
 */
async function recvNothing(box: Box, laws: Laws, options: readonly string[] = []) {
  const ran = await box.run('bob', ['recv', '--json', ...options]);
  // 66: nothing waits.
  laws.hold(ran.code === 0 || ran.code === 66, `recv of nothing: exit ${ran.code}: ${ran.stderr.trim()}`);
  return documents(ran.stdout).filter(({ type }) => type === 'message');
}

async function sentFilm(box: Box): Promise<void> {
  await withFilm(box);
  mkdirSync(box.path('got'));
  writeFileSync(box.path('in.pawl'), await box.ready('alice', ['send', 'bob', box.path('film')]));
}

/** The file is in its place, whole, or not at all; the same command again puts it there, and leaves nothing beside it. */
const filmIntoFolder: Scene = {
  name: 'recv --out-dir DIR, a large file',
  large: true,
  prepare: sentFilm,
  call: (box) => ({ who: 'bob', parameters: ['recv', box.path('in.pawl'), '--out-dir', box.path('got')] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const film = box.read('got/film');
    laws.hold(
      film?.equals(FILM) ?? ran.code !== 0,
      film === undefined ? 'done, but it is not there' : 'it is not whole',
    );
    await laws.works(box, 'bob', ['recv', box.path('in.pawl'), '--out-dir', box.path('got')]);
    laws.hold(box.read('got/film')?.equals(FILM) ?? false, 'it does not come a second time');
    const [identity] = documents((await laws.works(box, 'bob', ['inspect', '--json'])).stdout);
    laws.hold(JSON.stringify(identity?.incoming) === '[]', 'it is awaited still');
    const inode = (name: string) => statSync(box.path(`got/${name}`)).ino;
    // Where the disk refuses to remove its other name, once it has its own, that stays.
    const isOtherName = (name: string) => ran.code === 0 && inode(name) === inode('film');
    const others = readdirSync(box.path('got')).filter((name) => name !== 'film' && !isOtherName(name));
    laws.hold(others.length === 0, `in its folder there are ${others}`);
    await laws.talk(box, 'alice', 'bob');
  },
};

/** What was written is how it begins; until all of it was, it can be given again. */
const filmIntoPipe: Scene = {
  name: 'recv, a large stream',
  large: true,
  prepare: sentFilm,
  call: (box) => ({ who: 'bob', parameters: ['recv', box.path('in.pawl')] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    laws.hold(FILM.subarray(0, ran.stdout.length).equals(ran.stdout), 'it is not what was sent');
    const isWhole = ran.stdout.length === FILM.length;
    laws.hold(isWhole || ran.code !== 0, 'done, but it is not whole');
    const again = await box.run('bob', ['recv', box.path('in.pawl')]);
    laws.hold(again.stdout.equals(FILM) || (isWhole && again.stdout.length === 0), 'it cannot be had again');
    await laws.talk(box, 'alice', 'bob');
  },
};

const FILES: Readonly<Record<string, string>> = { 'one.txt': '<the first file>', 'two.txt': '<the second file>' };

/**
 * Each file is in the folder under its name, complete or not at all. Repeating the command adds what is missing, and
 * does not fail because of files that are there already.
 */
const intoFolder: Scene = {
  name: 'recv --out-dir DIR',
  async prepare(box) {
    await talking(box);
    mkdirSync(box.path('got'));
    const envelopes = [await box.ready('alice', ['send', 'bob', '-m', LEFT])];
    for (const [name, text] of Object.entries(FILES)) {
      writeFileSync(box.path(name), text);
      envelopes.push(await box.ready('alice', ['send', 'bob', box.path(name)]));
    }
    writeFileSync(box.path('in.pawl'), Buffer.concat(envelopes));
  },
  call: (box) => ({ who: 'bob', parameters: ['recv', box.path('in.pawl'), '--out-dir', box.path('got')] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    for (const [name, text] of Object.entries(FILES)) {
      const there = box.read(`got/${name}`)?.toString();
      laws.hold(there === undefined || there === text, `${name} holds ${there}`);
      if (ran.code === 0) laws.hold(there === text, `done, but ${name} is not there`);
    }
    const intoGot = ['--out-dir', box.path('got')];
    const next = await recvNothing(box, laws, intoGot);
    if (ran.code === 0 && !maySayItAgain(ran)) laws.hold(next.length === 0, 'done, but something waits');
    const { stdout } = await laws.works(box, 'bob', ['recv', '--json', box.path('in.pawl'), ...intoGot]);
    const again = documents(stdout).filter(({ type }) => type === 'message');
    laws.hold((await recvNothing(box, laws, intoGot)).length === 0, 'what came out waits still');
    for (const [name, text] of Object.entries(FILES)) {
      laws.hold(box.read(`got/${name}`)?.toString() === text, `${name} is lost`);
      const times = [next, again].map((all) => all.filter(({ file }) => file === name).length);
      laws.hold(times[0] === 0 || times[1] === 0, `${name} was accepted twice`);
    }
    const texts = [...next, ...again].filter((one) => one.text === LEFT).length + countOf(ran.stdout, LEFT);
    laws.hold(texts > 0, 'the text is lost');
    await laws.talk(box, 'alice', 'bob');
  },
};

/** The first is so large that the second is claimed by another transaction. */
const WAITING: Readonly<Record<string, string>> = { 'large.txt': 'z'.repeat(9 << 20), 'small.txt': '<a small file>' };

/** Files that waited are in the folder, each complete, or wait on: whatever ends the command between two transactions. */
const waitingIntoFolder: Scene = {
  name: 'recv --waiting --out-dir DIR, in slices',
  large: true,
  async prepare(box) {
    await talking(box);
    mkdirSync(box.path('got'));
    mkdirSync(box.path('taken'));
    const envelopes: Buffer[] = [];
    for (const [name, text] of Object.entries(WAITING)) {
      writeFileSync(box.path(name), text);
      writeFileSync(box.path(`taken/${name}`), 'another one');
      envelopes.push(await box.ready('alice', ['send', 'bob', box.path(name)]));
    }
    const all = await box.run('bob', ['recv', '--out-dir', box.path('taken')], Buffer.concat(envelopes));
    if (all.code !== 73) throw new Error(`files whose names are taken: exit ${all.code}: ${all.stderr}`);
  },
  call: (box) => ({ who: 'bob', parameters: ['recv', '--waiting', '--out-dir', box.path('got')] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const first = new Set(Object.keys(WAITING).filter((name) => box.read(`got/${name}`) !== undefined));
    if (ran.code === 0) laws.hold(first.size === 2, `done, but there are only ${[...first]}`);
    const next = await recvNothing(box, laws, ['--out-dir', box.path('got')]);
    if (ran.code === 0 && !maySayItAgain(ran)) laws.hold(next.length === 0, 'done, but something waits');
    for (const [name, text] of Object.entries(WAITING)) {
      const there = box.read(`got/${name}`)?.toString();
      laws.hold(there === text, `${name} is ${there === undefined ? 'lost' : 'not what was sent'}`);
      const later = next.filter(({ file }) => file === name);
      laws.hold(later.length <= 1, `${name} comes ${later.length} times`);
      laws.hold(!first.has(name) || later.every(({ again }) => again === true), `${name} came and does not say so`);
    }
    laws.hold((await recvNothing(box, laws)).length === 0, 'what came out waits still');
    await laws.talk(box, 'alice', 'bob');
  },
};

async function withLeftover(box: Box): Promise<void> {
  await talking(box);
  await undelivered(box, LEFT);
}

const toFile: Scene = (() => {
  const scene = receiving({ name: 'recv -o FILE', before: talking, texts: TEXTS, options: ['-o', 'out.txt'] });
  return {
    ...scene,
    async check(box, ran, laws) {
      const file = box.read('out.txt')?.toString();
      laws.hold(file === undefined || file === TEXTS.join(''), `the file holds ${JSON.stringify(file)}`);
      await scene.check(box, ran, laws);
    },
  };
})();

const three = receiving({ name: 'recv, with history', before: keeping, texts: TEXTS });

const kept: Scene = {
  ...three,
  async check(box, ran, laws) {
    await three.check(box, ran, laws);
    await laws.keptByBoth(box, 'alice', 'bob');
  },
};

export const RECEIVING: readonly Scene[] = [
  receiving({ name: 'recv, the first message', before: invited, texts: TEXTS.slice(0, 1) }),
  receiving({ name: 'recv, three messages', before: talking, texts: TEXTS }),
  receiving({ name: 'recv --json', before: talking, texts: TEXTS, options: ['--json'] }),
  toFile,
  replacing(toFile, 'out.txt'),
  intoFolder,
  waitingIntoFolder,
  filmIntoFolder,
  filmIntoPipe,
  receiving({ name: 'recv, one left behind', before: withLeftover, texts: TEXTS.slice(0, 1) }),
  receiving({
    name: 'recv --json, one left behind',
    before: withLeftover,
    texts: TEXTS.slice(0, 1),
    options: ['--json'],
  }),
  kept,
  { ...receiving({ name: 'recv, 3 MiB', before: talking, texts: [`<${'y'.repeat(3 << 20)}>`] }), large: true },
];
