/** Situations in which a command waits for something outside: a reader, input, a passphrase. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Box, documents, type Launched } from '../box.ts';
import type { Situation } from '../situations.ts';
import { LAUNCHER, NODE, type Ran, WORKSHOP } from '../start.ts';
import { LARGER_THAN_A_PIPE as TEXT, talking } from './people.ts';

/** Runs a line of bash in which `pawl` is the built program. */
function bash(box: Box, line: string): Ran {
  const pawl = 'pawl() { "$NODE" "$LAUNCHER" "$@"; }';
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', `${pawl}; ${line}`], {
    cwd: box.folder,
    env: { ...box.environment, NODE, LAUNCHER },
    maxBuffer: 1 << 26,
  });
  return { code: status ?? undefined, signal: signal ?? undefined, stdout, stderr: stderr.toString() };
}

const closedPipe: Situation = {
  name: 'recv and send into a closed pipe',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    await talking(box);
    writeFileSync(box.path('in.pawl'), await box.ready('alice', ['send', 'bob'], Buffer.from(TEXT)));
    const bob = '-i bob --key-file bob.key';
    const recv = bash(box, `pawl ${bob} recv in.pawl | head -c 1; exit \${PIPESTATUS[0]}`);
    laws.hold(recv.code === 74, `recv | head -c 1: exit ${recv.code}: ${recv.stderr}`);
    laws.hold(/hint: /.test(recv.stderr), 'recv gives no hint');
    const next = documents((await laws.works(box, 'bob', ['recv', '--json'])).stdout);
    laws.hold(next.length === 1 && next[0]?.text === TEXT && next[0]?.again === true, 'the text does not come again');
    const send = bash(box, `head -c 1000000 /dev/zero | pawl ${bob} send alice | head -c 1; exit \${PIPESTATUS[1]}`);
    laws.hold(send.code === 74, `send | head -c 1: exit ${send.code}: ${send.stderr}`);
    const resent = await laws.works(box, 'bob', ['outbox', 'resend']);
    laws.hold((await laws.receives(box, 'alice', resent.stdout)).length === 1, 'the outbox does not have it');
    // With standard error closed there is no message, but still the exit code.
    const mute = bash(box, `pawl ${bob} send nobody -m x 2>&-`);
    laws.hold(mute.code === 67, `send to nobody, standard error closed: exit ${mute.code}`);
    const full = bash(box, `pawl ${bob} send alice -m x > /dev/full`);
    laws.hold(full.code === 74, `send > /dev/full: exit ${full.code}: ${full.stderr}`);
    laws.hold(
      (await laws.receives(box, 'alice', (await laws.works(box, 'bob', ['outbox', 'resend'])).stdout)).length === 1,
      'lost in /dev/full',
    );
    await laws.talk(box, 'alice', 'bob');
    return 'exit 74, and what was cut off comes again';
  },
};

/** Makes a named pipe: a command that reads its passphrase from it waits until something is written. */
function makePipe(box: Box, name: string): string {
  const path = box.path(name);
  execFileSync('mkfifo', ['-m', '600', path]);
  return path;
}

/** Opens a named pipe for writing as soon as a process opens it for reading, or once that process has `ended`. */
async function whenRead(pipe: string, ended: Promise<unknown>): Promise<FileHandle> {
  void ended.then(() => closeSync(openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)));
  return open(pipe, 'w');
}

/** What a command can wait for, and how to find out that it does. */
const WAITS: readonly {
  readonly what: string;
  readonly parameters: readonly string[];
  readonly until: (launched: Launched, box: Box) => Promise<unknown>;
}[] = [
  ...[['recv'], ['send', 'bob'], ['send', 'bob', '--lines']].map((parameters) => ({
    what: 'its input',
    parameters,
    // The input does not end yet. When the write has finished, most of it has been read.
    until: ({ child }: Launched) => new Promise((resolve) => child.stdin.write(TEXT, resolve)),
  })),
  {
    what: 'its passphrase',
    parameters: ['send', 'bob', '-m', 'never sent', '--passphrase-file', 'slow'],
    until: async ({ ended }, box) => {
      const pipe = await whenRead(box.path('slow'), ended);
      void ended.then(() => pipe.close());
    },
  },
  {
    what: 'its reader',
    parameters: ['recv', 'in.pawl'],
    until: async ({ child }) => {
      await once(child.stdout, 'readable');
      child.on('exit', () => child.stdout.resume());
    },
  },
];

/** Signals while a command waits. */
const signals: Situation = {
  name: 'SIGINT and SIGTERM while it waits',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    await talking(box);
    makePipe(box, 'slow');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      // What was accepted before is held back where it would run together with the input.
      writeFileSync(box.path('in.pawl'), await box.ready('bob', ['send', 'alice'], Buffer.from(TEXT)));
      for (const { what, parameters, until } of WAITS) {
        const launched = box.launch('alice', parameters);
        await until(launched, box);
        launched.child.kill(signal);
        const [code, by] = await launched.ended;
        laws.hold(by === signal, `${parameters[0]}, which waits for ${what}, ends with ${by ?? code} at ${signal}`);
      }
    }
    const next = documents((await laws.works(box, 'alice', ['recv', '--json'])).stdout);
    const isBoth = next.length === 2 && next.every(({ text }) => text === TEXT);
    laws.hold(isBoth, 'the texts that had no reader do not come again');
    laws.hold((await laws.works(box, 'alice', ['outbox', 'resend'])).stdout.length === 0, 'something was sent');
    await laws.talk(box, 'alice', 'bob');
    return `ended by the signal, ${2 * WAITS.length} times`;
  },
};

const WORDS = 'correct horse\n';
const NEW_WORDS = 'battery staple\n';

/** While one pawl waits for a passphrase, another can use the same identity. */
const prompt: Situation = {
  name: 'a passphrase that is long in coming',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    await talking(box);
    writeFileSync(box.path('words'), WORDS, { mode: 0o600 });
    await box.ready('alice', ['passwd', '--new-passphrase-file', box.path('words')]);
    const slow = makePipe(box, 'slow');
    const sent: Buffer[] = [];
    for (const [words, parameters] of [
      [WORDS, ['send', 'bob', '-m', 'slow', '--passphrase-file', slow]],
      [NEW_WORDS, ['passwd', '--passphrase-file', box.path('words'), '--new-passphrase-file', slow]],
    ] as const) {
      const waiting = box.start({ who: 'alice', parameters });
      const pipe = await whenRead(slow, waiting);
      const quick = await box.start({
        who: 'alice',
        parameters: ['send', 'bob', '-m', 'quick', '--wait', '0', '--passphrase-file', box.path('words')],
      });
      laws.hold(quick.code === 0, `the other, during ${parameters[0]}: exit ${quick.code}: ${quick.stderr}`);
      await pipe.writeFile(words);
      await pipe.close();
      const late = await waiting;
      laws.hold(late.code === 0, `${parameters[0]}: exit ${late.code}: ${late.stderr}`);
      sent.push(quick.stdout, ...(parameters[0] === 'send' ? [late.stdout] : []));
    }
    const got = await laws.receives(box, 'bob', Buffer.concat(sent));
    const said = got.map(({ text, n }) => `${text} ${n}`).join();
    laws.hold(said === 'quick 0,slow 1,quick 2', `Bob reads ${said}`);
    writeFileSync(box.path('words'), NEW_WORDS);
    await laws.whole(box, 'alice', '--passphrase-file', box.path('words'));
    return 'the other is not kept waiting';
  },
};

/** No `--force` replaces what an identity needs, by whatever name, and nothing is committed before that is known. */
const precious: Situation = {
  name: 'an output that must not be replaced',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    await talking(box);
    writeFileSync(box.path('in.pawl'), await box.ready('bob', ['send', 'alice', '-m', 'hi']));
    writeFileSync(box.path('home', 'alice.db-draft'), 'half of a passwd');
    mkdirSync(box.path('links'));
    const [mark = ''] = readdirSync(box.path('state', 'pawl'));
    const names = ['home/alice.db', 'home/bob.db', 'home/alice.db-draft', 'alice.key', `state/pawl/${mark}`];
    const links = names.flatMap((name, index) => {
      symlinkSync(box.path(name), box.path('links', `soft-${index}`));
      linkSync(box.path(name), box.path('links', `hard-${index}`));
      return [`links/soft-${index}`, `links/hard-${index}`];
    });
    const targets = [...names, ...links, 'home/alice.db-journal', 'home/zoe.db'];
    const before = contents(box);
    let refused = 0;
    const refuse = async (parameters: readonly string[]) => {
      const { code, stderr } = await box.run('alice', [...parameters, '--force']);
      laws.hold(code === 73 && /never replaced/.test(stderr), `${parameters.join(' ')}: exit ${code}: ${stderr}`);
      refused++;
    };
    for (const target of targets) {
      const path = box.path(target);
      await refuse(['send', 'bob', '-m', 'hi', '-o', path]);
      await refuse(['recv', box.path('in.pawl'), '-o', path]);
      await refuse(['invite', 'carol', '-o', path]);
      await refuse(['inspect', 'bob', '--svg', path]);
    }
    await refuse(['recv', box.path('in.pawl'), '-o', box.path('in.pawl')]);
    await refuse(['send', 'bob', box.path('in.pawl'), '-o', box.path('in.pawl')]);
    laws.hold(contents(box) === before, 'a file is not what it was');
    unlinkSync(box.path('home', 'alice.db-draft'));
    const got = await laws.receives(box, 'alice', box.read('in.pawl') ?? Buffer.alloc(0));
    laws.hold(got.length === 1, 'the message can no longer be received');
    await laws.talk(box, 'alice', 'bob');
    return `refused ${refused} times`;
  },
};

/** The contents of all files, for a comparison. */
function contents(box: Box): string {
  const files = box.files().filter((file) => statSync(box.path(file)).isFile());
  return JSON.stringify(files.map((file) => [file, box.read(file)?.toString('hex')]));
}

export const OUTSIDE: readonly Situation[] = [closedPipe, signals, prompt, precious];
