import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { escapeInvisible } from '../../src/cli/terminal/format.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { type BadInput, furnish } from './bad-input/bad-input.ts';
import { BAD_INPUT } from './bad-input/index.ts';
import { openIdentity } from './identity-file.ts';
import { Home, inHome, type Result } from './shell.ts';

/** What is said of these is all that can be said. */
const WITHOUT_HINT: readonly ErrorCode[] = ['read-failed', 'interrupted'];

/** Every case has a copy of it. */
const furnished = Home.create();
beforeAll(() => furnish(furnished));
afterAll(() => furnished.remove());

/** One sentence, in lower case and without a full stop, and below it what to type; no stack trace, nothing else. */
const PLAIN = /^(?:pawl: .*\n)*error: (?<message>[^A-Z\n](?:(?!\. ).)*[^.\n])\n(?:hint: (?<hint>[^A-Z\n].*)\n)?$/;

async function expectRefusal(home: Home, bad: BadInput, patience = 100): Promise<void> {
  const { command, code, exit, environment, changes } = bad;
  const before = changes ?? home.identities();
  const run = (option: string) => home.run(command, { environment: { ...environment, JSON: option }, patience });
  const plain = await run('');
  const json = await run('--json');

  expect(plain.stderr).toMatch(PLAIN);
  const { message, hint } = PLAIN.exec(plain.stderr)?.groups ?? {};
  const said = documentOf(json);
  expect(said).toMatchObject({ v: 1, code });
  expect(message?.endsWith(escapeInvisible(said.message ?? ''))).toBe(true);
  expect(said.hint).toBe(hint);
  expect(hint === undefined).toBe(WITHOUT_HINT.includes(code));
  if (said.type === 'error') expect(said.exit).toBe(exit);
  expect([plain.exit, json.exit]).toEqual([exit, exit]);
  expect(changes ?? home.identities()).toEqual(before);
}

interface Document {
  readonly type: string;
  readonly code?: string;
  readonly exit?: number;
  readonly message?: string;
  readonly hint?: string;
}

/** The one document that tells of a refusal: an `error` on standard error, or a `refused` on standard output. */
function documentOf({ stdout, stderr }: Result): Document {
  const documents = (output: string) =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line): Document => JSON.parse(line));
  const errors = documents(stderr).filter(({ type }) => type !== 'notice');
  const [document = { type: 'nothing' }, ...more] = errors.length > 0 ? errors : documents(stdout.toString());
  expect(more).toEqual([]);
  expect(document.type).toBe(errors.length > 0 ? 'error' : 'refused');
  return document;
}

describe('bad input', () => {
  describe.each(Object.entries(BAD_INPUT))('%s', (_subject, list) => {
    it.concurrent.each(list.map((bad) => [bad.what, bad] as const))('%s', (_what, bad) =>
      inHome(async (home) => {
        await bad.prepare?.(home);
        await expectRefusal(home, bad);
      }, furnished.copy()),
    );
  });

  it.concurrent('an identity that another process holds', () =>
    inHome(async (home) => {
      const held = openIdentity(home, 'bob');
      held.exec('BEGIN IMMEDIATE');
      try {
        const command = 'pawl -i bob send alice -m hi --wait 0 $JSON';
        // A look at the file would end the lock, as this process holds it.
        const changes = 'none, but they cannot be looked for';
        await expectRefusal(home, { what: 'busy', code: 'busy', exit: 75, command, changes });
      } finally {
        held.close();
      }
    }, furnished.copy()));

  it.concurrent.each(['message.pawl', 'message.txt', 'opening.pawl', 'invite.txt'])('%s, cut short anywhere', (file) =>
    inHome(async (home) => {
      const bytes = home.read(file);
      for (let tenth = 1; tenth <= 9; tenth++) {
        home.write('cut', bytes.subarray(0, Math.round((bytes.length * tenth) / 10)));
        const command = file === 'invite.txt' ? 'pawl -i alice add dave cut $JSON' : 'pawl -i bob recv cut $JSON';
        await expectRefusal(home, { what: file, code: 'corrupt', exit: 65, command });
      }
      // Of a block, the END line may be missing, and the padding.
      const all = file.endsWith('.txt') ? bytes.lastIndexOf('\n-----END') - 1 : bytes.length;
      for (const length of [1, 3, 4, 5, 9, all - 2]) {
        home.write('cut', bytes.subarray(0, length));
        const command = 'pawl inspect --envelope cut $JSON';
        await expectRefusal(home, { what: file, code: 'corrupt', exit: 65, command });
      }
    }, furnished.copy()),
  );

  it.concurrent.each(['/proc/pawl', '/sys/pawl', '/dev/null/pawl'])('a home that cannot be made: %s', (folder) =>
    inHome(async (home) => {
      const command = `pawl --home ${folder} init zoe $JSON`;
      await expectRefusal(home, { what: folder, code: 'cannot-create', exit: 73, command }, 20);
    }, furnished.copy()),
  );

  it.concurrent('a home that is a file', () =>
    inHome(async (home) => {
      for (const command of ['pawl --home .key inspect', 'pawl --home .key recv < message.pawl']) {
        const { stderr, exit } = await home.run(command);
        expect(stderr).toMatch(PLAIN);
        expect([74, 78]).toContain(exit);
      }
    }, furnished.copy()));

  it.concurrent('a file beside the identity whose name no identity can have: it is passed over', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice');
      home.write('.local/share/pawl/A Copy.db', 'of something');
      const { stdout } = await home.prepare('pawl inspect');
      expect(stdout.toString()).toMatch(/^identity +alice\n/);
    }));

  it.concurrent('text that would act on a terminal: a pipe and a file get the exact bytes', () =>
    inHome(async (home) => {
      const text = '\u001b[31mred\u001b]0;title\u0007\u009b2J\r\u202e\u0000 and more\n\n';
      home.write('text', text);
      await home.prepare('pawl -i alice send bob -o 1.pawl < text; pawl -i alice send bob text -o 2.pawl');
      expect((await home.prepare('pawl -q -i bob recv 1.pawl')).stdout.toString()).toBe(text);
      await home.prepare('pawl -q -i bob recv 2.pawl -o received');
      expect(home.read('received').toString()).toBe(text);
    }, furnished.copy()));

  it.concurrent('an identity file with any page altered: a clear error, and no wrong answer', () =>
    inHome(async (home) => {
      const whole = home.read('.local/share/pawl/bob.db');
      const good = await home.prepare('pawl -i bob inspect --json');
      for (let page = 0; page < whole.length / 4096; page++) {
        const damaged = Buffer.from(whole);
        damaged.fill(0x55, 4096 * page + 100, 4096 * page + 110);
        home.write('.local/share/pawl/bob.db', damaged);
        const { stdout, stderr, exit } = await home.run('pawl -i bob inspect --json');
        if (exit === 0) expect(stdout.equals(good.stdout)).toBe(true);
        else expect([74, 77]).toContain(exit);
        expect(stderr).not.toContain('bug in pawl');
      }
    }, furnished.copy()));
});
