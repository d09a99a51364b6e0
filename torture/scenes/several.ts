/** Scenes of several contacts at once: each gets the text exactly once, or nobody does. */
import { mkdirSync } from 'node:fs';
import { type Box, type Document, documents } from '../box.ts';
import { type Laws, maySayItAgain } from '../laws.ts';
import type { Scene } from '../scene.ts';
import type { Ran } from '../start.ts';
import { deliver, talking } from './people.ts';

const TEXT = '<for all of you>';
const OTHERS = ['bob', 'carol'] as const;
/** The exit code where a place fails. */
const UNREACHABLE = 69;

/** Alice talks to bob and to carol, who are on her list, and there are folders for what they get. */
async function company(box: Box): Promise<void> {
  await talking(box);
  await box.ready('carol', ['init', 'carol']);
  await box.ready('alice', ['add', 'carol'], await box.ready('carol', ['invite', 'alice']));
  await deliver(box, 'alice', 'carol', 'hi');
  await deliver(box, 'carol', 'alice', 'hi');
  await box.ready('alice', ['list', 'ops', ...OTHERS]);
  for (const folder of ['out', ...OTHERS]) mkdirSync(box.path(folder));
}

async function routed(box: Box): Promise<void> {
  for (const name of OTHERS) {
    await box.ready('alice', ['route', name, `dir:${box.path(name)}`]);
    await box.ready(name, ['route', 'alice', `dir:${box.path(name)}`]);
  }
}

/** An envelope for each was committed, or for nobody. */
function checkAllOrNone(times: readonly number[], ran: Ran, laws: Laws): void {
  for (const [i, count] of times.entries()) laws.hold(count <= 1, `${OTHERS[i]} reads the text ${count} times`);
  laws.hold(new Set(times).size === 1, `${OTHERS.join(' and ')} read the text ${times.join(' and ')} times`);
  if (ran.code === 0)
    laws.hold(
      times.every((count) => count === 1),
      'done, but not all of them read it',
    );
}

function countText(all: readonly Document[]): number {
  return all.filter(({ text }) => text === TEXT).length;
}

const byHand: Scene = {
  name: 'send to several, --out-dir',
  prepare: company,
  call: (box) => ({ who: 'alice', parameters: ['send', '@ops', '-m', TEXT, '--out-dir', box.path('out')] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    const resent = (await laws.works(box, 'alice', ['outbox', 'resend'])).stdout;
    const times: number[] = [];
    for (const name of OTHERS) {
      const file = box.read(`out/${name}.pawl`);
      const atFirst = file === undefined ? [] : await laws.receives(box, name, file);
      if (ran.code === 0) laws.hold(atFirst.length === 1, `done, but the file of ${name} has no text`);
      // What is for another is refused, and nothing else.
      const later = documents((await box.run(name, ['recv', '--json'], resent)).stdout);
      for (const { code } of later)
        laws.hold(code === undefined || code === 'not-for-you', `${name} is told of ${code}`);
      times.push(countText([...atFirst, ...later]));
    }
    checkAllOrNone(times, ran, laws);
    if (ran.code === 0 && !maySayItAgain(ran)) laws.hold(resent.length === 0, 'done, but the outbox still has it');
    for (const name of OTHERS) await laws.talk(box, 'alice', name);
  },
};

async function fetched(box: Box, who: string, laws: Laws): Promise<readonly Document[]> {
  const { stdout } = await laws.works(box, who, ['recv', '--fetch', '--json']);
  return documents(stdout).filter(({ type }) => type === 'message');
}

const alongRoutes: Scene = {
  name: 'send to several, along their routes',
  prepare: company,
  arrange: routed,
  exits: [UNREACHABLE],
  call: () => ({ who: 'alice', parameters: ['send', OTHERS.join(), '-m', TEXT] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    const got = new Map<string, Document[]>();
    for (const name of OTHERS) got.set(name, [...(await fetched(box, name, laws))]);
    if (ran.code === 0) for (const [name, all] of got) laws.hold(countText(all) === 1, `done, but ${name} has no text`);
    // What waits is handed over by whatever comes next.
    await fetched(box, 'alice', laws);
    for (const [name, all] of got) all.push(...(await fetched(box, name, laws)));
    checkAllOrNone([...got.values()].map(countText), ran, laws);
    for (const name of OTHERS) {
      await laws.works(box, 'alice', ['route', name, '--off']);
      await laws.works(box, name, ['route', 'alice', '--off']);
      await laws.talk(box, 'alice', name);
    }
  },
};

const list: Scene = {
  name: 'list',
  prepare: company,
  call: () => ({ who: 'alice', parameters: ['list', 'ops', 'carol'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    const { stdout } = await laws.works(box, 'alice', ['list', 'ops', '--json']);
    const contacts = JSON.stringify(documents(stdout)[0]?.contacts);
    const isDone = contacts === '["carol"]';
    laws.hold(isDone || contacts === '["bob","carol"]', `in the list are ${contacts}`);
    if (ran.code === 0) laws.hold(isDone, 'done, but the list is the old one');
  },
};

export const SEVERAL: readonly Scene[] = [byHand, alongRoutes, list];
