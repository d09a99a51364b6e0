/** One identity in a database, on two hosts that send and receive with it at the same time, and die in between. */
import { mkdirSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Box, type Document, documents } from '../box.ts';
import { Host, type OnHost } from '../hosts.ts';
import type { Laws } from '../laws.ts';
import type { Database } from '../postgres.ts';
import { PostgresRelay } from '../postgres-relay.ts';
import type { Situation } from '../situations.ts';
import { type Ran, WORKSHOP } from '../start.ts';
import { sharedServer } from './database.ts';
import { talking } from './people.ts';

/** For how long the followers of a round are waited for, to tell the last text and to end, in milliseconds. */
const ROUND_TIME = 30_000;
/** A follower sends so many messages to the server, and gets so many answers, until it waits for something to come. */
const STEPS_OF_OPENING = 40;

/** An answer is so long on its way, in milliseconds. */
const DELAY = 10;

/** A text that a host has told. */
interface Told {
  readonly text: unknown;
  readonly again: boolean;
  readonly host: string;
  readonly wasKilled: boolean;
}

/** A host, and the ways from it to the server: one for what follows, one for what sends. */
interface Place {
  readonly host: Host;
  readonly follows: PostgresRelay;
  readonly sends: PostgresRelay;
}

class Story {
  readonly #box: Box;
  readonly #database: Database;
  readonly #places: readonly Place[];
  readonly told: Told[] = [];
  /** The texts of Alice. */
  readonly said: string[] = [];
  /** The texts of Bob, and how the commands that sent them ended. */
  readonly sent: { readonly text: string; readonly ran: Ran }[] = [];
  killed = 0;

  constructor(box: Box, database: Database, places: readonly Place[]) {
    this.#box = box;
    this.#database = database;
    this.#places = places;
  }

  /** Both follow and send while Alice sends; one thing on each host is killed. */
  async round(number: number, laws: Laws): Promise<void> {
    const followers = this.#places.map(({ host, follows }, index) => {
      const step = STEPS_OF_OPENING + ((number * 17 + index * 29) % 120);
      return this.#start(host, follows, ['recv', '--follow', '--json'], step);
    });
    const sending = this.#places.flatMap(({ host, sends }, index) =>
      [0, 1].map(async (turn) => {
        const text = `<${host.name} ${number}, ${turn}>`;
        // The first of them is killed, at another step in each round: a step of the two together.
        const step = turn === 0 ? 1 + ((number * 23 + index * 31) % 130) : 0;
        const ran = await this.#start(host, sends, ['send', 'alice', '-m', text], step).ended;
        this.sent.push({ text, ran });
      }),
    );
    for (let turn = 0; turn < 4; turn++) {
      const text = `<alice ${number}, ${turn}>`;
      await this.#box.ready('alice', ['send', 'bob', '-m', text]);
      this.said.push(text);
    }
    await Promise.all(sending);
    const last = this.said.at(-1) ?? '';
    const isTold = () => followers.some((one) => one.output().includes(last));
    const isOver = () => isTold() || followers.every((one) => one.isOver());
    for (const end = performance.now() + ROUND_TIME; !isOver() && performance.now() < end; ) await pause(50);
    // One that was killed may have taken it.
    laws.hold(
      isTold() || followers.some((one) => one.isOver()),
      `round ${number}: both follow, and none tells ${last}`,
    );
    for (const follower of followers) follower.send('SIGTERM');
    for (const [index, follower] of followers.entries()) {
      const host = this.#places[index]?.host.name ?? '';
      const hanging = setTimeout(() => {
        laws.hold(false, `round ${number}: what follows on ${host} does not end`);
        follower.send('SIGKILL');
      }, ROUND_TIME);
      this.note(host, await follower.ended);
      clearTimeout(hanging);
    }
  }

  note(host: string, { stdout, signal }: Ran): void {
    // By SIGTERM as well, which may meet it between a text and the commit that it has left.
    const wasKilled = signal !== undefined;
    if (wasKilled) this.killed += 1;
    for (const { type, text, again } of documents(stdout)) {
      if (type === 'message') this.told.push({ text, again: again === true, host, wasKilled });
    }
  }

  #start(
    host: Host,
    relay: PostgresRelay,
    parameters: readonly string[],
    step: number,
  ): OnHost & { isOver(): boolean } {
    let isOver = false;
    const uri = this.#database.server.uri(this.#database.name, relay.folder);
    if (step > 0) relay.breakAt(step, { when: step % 2 === 0 ? 'before' : 'after', does: 'cut', onMet: () => kill() });
    const running = host.start('bob', ['--home', uri, ...parameters]);
    const kill = () => running.send('SIGKILL');
    void running.ended.then(() => {
      isOver = true;
    });
    return { ...running, isOver: () => isOver };
  }
}

/** @param rounds in each of which a follower and a sender on each host are killed. */
export function twoHosts(rounds: number): Situation {
  return {
    name: `two hosts send and follow with one identity in a database, ${rounds} rounds`,
    async run(laws) {
      const server = sharedServer();
      if (server === undefined) return undefined;
      const box = Box.make(WORKSHOP);
      const database = server.database();
      box.homes.set('bob', database);
      await talking(box);
      mkdirSync(box.path('place'));
      await box.ready('alice', ['route', 'bob', `dir:${box.path('place')}`]);
      await box.ready('bob', ['route', 'alice', `dir:${box.path('place')}`]);
      const places: Place[] = [];
      try {
        for (const name of ['one', 'two']) {
          const host = await Host.start(box, name);
          if (host === undefined) return undefined;
          const [follows, sends] = [
            await PostgresRelay.start(database.server.socket),
            await PostgresRelay.start(database.server.socket),
          ];
          // Far enough for units of work to meet.
          follows.delay = sends.delay = DELAY;
          places.push({ host, follows, sends });
        }
        const story = new Story(box, database, places);
        for (let number = 0; number < rounds; number++) await story.round(number, laws);
        await settle(box, places, story, laws);
        return check(story, laws);
      } finally {
        for (const { host, follows, sends } of places) {
          host.end();
          follows.end();
          sends.end();
        }
        box.remove();
      }
    },
  };
}

/** What killed processes have left is delivered on their hosts; then everything has come. */
async function settle(box: Box, places: readonly Place[], story: Story, laws: Laws): Promise<void> {
  for (const { host } of places) {
    const ran = await host.run('bob', ['recv', '--fetch', '--json']);
    laws.hold(ran.code === 0, `recv --fetch on ${host.name}: exit ${ran.code}: ${ran.stderr}`);
    story.note(host.name, ran);
  }
  const left = () => readdirSync(box.path('place')).filter((name) => name.endsWith('.pawl'));
  const got: Document[] = [];
  for (const who of ['alice', 'bob', 'alice']) {
    const { stdout } = await laws.works(box, who, ['recv', '--fetch', '--json']);
    if (who === 'alice') got.push(...documents(stdout));
    else
      laws.hold(
        documents(stdout).every(({ type }) => type !== 'message'),
        'something was left for a third host',
      );
  }
  laws.hold(left().length === 0, `at the place there are still ${left()}`);
  for (const { code } of got) laws.hold(code === undefined, `Alice is told of ${code}`);
  for (const { text, ran } of story.sent) {
    const times = got.filter((one) => one.text === text).length;
    laws.hold(times <= 1, `Alice reads ${text} ${times} times`);
    if (ran.code === 0) laws.hold(times === 1, `done, but Alice does not read ${text}`);
    const isEnd = ran.signal === 'SIGKILL' || (ran.code !== undefined && [0, 74, 75].includes(ran.code));
    laws.hold(isEnd, `send: exit ${ran.code ?? ran.signal}: ${ran.stderr}`);
  }
  for (const [who, to] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    await laws.works(box, who, ['route', to, '--off']);
  }
  await laws.whole(box, 'bob');
  await laws.talk(box, 'alice', 'bob');
}

/** Each text is told; twice only on one host, where the process that had it was killed, and it says so. */
function check({ said, told, sent, killed }: Story, laws: Laws): string {
  let repeated = 0;
  for (const text of said) {
    const times = told.filter((one) => one.text === text);
    const [first, ...others] = times;
    laws.hold(first !== undefined, `${text} is lost`);
    repeated += others.length;
    const shown = times.map(({ host, again, wasKilled }) => `${host}${again ? ' again' : ''}${wasKilled ? ' †' : ''}`);
    laws.hold(new Set(times.map(({ host }) => host)).size <= 1, `${text} is told on both hosts: ${shown}`);
    laws.hold(
      others.length === 0 || (first?.wasKilled === true && others.every(({ again }) => again)),
      `${text} is told ${times.length} times: ${shown}`,
    );
  }
  const dead = sent.filter(({ ran }) => ran.signal === 'SIGKILL').length;
  return `${said.length} came, ${repeated} once more; ${sent.length} sent; killed: ${killed} that followed, ${dead} that sent`;
}
