/** Scenes along a route: nothing is lost, nothing is told twice, nothing is acknowledged before it is committed. */
import { mkdirSync, readdirSync } from 'node:fs';
import { type Box, type Document, documents } from '../box.ts';
import { countOf, type Laws, maySayItAgain } from '../laws.ts';
import type { Scene } from '../scene.ts';
import type { Ran } from '../start.ts';
import { talking } from './people.ts';

const TEXTS = ['<along the route, one>', '<along the route, two>', '<along the route, three>'];
/** The exit code where a place fails. */
const UNREACHABLE = 69;
/** For how long at least an envelope rests that could not be removed, in milliseconds. */
const PAUSE = 61_000;

async function withPlace(box: Box): Promise<void> {
  await talking(box);
  mkdirSync(box.path('place'));
}

async function routed(box: Box): Promise<void> {
  for (const [who, to] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    await box.ready(who, ['route', to, `dir:${box.path('place')}`]);
  }
}

/** What comes along the route by another command. */
async function fetched(box: Box, who: string, laws: Laws): Promise<readonly Document[]> {
  const { stdout } = await laws.works(box, who, ['recv', '--fetch', '--json']);
  return documents(stdout).filter(({ type }) => type === 'message');
}

/** The conversation goes on by hand, where every output is seen. */
async function talk(box: Box, laws: Laws): Promise<void> {
  for (const [who, to] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    await laws.works(box, who, ['route', to, '--off']);
  }
  await laws.talk(box, 'alice', 'bob');
}

/**
 * Nothing is at the place any more. Where a system call failed, what could not be removed rests: it is removed, and not
 * told again, when the pause is over.
 */
async function nothingLeft(box: Box, ran: Ran, laws: Laws): Promise<void> {
  const left = () => readdirSync(box.path('place')).filter((name) => name.endsWith('.pawl'));
  if (left().length > 0 && ran.code !== undefined) {
    box.ahead += PAUSE;
    laws.hold((await fetched(box, 'bob', laws)).length === 0, 'a text comes again after the pause');
  }
  laws.hold(left().length === 0, `at the place there are still ${left().join(', ')}`);
}

const sending: Scene = {
  name: 'send, along a route',
  prepare: withPlace,
  arrange: routed,
  exits: [UNREACHABLE],
  call: () => ({ who: 'alice', parameters: ['send', 'bob', '-m', TEXTS[0] ?? ''] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    const atFirst = await fetched(box, 'bob', laws);
    // What waits is handed over by whatever comes next.
    laws.hold((await fetched(box, 'alice', laws)).length === 0, 'Alice reads something');
    const later = await fetched(box, 'bob', laws);
    const times = [...atFirst, ...later].filter(({ text }) => text === TEXTS[0]).length;
    laws.hold(times <= 1, `Bob reads the text ${times} times`);
    if (ran.code === 0) laws.hold(atFirst.length === 1, 'done, but Bob does not read it');
    if (ran.code === UNREACHABLE) laws.hold(times === 1, 'it is said to wait, and does not come');
    await nothingLeft(box, ran, laws);
    await talk(box, laws);
  },
};

const receiving: Scene = {
  name: 'recv --fetch',
  prepare: withPlace,
  async arrange(box) {
    await routed(box);
    for (const text of TEXTS) await box.ready('alice', ['send', 'bob', '-m', text]);
  },
  exits: [UNREACHABLE],
  call: () => ({ who: 'bob', parameters: ['recv', '--fetch'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const next = await fetched(box, 'bob', laws);
    laws.hold((await fetched(box, 'bob', laws)).length === 0, 'a text that came out comes again');
    for (const text of TEXTS) {
      const now = countOf(ran.stdout, text);
      const later = next.filter((one) => one.text === text);
      laws.hold(now + later.length > 0, `${text} is lost`);
      laws.hold(now <= 1 && later.length <= 1, `${text} came ${now}, then ${later.length} times`);
      laws.hold(now === 0 || later.every((one) => one.again === true), `${text} came again and does not say so`);
      if (ran.code === 0)
        laws.hold(now === 1 && (later.length === 0 || maySayItAgain(ran)), `done, but ${text} is not`);
    }
    await nothingLeft(box, ran, laws);
    await talk(box, laws);
  },
};

export const CARRIED: readonly Scene[] = [sending, receiving];
