import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, PawlError } from '../../src/errors.ts';
import { BAD_INPUT } from './bad-input/index.ts';
import { acquaint, CollectedOutput, type Person } from './fake-io.ts';
import { Home } from './shell.ts';

// Every way in which a command ends: scripts rely on it.

const ROOT = join(import.meta.dirname, '..', '..');

interface Ending {
  readonly what: string;
  readonly exit: number;
  /** The error that it is, where it is one. */
  readonly code?: ErrorCode;
}

interface Tried extends Ending {
  /** What the command ends with. */
  readonly run: (people: { alice: Person; bob: Person }) => Promise<number>;
}

/** What is no bad input, or needs more than a line of shell. */
const OTHERS: readonly Tried[] = [
  { what: 'all is well', exit: 0, run: async ({ alice }) => (await alice.run(['send', 'bob', '-m', 'hi'])).exit },
  {
    what: 'a message that came twice',
    exit: 0,
    async run({ alice, bob }) {
      const envelope = await alice.send('bob', 'once');
      await bob.recv(envelope);
      return (await bob.run(['recv'], envelope)).exit;
    },
  },
  {
    what: 'nothing new, where that was asked for',
    exit: 79,
    async run({ alice, bob }) {
      const envelope = await alice.send('bob', 'once');
      const option = '--exit-code';
      expect((await bob.run(['recv', option], envelope)).exit).toBe(0);
      expect((await bob.run(['recv', option, '--waiting'])).exit).toBe(79);
      // An error comes first.
      expect((await bob.run(['recv', option])).exit).toBe(66);
      const bad = Buffer.from(envelope).fill(0, 200);
      expect((await bob.run(['recv', option], Buffer.concat([bad, envelope]))).exit).toBe(65);
      return (await bob.run(['recv', option], envelope)).exit;
    },
  },
  {
    what: 'missing messages, where that was asked for',
    exit: 80,
    async run({ alice, bob }) {
      const [first, second, third] = [
        await alice.send('bob', '1'),
        await alice.send('bob', '2'),
        await alice.send('bob', '3'),
      ];
      const option = '--exit-code';
      const { exit } = await bob.run(['recv', option], second);
      expect((await bob.run(['recv'], third)).exit).toBe(0);
      expect((await bob.run(['recv', option], third)).exit).toBe(79);
      expect((await bob.run(['recv', option], await alice.send('bob', '4'))).exit).toBe(80);
      expect((await bob.run(['recv', option], first)).exit).toBe(0);
      return exit;
    },
  },
  {
    what: 'a message of somebody else than --from names',
    exit: 0,
    code: 'other-sender',
    run: async ({ alice, bob }) => (await bob.run(['recv', '--from', 'zoe'], await alice.send('bob', 'hi'))).exit,
  },
  {
    what: 'one bad message among good ones',
    exit: 65,
    async run({ alice, bob }) {
      const bad = Buffer.from(await alice.send('bob', 'altered on its way')).fill(0, 200);
      const envelopes = [await alice.send('bob', 'one, '), bad, await alice.send('bob', 'two')];
      const { exit, text } = await bob.run(['recv'], Buffer.concat(envelopes));
      expect(text).toBe('one, two');
      return exit;
    },
  },
  {
    what: 'more of a contact than may wait here',
    exit: 75,
    code: 'inbox-full',
    async run({ alice, bob }) {
      const envelope = await alice.send('bob', 'one more');
      const file = bob.openFile();
      const waiting = `INSERT INTO inbox (contact_id, message_id, n, late, received_at, content, kind, file_name, sent_at, length)
        SELECT id, zeroblob(16), 0, 0, 0, x'', 'file', 'large', 0, ${512 * 2 ** 20 + 1} FROM contacts WHERE name = 'alice'`;
      file.exec(waiting);
      file.close();
      // On a terminal the file stays where it is.
      const { exit, errors } = await bob.run(['recv'], envelope, { output: new CollectedOutput(true) });
      expect(errors).toContain('too much of alice waits here already: 1 text, 536.9 MB');
      const again = bob.openFile();
      again.exec('DELETE FROM inbox');
      again.close();
      expect(await bob.recv(envelope)).toBe('one more');
      return exit;
    },
  },
  {
    what: 'a bug in pawl',
    exit: 1,
    async run({ alice }) {
      const home = () => {
        throw new TypeError('broken on purpose');
      };
      const { exit, errors } = await alice.run(['inspect'], undefined, { home });
      expect(errors).toContain('this is a bug in pawl');
      return exit;
    },
  },
  {
    what: 'a command that cannot be run',
    exit: 64,
    code: 'cannot-run',
    async run({ alice, bob }) {
      const { bytes } = await alice.pawl(['send', 'bob'], Uint8Array.of(255));
      // A terminal cannot show it, so it waits.
      await bob.run(['recv'], bytes, { output: new CollectedOutput(true) });
      return (await bob.run(['recv', '--waiting', '--exec', 'exec 2> /dev/null; no-such-command'])).exit;
    },
  },
  {
    what: 'a place that cannot be reached',
    exit: 69,
    code: 'unreachable',
    async run({ alice }) {
      const home = () => {
        throw new PawlError('unreachable', { place: 'dir:/mnt/us', reason: 'there is no such folder' });
      };
      return (await alice.run(['inspect'], undefined, { home })).exit;
    },
  },
  {
    what: 'an installation from which a package is missing',
    exit: 78,
    code: 'no-addon',
    async run({ alice }) {
      const exits = ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].map(async (code) => {
        const home = () => {
          throw Object.assign(new Error("Cannot find package 'qr'"), { code });
        };
        const { exit, errors } = await alice.run(['inspect'], undefined, { home });
        expect(errors).toContain('error: pawl needs a package, which is missing from its installation\n');
        expect(errors).not.toContain('bug');
        return exit;
      });
      const [first = 0, second] = await Promise.all(exits);
      expect(second).toBe(first);
      return first;
    },
  },
  {
    what: 'an identity that another pawl uses',
    exit: 75,
    code: 'busy',
    async run({ alice }) {
      const held = alice.openFile();
      held.exec('BEGIN IMMEDIATE');
      try {
        return (await alice.run(['recv', '--wait', '0'])).exit;
      } finally {
        held.close();
      }
    },
  },
  {
    what: 'an identity whose key is changed while the command waits for input',
    exit: 75,
    code: 'replaced',
    async run({ alice }) {
      async function* lines() {
        yield Buffer.from('before\n');
        await alice.pawl(['passwd', '--new-key-file', join(alice.folder, 'new')]);
        yield Buffer.from('after\n');
      }
      const input = { isTerminal: false, chunks: lines() };
      const { exit, errors } = await alice.run(['send', 'bob', '--lines'], undefined, { input });
      expect(errors).toMatch(/was changed, or it was restored, meanwhile\n.*hint: try again/);
      return exit;
    },
  },
  {
    what: 'a line that the terminal may have cut',
    exit: 74,
    code: 'cut-line',
    async run({ alice }) {
      async function* lines() {
        yield Buffer.from(`${'x'.repeat(4_095)}\n`);
      }
      const input = { isTerminal: true, longestLine: 4_094, chunks: lines() };
      return (await alice.run(['send', 'bob'], undefined, { input })).exit;
    },
  },
  {
    what: 'Ctrl-D where a passphrase is asked for',
    exit: 130,
    code: 'interrupted',
    async run({ alice }) {
      const openTerminal = () => {
        const input = new PassThrough();
        // Once it is read, as on a terminal.
        input.once('resume', () => input.end());
        const nothing = () => undefined;
        const output = new PassThrough().resume();
        const dropped = () => ({ isBlank: true, isMidLine: false });
        return {
          input,
          output,
          hideKeys: dropped,
          dropTyped: dropped,
          stop: nothing,
          onContinue: nothing,
          onResize: nothing,
          close: nothing,
        };
      };
      return (await alice.run(['passwd'], undefined, { openTerminal })).exit;
    },
  },
];

/** Ended by a signal while it waits for its input: a process, and so by the program that was built. */
const SIGNALS: readonly (Ending & { readonly signal: string })[] = [
  { what: 'SIGINT', exit: 130, signal: 'INT' },
  { what: 'SIGTERM', exit: 143, signal: 'TERM' },
];

/** What no command leads to. */
const OUT_OF_REACH: Partial<Record<ErrorCode, string>> = {
  moving: 'a move that was killed: test/storage/move.test.ts',
  'database-unreachable': 'a PostgreSQL server that is away: test/cli/postgres.test.ts',
  'commit-unknown': 'a PostgreSQL server that is lost for long: test/storage/postgres/failures.test.ts',
  'no-locks': 'a file system without locks: test/storage/no-locks.test.ts',
  'kem-missing': 'only a peer that breaks the protocol leaves it out: test/session/rekeying-attacks.test.ts',
  'cannot-resume': 'a process was killed while it read a pipe: test/torture',
  'no-place': 'depends on where the output goes: test/cli/parts.test.ts',
  'no-room': 'a disk that is nearly full: test/files/partial-file.test.ts',
  'part-too-far': 'more than 4 GB: test/parts',
  'parts-contradict': 'a file that changes between two attempts: test/cli/parts.test.ts',
  'parts-missing': 'a pipe that is cut short: test/cli/parts.test.ts',
  'source-changed': 'the same: test/cli/parts.test.ts',
  'taken-elsewhere': 'two processes at once: test/cli/parts.test.ts',
  'collected-elsewhere': 'two machines: test/cli/machines.test.ts',
  'source-elsewhere': 'two machines: test/cli/machines.test.ts',
  'too-many-incoming': 'five large contents: test/cli/parts.test.ts',
  'other-place': 'a folder that another disk has taken the place of: test/places',
  'bad-route': 'the reader of routes: test/places/route.test.ts',
  'unsuited-stream': 'a server with another stream: test/places',
  queued: 'a place that cannot be reached: test/cli/routes.test.ts',
  'untrusted-route': 'an identity file from elsewhere: test/cli/routes.test.ts',
  'no-route': 'one of several contacts: test/cli/several.test.ts',
  'no-boxes': 'a conversation of an earlier version: test/cli/routes.test.ts',
  'stream-lost': 'a place that fails in the midst of a stream: test/cli/large-routes.test.ts',
  'not-begun': 'a session is stored with its first message',
};

const LISTED = Object.values(BAD_INPUT).flat();
const MATRIX: readonly Ending[] = [...LISTED, ...OTHERS, ...SIGNALS];

/** The closed set, as it is written down: types are gone where tests run. */
function closedSet(): string[] {
  const source = readFileSync(join(ROOT, 'src', 'errors.ts'), 'utf8');
  const [, set = ''] = /interface ErrorDetails \{\n(.*?)\n\}/s.exec(source) ?? [];
  return [...set.matchAll(/^ {2}'?([a-z\d-]+)'?: /gm)].map(([, code = '']) => code);
}

function exitsInReadme(): number[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, table = ''] = /^\| exit code \|.*?\n\|---.*?\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  return [...table.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = '']) => codes.split(', ').map(Number));
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)].sort();
}

describe('the matrix of exit codes', () => {
  it('has every error of the closed set', () => {
    const met = MATRIX.flatMap(({ code }) => code ?? []);
    expect(closedSet().length).toBeGreaterThan(50);
    expect(unique([...met, ...Object.keys(OUT_OF_REACH)])).toEqual(closedSet().sort());
    expect(met.filter((code) => code in OUT_OF_REACH)).toEqual([]);
  });

  it('has one exit code for each error', () => {
    const exits = new Map<ErrorCode, number>();
    for (const { code, exit } of MATRIX) {
      if (code !== undefined) expect([code, exits.get(code) ?? exit]).toEqual([code, exit]);
      if (code !== undefined) exits.set(code, exit);
    }
  });

  it('has every exit code that the README lists, and no other', () => {
    expect(exitsInReadme().length).toBeGreaterThan(10);
    expect(unique(MATRIX.map(({ exit }) => exit))).toEqual(exitsInReadme().sort());
  });

  // Those of the lists are run, each as a process, by bad-input.test.ts.
  it.each(OTHERS.map((ending) => [ending.exit, ending.what, ending] as const))('%i: %s', async (exit, _, { run }) => {
    expect(await run(await acquaint())).toBe(exit);
  });

  describe('by a signal', () => {
    const home = Home.create();
    beforeAll(() => home.prepare('pawl init alice'));
    afterAll(() => home.remove());

    it.each(SIGNALS)('$exit: $what', async ({ exit, signal }) => {
      // It has begun to read once it has taken more than a pipe holds.
      const command = `
        mkfifo ${signal}; pawl recv < ${signal} & pid=$!
        { head -c 200000 /dev/zero; kill -${signal} $pid; } > ${signal}; wait $pid`;
      expect((await home.run(command)).exit).toBe(exit);
    });
  });
});
