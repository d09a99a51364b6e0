import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { ClosedOutput, CollectedOutput, envelopesIn, type FakeIo, Person, temporaryFolder } from './fake-io.ts';

/** An alice who has talked to bob and carol. */
async function company(): Promise<{ alice: Person; bob: Person; carol: Person }> {
  const people = {
    alice: await Person.named('alice'),
    bob: await Person.named('bob'),
    carol: await Person.named('carol'),
  };
  const { alice, bob, carol } = people;
  for (const [name, one] of [
    ['bob', bob],
    ['carol', carol],
  ] as const) {
    await alice.add(name, await one.invite('alice'));
    await one.recv(await alice.send(name, 'hi'));
    await alice.recv(await one.send('alice', 'hi alice'));
  }
  return people;
}

/** The same, each with a route to a folder of its own. */
async function routed() {
  const people = await company();
  const { alice, bob, carol } = people;
  const places = { bob: temporaryFolder(), carol: temporaryFolder() };
  for (const [name, one] of [
    ['bob', bob],
    ['carol', carol],
  ] as const) {
    await alice.pawl(['route', name, `dir:${places[name]}`]);
    await one.pawl(['route', 'alice', `dir:${places[name]}`]);
  }
  return { ...people, places };
}

async function fetched(person: Person, ...options: readonly string[]): Promise<string> {
  return (await person.pawl(['recv', '--fetch', '--lines', ...options])).text;
}

/** Holds the conversations with all contacts, or with one; or goes on with them. */
function hold(person: Person, held: 0 | 1, name = '%'): void {
  const file = person.openFile();
  file.exec(
    `UPDATE sessions SET held = ${held} WHERE contact_id IN (SELECT id FROM contacts WHERE name LIKE '${name}')`,
  );
  file.close();
}

/** What a place that is a command takes. */
const OF_COMMANDS = {
  killGroup: (leader: number, signal: NodeJS.Signals | 0) => {
    try {
      return process.kill(-leader, signal);
    } catch {
      return false;
    }
  },
  variables: () => ({ PATH: process.env.PATH ?? '' }),
};

/** Larger than one message. */
const LARGE = Buffer.alloc(17_000_000, 'pawl');

describe('several contacts, along their routes', () => {
  it('each get an envelope, which is told in one line for each place', async () => {
    const { alice, bob, carol, places } = await routed();
    await alice.pawl(['list', 'ops', 'carol', 'bob']);
    for (const to of ['bob,carol', '@ops', 'carol,@ops,bob']) {
      const { text, errors } = await alice.pawl(['send', to, '-m', to]);
      expect(text).toBe('');
      expect(errors.split('\n').sort()).toEqual(
        [
          '',
          `pawl: handed over to dir:${places.bob} for bob`,
          `pawl: handed over to dir:${places.carol} for carol`,
        ].sort(),
      );
      expect([await fetched(bob), await fetched(carol)]).toEqual([`${to}\n`, `${to}\n`]);
    }
    expect(await alice.documents(['outbox'])).toEqual([]);
    expect(await alice.documents(['--json', 'send', '@ops', '-m', 'hi'])).toMatchObject([
      { type: 'sent', to: 'bob', handed_to: `dir:${places.bob}` },
      { type: 'sent', to: 'carol', handed_to: `dir:${places.carol}` },
    ]);
  });

  it('get a text from a pipe, from the terminal, and files', async () => {
    const { alice, bob, carol } = await routed();
    await alice.pawl(['send', 'bob,carol'], Buffer.from('by a pipe'));
    async function* typed() {
      yield Buffer.from('typed');
    }
    const terminal = { input: { isTerminal: true, chunks: typed() } };
    const { errors } = await alice.pawl(['send', 'bob,carol'], undefined, terminal);
    expect(errors).toContain('Ctrl-D');
    const folder = temporaryFolder();
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), name);
    await alice.pawl(['send', 'bob,carol', join(folder, 'a'), join(folder, 'b')]);
    for (const one of [bob, carol]) {
      const got = await one.documents<{ text: string; file?: string }>(['recv', '--fetch']);
      expect(got.map(({ text, file }) => `${file ?? ''} ${text}`).sort()).toEqual([
        ' by a pipe',
        ' typed',
        'a a',
        'b b',
      ]);
    }
    expect(await alice.refusal(['send', 'bob,carol', join(folder, 'a'), join(folder, 'nothing')])).toBe(
      'missing-file 66',
    );
    expect(await fetched(bob)).toBe('');
  });

  it('are not kept waiting by one whose place is away: what is for that one waits', async () => {
    const { alice, bob, carol, places } = await routed();
    rmSync(places.bob, { recursive: true });
    const { exit, text, errors } = await alice.run(['--json', 'send', 'bob,carol', '-m', 'hi']);
    expect([
      exit,
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ]).toMatchObject([
      69,
      [
        { to: 'bob', queued: true },
        { to: 'carol', handed_to: `dir:${places.carol}` },
      ],
    ]);
    expect(errors).toContain('"code":"queued"');
    expect(await fetched(carol)).toBe('hi\n');
    expect((await alice.run(['send', 'bob,carol', '-m', 'again'])).errors).toMatch(
      /^error: the message for bob is encrypted, and waits: .*\nhint: .*\npawl: handed over to .* for carol\n$/,
    );
    mkdirSync(places.bob);
    await alice.pawl(['route', 'bob', `dir:${places.bob}`]);
    await bob.pawl(['route', 'alice', `dir:${places.bob}`]);
    // What waits goes along with the next.
    await alice.pawl(['send', 'bob,carol', '-m', 'third']);
    expect((await fetched(bob)).split('\n').sort()).toEqual(['', 'again', 'hi', 'third']);
    expect((await fetched(carol)).split('\n').sort()).toEqual(['', 'again', 'third']);
  });

  it('at one place that is away are tried twice, and not once more for each', async () => {
    const { alice } = await company();
    const dave = await Person.named('dave');
    await alice.add('dave', await dave.invite('alice'));
    const tries = join(temporaryFolder(), 'tries');
    const killGroup: FakeIo['killGroup'] = (leader, signal) => {
      try {
        return process.kill(-leader, signal);
      } catch {
        return false;
      }
    };
    const variables = () => ({ PATH: process.env.PATH ?? '' });
    const script = join(temporaryFolder(), 'place');
    writeFileSync(script, `[ "$1" != put ] || { echo x >> ${tries}; exit 1; }\n`);
    const command = `exec:sh ${script}`;
    const given = { killGroup, variables };
    for (const name of ['bob', 'carol', 'dave']) await alice.pawl(['route', name, command], undefined, given);
    const { exit } = await alice.run(['send', 'bob,carol,dave', '-m', 'hi'], undefined, given);
    expect([exit, readFileSync(tries, 'utf8')]).toEqual([69, 'x\nx\n']);
    expect(await alice.documents(['outbox'])).toMatchObject([{ to: 'bob' }, { to: 'carol' }, { to: 'dave' }]);
  });

  it('get it where another cannot, who is named; nobody does with --all-or-none', async () => {
    const { alice, bob, places } = await routed();
    await alice.pawl(['route', 'carol', '--off']);
    const { exit, errors } = await alice.run(['send', 'carol,bob', '-m', 'hi']);
    expect([exit, errors]).toEqual([
      67,
      `error: carol is left out: there is no route for carol\nhint: pawl route carol ROUTE; or carry it by hand: pawl send carol -o FILE\npawl: handed over to dir:${places.bob} for bob\n`,
    ]);
    expect(await fetched(bob)).toBe('hi\n');
    const json = await alice.run(['--json', 'send', 'carol,bob', '-m', 'hi']);
    expect(
      json.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: 'left-out', to: 'carol', code: 'no-route' },
      { type: 'sent', to: 'bob' },
    ]);
    expect(await fetched(bob)).toBe('hi\n');
    const none = await alice.run(['send', 'carol,bob', '-m', 'hi', '--all-or-none']);
    expect([none.exit, none.text]).toEqual([67, '']);
    expect(none.errors).toMatch(/^error: nothing is sent, because of carol: there is no route for carol\nhint: .*\n$/);
    expect([envelopesIn(places.bob), await alice.documents(['outbox'])]).toEqual([[], []]);
  });

  it('get it where the conversation with another is older than routes', async () => {
    const { alice, bob } = await routed();
    const file = alice.openFile();
    file.exec(`UPDATE sessions SET outgoing_box = NULL, incoming_box = NULL, invite_box = NULL
      WHERE contact_id = (SELECT id FROM contacts WHERE name = 'carol')`);
    file.close();
    const { exit, errors } = await alice.run(['send', 'carol,bob', '-m', 'hi']);
    expect([exit, errors]).toMatchObject([
      69,
      expect.stringMatching(/^error: carol is left out: .* older than routes/),
    ]);
    expect(await fetched(bob)).toBe('hi\n');
    expect(await alice.documents(['outbox'])).toEqual([]);
  });

  it('get it where the conversation with another is older than routes, whose expired invite is not dropped untold', async () => {
    const { alice, carol } = await routed();
    await alice.add('carol', await carol.invite('alice'));
    const file = alice.openFile();
    file.exec('UPDATE sessions SET outgoing_box = NULL, incoming_box = NULL, invite_box = NULL');
    file.close();
    alice.time += 100 * 24 * 60 * 60 * 1000;
    for (const _ of ['once', 'twice']) {
      const { exit, errors } = await alice.run(['send', 'carol,bob', '-m', 'hi']);
      expect([exit, errors.match(/older than routes/g)?.length]).toEqual([69, 2]);
    }
    // By hand it goes, and tells of the invite.
    expect((await alice.pawl(['send', 'carol', '-m', 'hi', '-a'])).errors).toContain('expired on');
  });

  it('are told where what is for them went, where the identity file becomes busy in between', async () => {
    const { alice } = await company();
    const file = alice.openFile();
    const given: Partial<FakeIo> = {
      killGroup: () => false,
      variables: () => {
        file.exec('BEGIN EXCLUSIVE');
        return { PATH: process.env.PATH ?? '' };
      },
    };
    for (const name of ['bob', 'carol'])
      await alice.pawl(['route', name, 'exec:cat > /dev/null; true'], undefined, {
        variables: () => ({ PATH: process.env.PATH ?? '' }),
      });
    const { exit, errors } = await alice.run(['--wait', '0', 'send', 'bob,carol', '-m', 'hi'], undefined, given);
    file.exec('ROLLBACK');
    file.close();
    expect([exit, errors]).toEqual([
      75,
      expect.stringMatching(/error: the message for carol waits: .*\n(hint: .*\n)?pawl: handed over to .* for bob\n/),
    ]);
  });

  it('get a large file in parts, each with keys of its own, and what comes from a pipe is refused', async () => {
    const { alice, bob, carol, places } = await routed();
    const film = join(temporaryFolder(), 'film');
    writeFileSync(film, LARGE);
    const { errors } = await alice.pawl(['send', 'bob,carol', film]);
    expect(errors.split('\n').sort()).toEqual(
      [
        '',
        `pawl: handed over to dir:${places.bob} for bob`,
        `pawl: handed over to dir:${places.carol} for carol`,
      ].sort(),
    );
    for (const one of [bob, carol]) {
      const folder = temporaryFolder();
      await one.pawl(['recv', '--fetch', '--out-dir', folder]);
      expect(readFileSync(join(folder, 'film')).equals(LARGE)).toBe(true);
    }
    const piped = await alice.run(['send', 'bob,carol'], LARGE);
    expect([piped.exit, piped.errors]).toMatchObject([64, expect.stringContaining('save it to a file')]);
    expect(await alice.documents(['outbox'])).toEqual([]);
    // A list of one is one contact.
    await alice.pawl(['list', 'only', 'bob']);
    await alice.pawl(['send', '@only'], LARGE);
    expect((await bob.pawl(['recv', '--fetch', '-o', join(temporaryFolder(), 'out')])).exit).toBe(0);
  });

  it('are not said to have got what went with a contact that another command has forgotten', async () => {
    const { alice } = await routed();
    const folder = temporaryFolder();
    const [script, isPut, isDone] = [join(folder, 'place'), join(folder, 'put'), join(folder, 'done')];
    // Takes what is for bob, who comes first, and waits.
    writeFileSync(
      script,
      `[ "$1" != put ] || { cat > ${isPut}
        i=0; until [ -e ${isDone} ]; do i=$((i + 1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done; }\n`,
    );
    for (const name of ['bob', 'carol']) await alice.pawl(['route', name, `exec:sh ${script}`], undefined, OF_COMMANDS);
    const sending = alice.run(['--json', 'send', 'bob,carol', '-m', 'hi'], undefined, OF_COMMANDS);
    await vi.waitFor(() => expect(existsSync(isPut)).toBe(true), 20_000);
    const file = alice.openFile();
    file.exec("PRAGMA foreign_keys = ON; DELETE FROM contacts WHERE name = 'carol'");
    file.close();
    writeFileSync(isDone, '');
    const { exit, text, errors } = await sending;
    expect(exit).toBe(67);
    expect(text).toContain('"to":"bob"');
    expect(text).not.toContain('"to":"carol"');
    expect(errors).toContain('place for bob"');
    expect(errors).toContain('there is no contact carol');
  });

  it('get a large file while the place of another takes its time', async () => {
    const { alice, places } = await routed();
    const film = join(temporaryFolder(), 'film');
    writeFileSync(film, LARGE);
    const folder = temporaryFolder();
    const [script, isDone] = [join(folder, 'place'), join(folder, 'done')];
    // Takes nothing before all is with carol.
    writeFileSync(
      script,
      `[ "$1" != put ] || { cat > ${join(folder, 'part')}
        i=0; until [ -e ${isDone} ]; do i=$((i + 1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done; }\n`,
    );
    await alice.pawl(['route', 'bob', `exec:sh ${script}`], undefined, OF_COMMANDS);
    const errors = new (class extends CollectedOutput {
      override async write(bytes: Uint8Array | string): Promise<void> {
        if (String(bytes).includes('for carol')) writeFileSync(isDone, '');
        return super.write(bytes);
      }
    })();
    const { exit } = await alice.run(['send', 'bob,carol', film], undefined, { ...OF_COMMANDS, errors });
    expect([exit, errors.text]).toEqual([
      0,
      `pawl: handed over to dir:${places.carol} for carol\npawl: handed over to exec:sh ${script} for bob\n`,
    ]);
  });

  it('get the rest of a large file later, where a place fails for one of them', async () => {
    const { alice, bob, carol, places } = await routed();
    const film = join(temporaryFolder(), 'film');
    writeFileSync(film, LARGE);
    rmSync(places.bob, { recursive: true });
    const { exit, errors } = await alice.run(['send', 'bob,carol', film]);
    expect([exit, errors]).toMatchObject([69, expect.stringContaining(`handed over to dir:${places.carol} for carol`)]);
    expect(errors).toContain('error: bob: film for bob waits');
    expect(await alice.documents(['outbox'])).toMatchObject([{ type: 'unfinished', to: 'bob', resumable: true }]);
    const folder = temporaryFolder();
    await carol.pawl(['recv', '--fetch', '--out-dir', folder]);
    expect(readFileSync(join(folder, 'film')).equals(LARGE)).toBe(true);
    expect(bob).toBeDefined();
  });

  it('get a folder, which is packed once for each', async () => {
    const { alice, bob, carol } = await routed();
    let packed = 0;
    async function* runTar() {
      packed += 1;
      yield LARGE;
    }
    const notes = temporaryFolder();
    await alice.pawl(['send', 'bob,carol', notes], undefined, { runTar });
    expect(packed).toBe(2);
    for (const one of [bob, carol]) {
      const folder = temporaryFolder();
      await one.pawl(['recv', '--fetch', '--out-dir', folder]);
      const [name = ''] = readdirSync(folder);
      expect(readFileSync(join(folder, name)).equals(LARGE)).toBe(true);
    }
  });
});

describe('several contents for several contacts', () => {
  /** A file, and a folder that a test may pack. */
  function given() {
    const folder = temporaryFolder();
    const [small, notes] = [join(folder, 'small'), join(folder, 'notes')];
    writeFileSync(small, 'small');
    mkdirSync(notes);
    return { small, notes, folder };
  }

  async function* large() {
    yield LARGE;
  }

  it.each([
    ['a large pipe', (): string => '-', LARGE],
    ['a name that cannot be sent', (folder: string): string => join(folder, 'bad\tname'), undefined],
    ['a file that is missing', (folder: string): string => join(folder, 'nothing'), undefined],
  ])('are looked at before the first is encrypted: %s is refused, and nothing sent', async (_, path, input) => {
    const { alice, places } = await routed();
    const { small, notes, folder } = given();
    if (_.startsWith('a name')) writeFileSync(path(folder), 'text');
    const out = temporaryFolder();
    for (const way of [[], ['--out-dir', out]]) {
      const send = ['send', 'bob,carol', small, notes, path(folder), ...way];
      const { exit } = await alice.run(send, input, { runTar: large });
      expect(exit).toBeGreaterThan(0);
      expect([await alice.documents(['outbox']), envelopesIn(places.bob), readdirSync(out)]).toEqual([[], [], []]);
    }
  });

  it('name those that went before one that fails, along their routes', async () => {
    const { alice, bob } = await routed();
    const { small, notes } = given();
    async function* runTar() {
      yield Buffer.from('tar');
      throw new PawlError('read-failed', { path: notes, reason: 'tar: exit 2' });
    }
    const { exit, errors } = await alice.run(['send', 'bob,carol', small, notes], undefined, { runTar });
    expect([exit, errors]).toMatchObject([
      74,
      expect.stringMatching(/for carol\npawl: sent or waiting already, so leave it out .*small\nerror: /),
    ]);
    expect(await fetched(bob)).toContain('small');
    expect(await alice.documents(['outbox'])).toEqual([]);
  });

  it('with --all-or-none: nothing goes on behind one that is not for all', async () => {
    const { alice, bob } = await routed();
    const { small, notes, folder } = given();
    const third = join(folder, 'third');
    mkdirSync(third);
    async function* runTar(_: string, name: string) {
      hold(alice, name === 'notes' ? 1 : 0, 'carol');
      yield Buffer.from('tar');
    }
    const send = ['send', 'bob,carol', small, notes, third, '--all-or-none'];
    const { exit, errors } = await alice.run(send, undefined, { runTar });
    expect([exit, errors]).toMatchObject([
      76,
      expect.stringMatching(/^error: the rest is not sent, because of carol: /),
    ]);
    const got = await bob.documents<{ file?: string }>(['recv', '--fetch']);
    expect(got.flatMap(({ file }) => file ?? [])).toEqual(['small']);
  });

  it('leave no file where one fails, what cannot go on is given up, and the rest waits', async () => {
    const { alice } = await company();
    const { small, notes, folder } = given();
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    async function* runTar(_: string, name: string) {
      if (name === 'broken') throw new PawlError('read-failed', { path: broken, reason: 'tar: exit 2' });
      yield LARGE;
    }
    const out = temporaryFolder();
    const send = ['send', 'bob,carol', '--out-dir', out];
    const first = await alice.run([...send, notes, broken], undefined, { runTar });
    expect([first.exit, first.errors, readdirSync(out)]).toMatchObject([74, expect.stringMatching(/^error: /), []]);
    expect(await alice.documents(['outbox'])).toEqual([]);
    const second = await alice.run([...send, small, notes, broken], undefined, { runTar });
    expect([second.errors, readdirSync(out)]).toMatchObject([
      expect.stringMatching(/^pawl: no file is written; what was encrypted before this waits: pawl outbox\nerror: /),
      [],
    ]);
    expect(await alice.documents(['outbox'])).toMatchObject([{ to: 'bob' }, { to: 'carol' }]);
  });
});

describe('several contacts, with --out-dir', () => {
  it('each get a file, also where there are routes, and one for a single contact', async () => {
    const { alice, bob, carol, places } = await routed();
    const out = temporaryFolder();
    const { text } = await alice.pawl(['send', 'bob,carol', '-m', 'hi', '--out-dir', out]);
    expect(text).toBe(`${join(out, 'bob.pawl')}\n${join(out, 'carol.pawl')}\n`);
    for (const [name, one] of [
      ['bob', bob],
      ['carol', carol],
    ] as const) {
      expect(await one.recv(readFileSync(join(out, `${name}.pawl`)))).toBe('hi');
    }
    expect([...envelopesIn(places.bob), ...(await alice.documents(['outbox']))]).toEqual([]);
    const [document] = await alice.documents(['send', 'bob', '-a', '-m', 'hi', '--out-dir', out, '--force']);
    expect(document).toMatchObject({ type: 'sent', to: 'bob', path: join(out, 'bob.pawl') });
    expect(readFileSync(join(out, 'bob.pawl'), 'utf8')).toContain('BEGIN PAWL MESSAGE');
  });

  it('get several files, large ones too, in one file each', async () => {
    const { alice, bob, carol } = await company();
    const [from, out] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(from, 'film'), LARGE);
    writeFileSync(join(from, 'small'), 'small');
    const files = ['film', 'small'].map((name) => join(from, name));
    await alice.pawl(['send', 'bob,carol', ...files, '--out-dir', out]);
    for (const [name, one] of [
      ['bob', bob],
      ['carol', carol],
    ] as const) {
      const got = temporaryFolder();
      await one.pawl(['recv', join(out, `${name}.pawl`), '--out-dir', got]);
      expect(readdirSync(got).sort()).toEqual(['film', 'small']);
      expect(readFileSync(join(got, 'film')).equals(LARGE)).toBe(true);
    }
    expect(await alice.documents(['outbox'])).toEqual([]);
  });

  it('get nothing where a file is there already, or the folder is not', async () => {
    const { alice } = await company();
    const out = temporaryFolder();
    writeFileSync(join(out, 'carol.pawl'), 'mine');
    const send = ['send', 'bob,carol', '-m', 'hi', '--out-dir'];
    expect(await alice.refusal([...send, out])).toBe('exists 73');
    expect(await alice.refusal([...send, join(out, 'nowhere')])).toBe('no-folder 73');
    expect([readdirSync(out), await alice.documents(['outbox'])]).toEqual([['carol.pawl'], []]);
  });

  it('get theirs where another is forgotten meanwhile, for whom there is no file', async () => {
    const { alice, bob } = await company();
    const out = temporaryFolder();
    const output = new (class extends CollectedOutput {
      override async write(bytes: Uint8Array | string): Promise<void> {
        await alice.run(['forget', 'carol', '--yes']);
        return super.write(bytes);
      }
    })();
    const { exit } = await alice.run(['send', 'bob,carol', '-m', 'hi', '--out-dir', out], undefined, { output });
    expect([exit, readdirSync(out)]).toEqual([67, ['bob.pawl']]);
    expect(await bob.recv(readFileSync(join(out, 'bob.pawl')))).toBe('hi');
  });

  it('get theirs where the file of one cannot be written: that envelope waits', async () => {
    const { alice, carol } = await company();
    const out = temporaryFolder();
    // What comes in between takes the name.
    const errors = new (class extends CollectedOutput {})();
    let isTaken = false;
    const random: FakeIo['random'] = (length) => {
      if (!isTaken) writeFileSync(join(out, 'bob.pawl'), 'in between');
      isTaken = true;
      return Buffer.alloc(length, length);
    };
    const given = { random, errors };
    const { exit } = await alice.run(['send', 'bob,carol', '-m', 'hi', '--out-dir', out], undefined, given);
    expect([exit, errors.text]).toMatchObject([73, expect.stringMatching(/^error: the file for bob: .* exists/)]);
    expect(await carol.recv(readFileSync(join(out, 'carol.pawl')))).toBe('hi');
    expect(await alice.documents(['outbox'])).toMatchObject([{ to: 'bob' }]);
  });
});

describe('what is refused before anything is encrypted', () => {
  it.each([
    ['an unknown contact', ['send', 'bob,zoe', '-m', 'hi'], 'unknown-contact 67'],
    ['an unknown list', ['send', '@ops', '-m', 'hi'], 'unknown-list 67'],
    ['no route at all, and one output', ['send', 'bob,carol', '-m', 'hi'], 'usage 64'],
    ['-o', ['send', 'bob,carol', '-m', 'hi', '-o', 'out.pawl'], 'usage 64'],
    ['-o -', ['send', 'bob,carol', '-m', 'hi', '-o', '-'], 'usage 64'],
    ['-a', ['send', 'bob,carol', '-m', 'hi', '-a'], 'usage 64'],
    ['-b', ['send', '@ops', '-m', 'hi', '-b'], 'usage 64'],
    ['--lines', ['send', 'bob,carol', '--lines'], 'usage 64'],
    ['a name that is missing', ['send', 'bob,', '-m', 'hi'], 'usage 64'],
    ['the name of a list that is missing', ['send', '@', '-m', 'hi'], 'usage 64'],
    ['--all-or-none for one', ['send', 'bob', '-m', 'hi', '--all-or-none'], 'usage 64'],
  ])('%s', async (_, parameters, refused) => {
    const { alice } = await company();
    expect(await alice.refusal(parameters)).toBe(refused);
    expect(await alice.documents(['outbox'])).toEqual([]);
    expect(existsSync('out.pawl')).toBe(false);
  });
});

describe('lists', () => {
  it('are shown, changed and deleted, and named where a contact is forgotten', async () => {
    const { alice } = await company();
    expect((await alice.pawl(['list'])).errors).toMatch(/^pawl: there are no lists/);
    expect((await alice.pawl(['list', 'ops', 'carol', 'bob'])).errors).toBe('pawl: in the list ops: bob, carol\n');
    expect((await alice.pawl(['list', 'ops', '--remove', 'carol'])).errors).toBe('pawl: in the list ops: bob\n');
    expect((await alice.pawl(['list', 'ops', '--add', 'carol'])).errors).toBe('pawl: in the list ops: bob, carol\n');
    await alice.pawl(['list', 'dev', 'carol']);
    expect((await alice.pawl(['list'])).text).toBe('@dev  carol\n@ops  bob, carol\n');
    expect((await alice.pawl(['list', 'dev'])).text).toBe('@dev  carol\n');
    expect((await alice.pawl(['inspect'])).text).toMatch(/lists\n +@dev +carol\n +@ops +bob, carol\n/);
    expect(await alice.documents(['inspect'])).toMatchObject([
      { lists: [{ name: 'dev', contacts: ['carol'] }, { name: 'ops' }] },
    ]);
    expect((await alice.pawl(['forget', 'carol', '--yes'])).errors).toMatch(/, its place in @dev and @ops\n$/);
    expect(await alice.documents(['list'])).toEqual([{ v: 1, type: 'list', name: 'ops', contacts: ['bob'] }]);
    expect(await alice.documents(['list', 'ops', '--delete'])).toMatchObject([{ name: 'ops', contacts: [] }]);
    expect(await alice.refusal(['list', 'ops', '--delete'])).toBe('unknown-list 67');
    expect(await alice.refusal(['list', 'ops', 'zoe'])).toBe('unknown-contact 67');
    expect(await alice.refusal(['list', 'Ops', 'bob'])).toBe('bad-name 64');
    for (const wrong of [
      ['--add'],
      ['ops', '--add'],
      ['ops', 'bob', '--delete'],
      ['ops', 'bob', '--add', '--remove'],
    ]) {
      expect(await alice.refusal(['list', ...wrong])).toBe('usage 64');
    }
  });

  it('are counted where a contact that is forgotten is in many of them', async () => {
    const { alice } = await company();
    for (const name of ['a', 'b', 'c']) await alice.pawl(['list', name, 'carol']);
    await alice.pawl(['list', 'a', 'bob', '--add']);
    expect((await alice.pawl(['forget', 'carol', '--yes'])).errors).toMatch(/, its place in 3 lists\n$/);
    expect(await alice.documents(['--json', 'forget', 'bob', '--yes'])).toMatchObject([{ name: 'bob', lists: 1 }]);
  });

  it('come back with a backup', async () => {
    const { alice } = await company();
    await alice.pawl(['list', 'ops', 'bob', 'carol']);
    const copy = join(temporaryFolder(), 'copy');
    await alice.pawl(['backup', copy]);
    const home = ['--home', temporaryFolder()];
    await alice.pawl(['restore', copy, ...home]);
    expect(await alice.documents(['list', ...home])).toMatchObject([{ name: 'ops', contacts: ['bob', 'carol'] }]);
  });
});

describe('a text that is written in an editor', () => {
  const editor = (write: (path: string) => string | undefined): Partial<FakeIo> => ({
    runEditor: async (_, path) => write(path),
  });

  it('is sent without the newline at its end, and is nowhere afterwards', async () => {
    const { alice, bob } = await company();
    let seen = '';
    const given = editor((path) => {
      seen = path;
      writeFileSync(path, 'line one\nline two\n');
      return undefined;
    });
    const { bytes } = await alice.pawl(['send', 'bob', '-e'], undefined, given);
    expect(await bob.recv(bytes)).toBe('line one\nline two');
    expect([seen === '', existsSync(seen), existsSync(join(seen, '..'))]).toEqual([false, false, false]);
  });

  it('is for several as well, and is not asked for where there is nobody', async () => {
    const { alice, carol } = await routed();
    const given = editor((path) => {
      writeFileSync(path, 'hi both');
      return undefined;
    });
    await alice.pawl(['send', 'bob,carol', '-e'], undefined, given);
    expect(await fetched(carol)).toBe('hi both\n');
    const never = editor(() => {
      throw new Error('asked for a text');
    });
    expect((await alice.run(['send', 'zoe', '-e'], undefined, never)).exit).toBe(67);
    expect((await alice.run(['send', 'bob,zoe', '-e'], undefined, never)).exit).toBe(67);
  });

  it.each([
    ['an editor that fails', 'text', 'exit 1', 66, /nothing is sent: the editor "vi" failed: exit 1/],
    ['an empty text', ' \n', undefined, 66, /there is nothing to send: what the editor wrote is empty/],
  ])('is not sent after %s', async (_, text, failure, exit, words) => {
    const { alice } = await company();
    let seen = '';
    const given = editor((path) => {
      seen = path;
      writeFileSync(path, text);
      return failure;
    });
    const said = await alice.run(['send', 'bob', '-e'], undefined, given);
    expect([said.exit, said.bytes.length, existsSync(seen)]).toEqual([exit, 0, false]);
    expect(said.errors).toMatch(words);
    expect(await alice.documents(['outbox'])).toEqual([]);
  });

  it.each([
    ['too large', Buffer.alloc(17_000_000, 'pawl'), 65],
    ['no UTF-8', Buffer.from([0xff]), 64],
  ])('stays where it is where it cannot be sent, as it is %s', async (_, text, exit) => {
    const { alice } = await routed();
    for (const to of ['bob', 'bob,carol']) {
      let seen = '';
      const given = editor((path) => {
        seen = path;
        writeFileSync(path, text);
        return undefined;
      });
      const said = await alice.run(['-q', 'send', to, '-e'], undefined, given);
      onTestFinished(() => rmSync(join(seen, '..'), { recursive: true }));
      expect([said.exit, said.errors]).toEqual([
        exit,
        expect.stringContaining(`pawl: the text is in ${seen}\nerror: `),
      ]);
      expect(readFileSync(seen).equals(text)).toBe(true);
    }
  });

  it('stays where it is where the identity file is changed in between so that nothing can be sent', async () => {
    const { alice } = await routed();
    for (const to of ['bob', 'bob,carol']) {
      let seen = '';
      const given = editor((path) => {
        seen = path;
        writeFileSync(path, 'hi');
        hold(alice, 1);
        return undefined;
      });
      const { exit, errors } = await alice.run(['send', to, '-e'], undefined, given);
      hold(alice, 0);
      onTestFinished(() => rmSync(join(seen, '..'), { recursive: true }));
      expect([exit, errors]).toEqual([76, expect.stringContaining(`pawl: the text is in ${seen}\n`)]);
    }
  });

  it('is not asked for where nothing can be sent, and who is left out is told before', async () => {
    const { alice, carol } = await routed();
    const never = editor(() => {
      throw new Error('asked for a text');
    });
    const dave = await Person.named('dave');
    await alice.add('dave', await dave.invite('alice'));
    await alice.pawl(['route', 'dave', `dir:${temporaryFolder()}`]);
    const days = 24 * 60 * 60 * 1000;
    const late = { now: () => Date.now() + 100 * days };
    expect((await alice.run(['send', 'dave', '-e'], undefined, { ...never, ...late })).errors).toContain('expired');
    expect(
      (await alice.run(['send', 'bob,dave', '-e', '--all-or-none'], undefined, { ...never, ...late })).errors,
    ).toMatch(/^error: nothing is sent, because of dave: .*expired/);
    hold(alice, 1, 'bob');
    expect((await alice.run(['send', 'bob', '-e'], undefined, never)).exit).toBe(76);
    let before = '';
    const errors = new CollectedOutput();
    const given = {
      errors,
      ...editor((path) => {
        before = errors.text;
        writeFileSync(path, 'hi');
        return undefined;
      }),
    };
    expect((await alice.run(['send', 'bob,carol', '-e'], undefined, given)).exit).toBe(76);
    expect([before, errors.text.match(/left out/g)]).toEqual([
      expect.stringMatching(/^error: bob is left out: /),
      ['left out'],
    ]);
    expect(await fetched(carol)).toBe('hi\n');
    hold(alice, 1);
    expect((await alice.run(['send', 'bob,carol', '-e'], undefined, never)).exit).toBe(76);
    const file = alice.openFile();
    file.exec('UPDATE sessions SET held = 0, outgoing_box = NULL, incoming_box = NULL, invite_box = NULL');
    file.close();
    expect((await alice.run(['send', 'bob,carol', '-e'], undefined, never)).exit).toBe(69);
    expect((await alice.run(['send', 'bob', '-e'], undefined, never)).exit).toBe(69);
  });

  it('is not asked for with --no-input', async () => {
    const { alice } = await company();
    expect(await alice.refusal(['--no-input', 'send', 'bob', '-e'])).toBe('usage 64');
  });

  it('goes with no other source', async () => {
    const { alice } = await company();
    for (const other of [['-m', 'hi'], ['file'], ['--lines']]) {
      expect(await alice.refusal(['send', 'bob', '-e', ...other])).toBe('usage 64');
    }
  });

  it('leaves the identity file to others while it is written', async () => {
    const { alice, bob } = await company();
    const given: Partial<FakeIo> = {
      runEditor: async (_, path) => {
        expect(await bob.recv(await alice.send('bob', 'meanwhile'))).toBe('meanwhile');
        writeFileSync(path, 'later');
        return undefined;
      },
    };
    const { bytes } = await alice.pawl(['send', 'bob', '-e'], undefined, given);
    expect(await bob.recv(bytes)).toBe('later');
  });

  it('is lost with a closed output as any other is not: the envelope waits', async () => {
    const { alice } = await company();
    const given = editor((path) => {
      writeFileSync(path, 'hi');
      return undefined;
    });
    const { exit } = await alice.run(['send', 'bob', '-e'], undefined, { ...given, output: new ClosedOutput() });
    expect([exit, await alice.documents(['outbox'])]).toMatchObject([74, [{ to: 'bob' }]]);
  });
});
