/**
 * Places that fail at each of their steps: a command at each of its calls, a server at each operation of its protocol. With
 * each failure something is sent and something fetched; then the place is well, and everything has come once.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Box, type Document, documents } from '../box.ts';
import type { Laws } from '../laws.ts';
import { type Cut, Relay } from '../nats.ts';
import type { Situation } from '../situations.ts';
import { EXAMPLES, LAUNCHER, NODE, WORKSHOP } from '../start.ts';
import { FILM, talking } from './people.ts';

const PAWL_BOX = join(EXAMPLES, 'pawl-box');
const UNREACHABLE = 69;
/** The exit code for a part that is not itself: it was garbled on its way. */
const REFUSED = 65;
/** What is left rests for so many milliseconds: at first, and later. */
const PAUSES = [61_000, 601_000, 3_601_000];

/** A place, and the ways in which it fails at a step. */
interface Place {
  readonly route: string;
  /** `kill`: pawl is killed at that step. */
  readonly ways: readonly string[];
  /** From the next command on, it fails at this step. @param onMet is called there. */
  failAt(step: number, way: string): void;
  /** It is well again. @returns whether the step was met. */
  heal(): boolean;
  /** Is told of a process that is to be killed. */
  killsAt(pid: number): void;
  nothingLeft(): Promise<boolean>;
  end(): Promise<void>;
}

/** Does what it is asked, and fails at the call of a number. */
const COMMAND = `
n=$(($(cat calls) + 1))
echo $n > calls
how=well
[ "$n" = "$(cat at)" ] && how=$(cat how)
box() { sh '${PAWL_BOX}' place "$@"; }
case $how in
well) box "$1" ;;
exits-before) exit 1 ;;
dies-before) kill -9 $$ ;;
exits-after) box "$1"; exit 1 ;;
dies-after) box "$1"; kill -9 $$ ;;
takes-half) head -c 300 | box "$1"; exit 1 ;;
gives-half | gives-half-and-exits | garbles-the-end | garbles-the-middle)
  box "$1" > answer
  size=$(wc -c < answer)
  case $how in
  gives-half*) head -c $((size / 2)) answer ;;
  garbles-the-end) head -c $((size - (size > 20 ? 20 : size))) answer; head -c $((size > 20 ? 20 : size)) /dev/zero ;;
  garbles-the-middle)
    head -n 1 answer
    rest=$((size - $(head -n 1 answer | wc -c)))
    tail -c $rest answer | tr '\\000-\\377' '\\001-\\377\\000' ;;
  esac
  [ $how != gives-half-and-exits ] ;;
says-something-first) echo 'Welcome to the relay!'; box "$1" ;;
says-something-last) box "$1"; echo 'Connection to relay closed.' ;;
says-nothing) case $1 in list | get) cat > /dev/null ;; *) box "$1" ;; esac ;;
kill-before) kill -9 $(cat pid) ;;
kill-after) box "$1"; kill -9 $(cat pid) ;;
esac
`;

function commandIn(box: Box): Place {
  mkdirSync(box.path('place'));
  writeFileSync(box.path('place.sh'), COMMAND);
  const write = (name: string, text: string | number) => writeFileSync(box.path(name), `${text}\n`);
  const failAt = (step: number, way: string) => {
    write('calls', 0);
    write('at', step);
    write('how', way);
  };
  failAt(0, 'well');
  return {
    route: `exec:cd '${box.folder}' && sh place.sh`,
    ways: [
      'exits-before',
      'dies-before',
      'exits-after',
      'dies-after',
      'takes-half',
      'gives-half',
      'gives-half-and-exits',
      'garbles-the-end',
      'garbles-the-middle',
      'says-something-first',
      'says-something-last',
      'says-nothing',
      'kill-before',
      'kill-after',
    ],
    failAt,
    heal() {
      const isMet = Number(readFileSync(box.path('calls'))) >= Number(readFileSync(box.path('at')));
      failAt(0, 'well');
      return isMet;
    },
    killsAt: (pid) => write('pid', pid),
    nothingLeft: async () => readdirSync(box.path('place')).every((name) => !name.endsWith('.pawl')),
    end: async () => undefined,
  };
}

async function serverFor(): Promise<Place | undefined> {
  const relay = await Relay.start();
  if (relay === undefined) return undefined;
  let pid: number | undefined;
  let last = 0;
  return {
    route: relay.url,
    ways: ['cut-before', 'cut-within', 'cut-after', 'kill-before', 'kill-within', 'kill-after'],
    failAt(step, way) {
      last = step;
      const [does, how] = way.split('-');
      relay.cutAt(step, how as Cut, () => {
        if (does === 'kill' && pid !== undefined) process.kill(pid, 'SIGKILL');
      });
    },
    heal() {
      relay.heal();
      return relay.steps >= last;
    },
    killsAt(one) {
      pid = one;
    },
    nothingLeft: async () => (await relay.messages()) === 0,
    end: () => relay.end(),
  };
}

/** How a command ended that may have been killed. */
interface Tried {
  readonly code: number | undefined;
  readonly isKilled: boolean;
  readonly stdout: Buffer;
  readonly stderr: string;
}

class Story {
  readonly #box: Box;
  readonly #place: Place;
  readonly #laws: Laws;
  readonly #title: string;

  constructor(box: Box, place: Place, laws: Laws, title: string) {
    this.#box = box;
    this.#place = place;
    this.#laws = laws;
    this.#title = title;
  }

  hold(is: boolean, otherwise: string): void {
    this.#laws.hold(is, `${this.#title}: ${otherwise}`);
  }

  /** Runs a command while the place fails: in a process of its own where that is killed. */
  async tries(
    who: string,
    parameters: readonly string[],
    step: number,
    way: string,
  ): Promise<Tried & { isMet: boolean }> {
    this.#place.failAt(step, way);
    const tried = way.startsWith('kill')
      ? await this.#inProcess(who, parameters)
      : await this.#box.run(who, parameters);
    const isMet = this.#place.heal();
    const isKilled = 'isKilled' in tried && tried.isKilled;
    if (!isKilled) {
      const isGarbled = tried.code === REFUSED && way.startsWith('garbles');
      this.hold(
        tried.code === 0 || tried.code === UNREACHABLE || isGarbled,
        `${who}: exit ${tried.code}: ${tried.stderr.trim()}`,
      );
      this.hold(!/\n {4}at /.test(tried.stderr), 'shows a stack trace');
    }
    return { ...tried, isKilled, isMet };
  }

  async #inProcess(who: string, parameters: readonly string[]): Promise<Tried> {
    const child = spawn(NODE, [LAUNCHER, ...this.#box.arguments(who, parameters)], {
      cwd: this.#box.folder,
      env: this.#box.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid !== undefined) this.#place.killsAt(child.pid);
    const said: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk: Buffer) => said[name].push(chunk));
    return new Promise((resolve) => {
      child.on('close', (code, signal) =>
        resolve({
          code: code ?? undefined,
          isKilled: signal === 'SIGKILL',
          stdout: Buffer.concat(said.stdout),
          stderr: Buffer.concat(said.stderr).toString(),
        }),
      );
    });
  }

  /** Runs a command with a place that is well. */
  async works(who: string, parameters: readonly string[]): Promise<{ stdout: Buffer; stderr: string }> {
    const ran = await this.#box.run(who, parameters);
    this.hold(ran.code === 0, `then pawl ${parameters.join(' ')} of ${who}: exit ${ran.code}: ${ran.stderr.trim()}`);
    return ran;
  }

  /** Lets what rests be tried again. */
  async untilNothingRests(fetch: () => Promise<void>): Promise<void> {
    await fetch();
    for (const pause of PAUSES) {
      if (await this.#place.nothingLeft()) break;
      this.#box.ahead += pause;
      await fetch();
    }
    this.hold(await this.#place.nothingLeft(), 'there is something left at the place');
  }
}

/** @returns whether a step of sending, or of fetching, was met. */
async function texts(story: Story, step: number, way: string): Promise<boolean> {
  const [first, second] = [`<${step} ${way}, one>`, `<${step} ${way}, two>`];
  const sent = await story.tries('alice', ['send', 'bob', '-m', first], step, way);
  await story.works('alice', ['send', 'bob', '-m', second]);
  const fetched = await story.tries('bob', ['recv', '--fetch', '--json'], step, way);
  const later: Document[] = [];
  await story.untilNothingRests(async () => {
    later.push(...messagesIn((await story.works('bob', ['recv', '--fetch', '--json'])).stdout));
  });
  const now = messagesIn(fetched.stdout);
  for (const text of [first, second]) {
    const [before, after] = [now, later].map((all) => all.filter((one) => one.text === text));
    const times = (before?.length ?? 0) + (after?.length ?? 0);
    // Whoever was killed before it had committed anything has sent nothing.
    const isSent = text === second || !sent.isKilled || times > 0;
    if (isSent) story.hold(times > 0, `${text} is lost`);
    const isExcused = fetched.isKilled && after?.every((one) => one.again === true) === true;
    story.hold(times <= 1 || (isExcused && times === 2), `${text} comes ${times} times`);
  }
  return sent.isMet || fetched.isMet;
}

function messagesIn(output: Buffer): readonly Document[] {
  return documents(output).filter(({ type }) => type === 'message');
}

function film(box: Box) {
  return async (story: Story, step: number, way: string): Promise<boolean> => {
    const out = box.path('out');
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
    const sent = await story.tries('alice', ['send', 'bob', box.path('film')], step, way);
    await story.works('alice', ['outbox', 'resend']);
    await story.works('alice', ['recv', '--fetch']);
    const outbox = await story.works('alice', ['outbox', '--json']);
    story.hold(documents(outbox.stdout).length === 0, `the outbox has ${outbox.stdout}`);
    const fetched = await story.tries('bob', ['recv', '--fetch', '--out-dir', out], step, way);
    let told = fetched.stderr.split('wrote ').length - 1;
    await story.untilNothingRests(async () => {
      told += (await story.works('bob', ['recv', '--fetch', '--out-dir', out])).stderr.split('wrote ').length - 1;
    });
    const there = readdirSync(out);
    if (sent.isKilled && there.length === 0) return true;
    story.hold(there.join() === 'film' && readFileSync(join(out, 'film')).equals(FILM), `there is ${there}`);
    story.hold(told === 1 || (fetched.isKilled && told <= 2), `it is told ${told} times`);
    return sent.isMet || fetched.isMet;
  };
}

const KINDS = {
  command: async (box: Box) => commandIn(box),
  server: () => serverFor(),
} as const;

/** Each part takes the same steps: of a large content, only every seventh is tried, of each way others. */
const STEPS_OF_PARTS = 7;

/**
 * @param every of the steps, so many are tried: every n-th.
 * @param contents what goes along the route.
 */
export function failingPlaces(
  every: number,
  contents: readonly ('text' | 'large')[] = ['text', 'large'],
): readonly Situation[] {
  return (['command', 'server'] as const).flatMap((kind) =>
    contents.map((what) => ({
      name: `a ${kind} that fails at each step, ${what === 'text' ? 'texts' : 'a large content'}`,
      async run(laws) {
        const box = Box.make(WORKSHOP);
        await talking(box);
        writeFileSync(box.path('film'), FILM);
        const place = await KINDS[kind](box);
        if (place === undefined) return undefined;
        try {
          const isServer = kind === 'server';
          await box.ready('alice', ['route', 'bob', place.route, ...(isServer ? ['--create'] : [])]);
          await box.ready('bob', ['route', 'alice', place.route]);
          const tell = what === 'text' ? texts : film(box);
          const stride = what === 'text' ? every : every * STEPS_OF_PARTS;
          let stories = 0;
          for (const [index, way] of place.ways.entries()) {
            // Each way begins at another step, so that they meet different ones.
            for (let step = 1 + (index % stride); ; step += stride) {
              stories += 1;
              const before = laws.broken.length;
              const isMet = await tell(new Story(box, place, laws, `step ${step}, ${way}`), step, way);
              if (!isMet || laws.broken.length > before + 5) break;
            }
          }
          await laws.nothingMissing(box, 'bob', 'alice');
          return `${stories} stories`;
        } finally {
          await place.end();
          box.remove();
        }
      },
    })),
  );
}
