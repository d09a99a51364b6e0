/**
 * Commands that use ML-KEM or Ed25519, as whole processes: invites, first messages, messages with an offer or an answer.
 * Each run starts from the same files. Measures processor time: it is what these commands cost beyond the others.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Home, type Ran, run } from './home.ts';
import { type Figure, median } from './measure.ts';

const RUNS = 15;
/** An envelope of a short text is longer than this with an ML-KEM field, and shorter without. */
const WITH_KEM = 1_000;

/** A command, and the home that it is run in. */
interface Command {
  readonly name: string;
  readonly home: Home;
  readonly run: (home: Home) => Ran;
}

/** In ms of processor time, and as a ratio to `node -e 0`. */
export function handshakes(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const commands = [...firstMessages(folder), ...kemFields(folder)];
    const base: number[] = [];
    const times = commands.map((): number[] => []);
    for (let turn = 0; turn < RUNS; turn++) {
      base.push(run(['-e', '0'], folder, new Uint8Array(0)).processor);
      for (const [index, { home, run: work }] of commands.entries()) {
        const place = join(folder, 'run');
        times[index]?.push(work(home.copy(place)).processor);
        rmSync(place, { recursive: true });
      }
    }
    const figure = (name: string, values: readonly number[]): Figure => ({
      name,
      value: median(values),
      ratio: median(values) / median(base),
      best: Math.min(...values),
    });
    return [figure('node -e 0', base), ...commands.map(({ name }, index) => figure(name, times[index] ?? []))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function firstMessages(folder: string): readonly Command[] {
  const strangers = Home.strangers(join(folder, 'strangers'));
  const invite = strangers.pawl('bob', ['invite', 'alice']).output;
  const added = strangers.copy(join(folder, 'added'));
  added.pawl('alice', ['add', 'bob'], invite);
  const sent = added.copy(join(folder, 'sent'));
  const envelope = sent.pawl('alice', ['send', 'bob', '-m', 'hi']).output;
  return [
    { name: 'invite', home: strangers, run: (home) => home.pawl('bob', ['invite', 'carol']) },
    { name: 'add', home: strangers, run: (home) => home.pawl('alice', ['add', 'bob'], invite) },
    { name: 'first send', home: added, run: (home) => home.pawl('alice', ['send', 'bob', '-m', 'hi']) },
    { name: 'first recv', home: sent, run: (home) => home.pawl('bob', ['recv'], envelope) },
  ];
}

/** Goes on with a conversation, turn by turn, until one offers a KEM key and the other answers. */
function kemFields(folder: string): readonly Command[] {
  const home = Home.begin(join(folder, 'turns'));
  for (let turn = 0; ; turn++) {
    const [from, to] = turn % 2 === 0 ? (['bob', 'alice'] as const) : (['alice', 'bob'] as const);
    const before = home.copy(join(folder, `before-${turn}`));
    const send = (of: Home) => of.pawl(from, ['send', to, '-m', 'hi']);
    const envelope = send(home).output;
    if (envelope.length < WITH_KEM) {
      home.pawl(to, ['recv'], envelope);
      continue;
    }
    const offered = home.copy(join(folder, 'offered'));
    home.pawl(to, ['recv'], envelope);
    const owing = home.copy(join(folder, 'owing'));
    const answer = home.pawl(to, ['send', from, '-m', 'hi']).output;
    return [
      { name: 'send with an offer', home: before, run: send },
      { name: 'recv with an offer', home: offered, run: (of) => of.pawl(to, ['recv'], envelope) },
      { name: 'send with an answer', home: owing, run: (of) => of.pawl(to, ['send', from, '-m', 'hi']) },
      { name: 'recv with an answer', home, run: (of) => of.pawl(from, ['recv'], answer) },
    ];
  }
}
