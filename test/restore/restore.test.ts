import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { meeting, World } from './world.ts';

/**
 * Alice's file is put back to what it was before she said two more things that bob has read. It is in the middle of a
 * chain of hers, so that it can read what bob answers.
 */
function restored(): World {
  const world = meeting();
  expect(world.heard('bob', world.said('alice', 'bob', 'zero'))).toBe('zero');
  world.copy(world.file('alice'), world.at('older.db'));
  expect(world.heard('bob', world.said('alice', 'bob', 'one'))).toBe('one');
  expect(world.heard('bob', world.said('alice', 'bob', 'two'))).toBe('two');
  world.copy(world.at('older.db'), world.file('alice'));
  return world;
}

/** What lets a held session go, as both of the pages that tell of it have it in JSON. */
function heldUntil(world: World, who: string, name: string): unknown {
  const session = JSON.parse(world.ok(who, `inspect ${name} --json`).text);
  const { contacts } = JSON.parse(world.ok(who, 'inspect --json').text);
  expect(contacts).toMatchObject([{ name, held_until: session.held_until }]);
  return session.held_until;
}

describe('a file that was put back to an older state', () => {
  it('is for reading only, and says so; nothing of it is changed', () => {
    const world = restored();
    const { text, errors } = world.ok('alice', 'inspect');
    expect(text).toMatch(/^identity +alice/);
    expect(errors).toMatch(/is older than what this machine wrote last/);
    expect(world.ok('alice', 'inspect bob').errors).toMatch(/is older/);
    for (const line of [['send', 'bob', '-m', 'three'], ['recv'], ['invite', 'carol']] as const) {
      const input = line[0] === 'recv' ? world.said('bob', 'alice', 'are you there') : '';
      const refused = world.run('alice', line, { input });
      expect([refused.exit, refused.text]).toEqual([76, '']);
      expect(refused.errors).toMatch(/^error: .*alice\.db is older .*\nhint: .*--after-restore/);
    }
    const added = world.run('alice', 'add bob', { input: world.ok('bob', 'invite alice').output });
    expect(added.exit).toBe(76);
    const json = world.run('alice', ['send', 'bob', '-m', 'three', '--json']);
    expect(JSON.parse(json.errors)).toMatchObject({ type: 'error', code: 'rolled-back', exit: 76 });
  });

  it('is known by its mark: the newest file put back is no older one', () => {
    const world = meeting();
    world.copy(world.file('alice'), world.at('older.db'));
    world.said('alice', 'bob', 'one');
    world.copy(world.file('alice'), world.at('newest.db'));
    world.copy(world.at('older.db'), world.file('alice'));
    expect(world.run('alice', 'send bob -m two').exit).toBe(76);
    world.copy(world.at('newest.db'), world.file('alice'));
    world.ok('alice', 'send bob -m two');
    // The marks lie apart from the files, and are nobody else's.
    for (const name of readdirSync(world.at('desk/pawl'))) {
      expect(statSync(world.at(`desk/pawl/${name}`)).mode & 0o777).toBe(0o600);
    }
  });

  it('goes on with --after-restore, once; and sends again when bob has been heard', () => {
    const world = restored();
    const answer = world.said('bob', 'alice', 'answer');
    const first = world.run('alice', 'send bob -m three --after-restore');
    expect(first.exit).toBe(76);
    expect(first.errors).toMatch(
      /^error: nothing is sent to bob before an answer of theirs, .*: this copy of the identity is older.*\nhint: receive .*pawl add bob/,
    );
    expect(heldUntil(world, 'alice', 'bob')).toBe('answered');
    expect(world.ok('alice', 'inspect').text).toMatch(/^ +bob: nothing is sent before an answer .*: pawl recv$/m);
    expect(world.ok('alice', 'inspect bob').text).toMatch(
      /^sending +chain .*\n +held: nothing is sent before an answer of theirs, or a new invite\n/m,
    );
    // Once: it is the newest file now, and what bob answers lets the conversation go on.
    expect(world.run('alice', 'send bob -m three').errors).toMatch(/nothing is sent to bob/);
    expect(world.heard('alice', answer)).toBe('answer');
    expect(heldUntil(world, 'alice', 'bob')).toBe(null);
    const { exit, text, errors } = world.run('bob', 'recv', { input: world.said('alice', 'bob', 'three') });
    expect([exit, text]).toEqual([0, 'three']);
    // He is told of what her file forgot.
    expect(errors).toMatch(/contradict each other .*restored from a backup/);
    expect(world.ok('bob', 'inspect alice').text).toMatch(/^fork +a chain shorter than what was received of it/m);
    expect(world.heard('alice', world.said('bob', 'alice', 'on we go'))).toBe('on we go');
    expect(world.heard('bob', world.said('alice', 'bob', 'yes'))).toBe('yes');
  });

  it.each([
    ['alice, whose file it is', 'alice', 'bob'],
    ['bob', 'bob', 'alice'],
  ])('and a new invite of %s heals it at once', (_, host, guest) => {
    const world = restored();
    world.run('alice', 'recv --after-restore', { input: world.said('bob', 'alice', 'of before') });
    world.introduce(host, guest);
    const opening = world.said(guest, host, 'anew');
    expect(world.heard(host, opening)).toBe('anew');
    expect(heldUntil(world, 'alice', 'bob')).toBe(null);
    expect(world.heard(guest, world.said(host, guest, 'good'))).toBe('good');
    expect(world.heard(host, world.said(guest, host, 'very good'))).toBe('very good');
  });

  it('of bob, who was opened to, is healed in the same ways', () => {
    const world = meeting();
    world.copy(world.file('bob'), world.at('older.db'));
    world.heard('alice', world.said('bob', 'alice', 'one'));
    world.copy(world.at('older.db'), world.file('bob'));
    const later = world.said('alice', 'bob', 'later');
    expect(world.run('bob', 'recv', { input: later }).exit).toBe(76);
    expect(world.ok('bob', 'recv --after-restore', { input: later }).text).toBe('later');
    expect(world.heard('alice', world.said('bob', 'alice', 'thanks'))).toBe('thanks');
    world.introduce('alice', 'bob');
    expect(world.heard('alice', world.said('bob', 'alice', 'anew'))).toBe('anew');
    expect(world.heard('bob', world.said('alice', 'bob', 'good'))).toBe('good');
  });

  it('that no answer can let go, because bob answers what it never sent, is healed by a new invite', () => {
    const world = meeting();
    world.heard('alice', world.said('bob', 'alice', 'a question'));
    world.copy(world.file('alice'), world.at('older.db'));
    world.heard('bob', world.said('alice', 'bob', 'an answer'));
    const next = world.said('bob', 'alice', 'another question');
    world.copy(world.at('older.db'), world.file('alice'));
    // Nothing that bob may say can let her send, and she is told so before he has said it.
    const { exit, errors } = world.run('alice', 'send bob -m hello --after-restore');
    expect([exit, errors]).toEqual([
      76,
      expect.stringMatching(/before a new invite: this copy .*\nhint: exchange a new invite: pawl invite bob/),
    ]);
    expect(heldUntil(world, 'alice', 'bob')).toBe('invited');
    expect(world.ok('alice', 'inspect').text).toMatch(/^ +bob: nothing is sent before a new invite: pawl invite bob$/m);
    expect(world.ok('alice', 'inspect bob').text).toMatch(
      /^sending +begins .*\n +held: nothing is sent before a new invite\n/m,
    );
    const heard = world.run('alice', 'recv', { input: next });
    expect([heard.exit, heard.text]).toEqual([65, '']);
    expect(heard.errors).toMatch(
      /an answer to something that this copy of the identity never sent\nhint: .*exchange a new invite/,
    );
    expect(world.run('alice', 'send bob -m hello').exit).toBe(76);
    world.introduce('bob', 'alice');
    expect(world.heard('bob', world.said('alice', 'bob', 'hello'))).toBe('hello');
    expect(world.heard('alice', world.said('bob', 'alice', 'there you are'))).toBe('there you are');
  });

  it('is held by --after-restore whatever the mark says: a home that is restored as a whole brings its mark along', () => {
    const world = meeting();
    cpSync(world.at('home'), world.at('image/home'), { recursive: true });
    cpSync(world.at('desk'), world.at('image/desk'), { recursive: true });
    expect(world.heard('bob', world.said('alice', 'bob', 'one'))).toBe('one');
    cpSync(world.at('image'), world.folder, { recursive: true });
    // Nothing can be noticed, so the owner has to say it; with a command that only reads, too.
    world.ok('alice', 'inspect --after-restore');
    const { exit, errors } = world.run('alice', 'send bob -m two');
    expect([exit, errors]).toEqual([76, expect.stringMatching(/^error: nothing is sent to bob before a new invite/)]);
  });

  it('that knows that it is behind, because bob answers what it never sent, does not send', () => {
    const world = meeting();
    world.heard('alice', world.said('bob', 'alice', 'a question'));
    world.copy(world.file('alice'), world.at('older.db'));
    world.heard('bob', world.said('alice', 'bob', 'an answer'));
    const next = world.said('bob', 'alice', 'another question');
    world.copy(world.at('older.db'), world.file('alice'));
    // No mark tells: this place keeps none.
    const env = { PAWL_MARKS: 'none' };
    expect(world.run('alice', 'recv', { input: next, env }).errors).toMatch(
      /an answer to something that this copy of the identity never/,
    );
    expect(world.run('alice', 'send bob -m hello', { env }).exit).toBe(76);
    expect(JSON.parse(world.ok('alice', 'inspect bob --json', { env }).text)).toMatchObject({ held_until: 'invited' });
    expect(world.ok('alice', 'inspect', { env }).text).toMatch(
      /^ +bob: nothing is sent before a new invite: pawl invite bob$/m,
    );
    world.introduce('bob', 'alice', { env });
    expect(world.heard('bob', world.said('alice', 'bob', 'hello', { env }))).toBe('hello');
  });

  it('and is two steps behind names that cause where it finds no session', () => {
    const world = meeting();
    world.copy(world.file('alice'), world.at('older.db'));
    for (const text of ['one', 'two']) {
      world.heard('alice', world.said('bob', 'alice', text));
      world.heard('bob', world.said('alice', 'bob', text));
    }
    world.copy(world.at('older.db'), world.file('alice'));
    const { exit, errors } = world.run('alice', 'recv', {
      input: world.said('bob', 'alice', 'three'),
      env: { PAWL_MARKS: 'none' },
    });
    expect([exit, errors]).toEqual([
      65,
      expect.stringMatching(/hint: .*this copy of the identity is older than what was sent from it/),
    ]);
  });
});

describe('a file that comes to another machine', () => {
  const laptop = { machine: 'laptop' };

  it('is for reading only until its owner says what it is; nothing is written, not even a mark', () => {
    const world = meeting();
    const { text, errors } = world.ok('alice', 'inspect', laptop);
    expect(text).toMatch(/^identity +alice/);
    expect(errors).toMatch(/alice\.db was never used on this machine/);
    const before = readFileSync(world.file('alice'));
    const envelope = world.said('bob', 'alice', 'are you there');
    for (const line of ['send bob -m three', 'recv', 'invite carol', 'add carol', 'passwd', 'prune', 'rename bob b']) {
      const refused = world.run('alice', line, { ...laptop, input: envelope });
      expect([line, refused.exit, refused.text]).toEqual([line, line === 'add carol' ? 65 : 76, '']);
    }
    const refused = world.run('alice', 'send bob -m three', laptop);
    expect(refused.errors).toMatch(/^error: .*\nhint: .*--moved.*--after-restore.*PAWL_MARKS=none/);
    expect(readFileSync(world.file('alice'))).toEqual(before);
    expect(existsSync(world.at('laptop'))).toBe(false);
  });

  it('goes on with --moved, once, and sends', () => {
    const world = meeting();
    expect(world.heard('bob', world.ok('alice', 'send bob -m moved --moved', laptop).output)).toBe('moved');
    expect(world.heard('bob', world.said('alice', 'bob', 'and on', laptop))).toBe('and on');
  });

  it('marks it with --moved even where the command reads, or fails', () => {
    const world = meeting();
    expect(world.run('alice', 'send nobody -m x --moved', laptop).exit).toBe(67);
    world.ok('alice', 'send bob -m one', laptop);
    world.ok('alice', 'inspect --moved', { machine: 'another' });
    world.ok('alice', 'send bob -m two', { machine: 'another' });
    // The desk has an older mark, and cannot know. But a file that is older than its mark is not moved.
    world.copy(world.file('alice'), world.at('older.db'));
    world.ok('alice', 'send bob -m three', laptop);
    world.copy(world.at('older.db'), world.file('alice'));
    expect(world.run('alice', 'send bob -m four --moved', laptop).errors).toMatch(/is older than what this machine/);
    expect(world.run('alice', 'send bob -m four --moved --after-restore', laptop).exit).toBe(64);
  });

  it('goes on with --after-restore, and every conversation is held', () => {
    const world = meeting();
    expect(world.run('alice', 'send bob -m three --after-restore', laptop).exit).toBe(76);
    world.introduce('bob', 'alice', laptop);
    expect(world.heard('bob', world.said('alice', 'bob', 'three', laptop))).toBe('three');
  });

  it('that was never written to is a new one', () => {
    const world = new World();
    world.ok('carol', ['init', 'carol', '--key-file', world.at('key')]);
    world.ok('carol', 'invite dave', laptop);
    expect(world.run('carol', 'invite dave', { machine: 'another' }).exit).toBe(76);
  });

  it('where nothing is kept is taken for the newest, and pawl says so each time', () => {
    const world = meeting();
    const words = /^pawl: no mark is kept \(PAWL_MARKS is none\): pawl would not notice a restored identity file$/m;
    const env = { PAWL_MARKS: 'none' };
    for (const text of ['one', 'two'])
      expect(world.run('alice', `send bob -m ${text}`, { env, ...laptop }).errors).toMatch(words);
    expect(world.run('alice', 'send bob -m three -q', { env, ...laptop }).errors).toBe('');
    expect(existsSync(world.at('laptop'))).toBe(false);
    expect(world.run('alice', 'send bob -m three', { env: { PAWL_MARKS: 'nowhere' } }).exit).toBe(64);
  });

  it('without a home folder is the same, and without a home for identities pawl says what to type', () => {
    const world = meeting();
    const env = { HOME: '', XDG_STATE_HOME: 'relative' };
    expect(world.ok('alice', 'send bob -m one', { env }).errors).toMatch(/no mark is kept \(there is no home folder\)/);
    const lost = world.run('alice', 'inspect', { env: { HOME: '', PAWL_HOME: '', XDG_DATA_HOME: 'relative' } });
    expect([lost.exit, lost.errors]).toEqual([
      78,
      expect.stringMatching(/^error: there is no home .*\nhint: .*--home DIR/),
    ]);
    expect(existsSync(join(world.folder, 'relative'))).toBe(false);
  });

  it('whose mark cannot be read or written says so each time, and works', () => {
    const world = meeting();
    rmSync(world.at('desk'), { recursive: true });
    writeFileSync(world.at('desk'), 'no folder');
    for (const text of ['one', 'two']) {
      expect(world.run('alice', `send bob -m ${text}`, {}).errors).toMatch(
        /^pawl: the mark .* cannot be read or written \(.*\)/m,
      );
    }
    expect(world.ok('dave', ['init', 'dave', '--key-file', world.at('key')]).errors).toMatch(/the mark .* cannot be/);
  });

  it.runIf(process.getuid?.() === 0)('keeps no mark where root would make folders in the home of another user', () => {
    const world = meeting();
    mkdirSync(world.at('theirs'));
    chownSync(world.at('theirs'), 65_534, 65_534);
    const env = { XDG_STATE_HOME: '', HOME: world.at('theirs') };
    for (const text of ['one', 'two']) {
      expect(world.ok('alice', `send bob -m ${text}`, { env }).errors).toMatch(
        /no mark is kept \(root makes no folders/,
      );
    }
    expect(readdirSync(world.at('theirs'))).toEqual([]);
  });
});

describe('a laptop that was copied', () => {
  it('is noticed by the peer, loudly, and the hint mends it', () => {
    const world = meeting();
    world.copy(world.file('alice'), world.at('stolen.db'));
    expect(world.heard('bob', world.said('alice', 'bob', 'from the desk'))).toBe('from the desk');
    world.copy(world.file('alice'), world.at('desk.db'));
    // The copy is in use elsewhere, where no mark tells of the original.
    world.copy(world.at('stolen.db'), world.file('alice'));
    const envelope = world.ok('alice', ['send', 'bob', '-m', 'from the laptop', '--moved'], {
      machine: 'laptop',
    }).output;
    const { exit, text, errors } = world.run('bob', 'recv', { input: envelope });
    expect([exit, text]).toEqual([65, '']);
    expect(errors).toMatch(
      /^error: standard input, .*, from alice: this message contradicts an earlier one: two different messages at one position\nhint: .*copied.*compare safety numbers \(pawl verify NAME\), then exchange a new invite/,
    );
    expect(world.run('bob', 'recv --quiet', { input: envelope }).errors).toMatch(/contradicts an earlier one/);
    expect(JSON.parse(world.run('bob', 'recv --json', { input: envelope }).text)).toMatchObject({
      type: 'refused',
      code: 'fork',
      from: 'alice',
    });
    expect(world.ok('bob', 'inspect alice').text).toMatch(/^fork +two different messages at one position/m);
    expect(JSON.parse(world.ok('bob', 'inspect alice --json').text)).toMatchObject({
      fork: true,
      fork_mark: { reason: 'two-texts-at-one-position', acknowledged_at: null },
    });
    expect(world.ok('bob', 'inspect').text).toMatch(/alice: messages contradict each other: pawl inspect alice/);

    // Nothing else changed; and after a new invite the copy is left behind.
    world.copy(world.at('desk.db'), world.file('alice'));
    expect(world.heard('bob', world.said('alice', 'bob', 'it is me'))).toBe('it is me');
    world.introduce('bob', 'alice');
    expect(world.heard('bob', world.said('alice', 'bob', 'anew'))).toBe('anew');
    expect(world.ok('bob', 'inspect alice').text).toMatch(/^fork +none/m);
    expect(world.ok('bob', 'inspect').text).toMatch(
      /^ +alice: .* another session contradict .*: pawl inspect alice --all; .* pawl acknowledge alice$/m,
    );
    expect(world.ok('bob', 'inspect alice --all').text).toMatch(/^fork +two different messages at one position/m);
  });
});

describe('pawl backup', () => {
  it('makes a copy that restores under the same rule', () => {
    const world = meeting();
    expect(world.heard('bob', world.said('alice', 'bob', 'zero'))).toBe('zero');
    expect(world.ok('alice', 'backup alice-copy.db').text).toBe('alice-copy.db\n');
    expect(statSync(world.at('alice-copy.db')).mode & 0o777).toBe(0o600);
    const again = world.run('alice', 'backup alice-copy.db');
    expect(again.exit).toBe(73);
    expect(again.errors).toMatch(/alice-copy\.db exists already/);
    // Put back at once, it is as new as the file was.
    world.copy(world.at('alice-copy.db'), world.file('alice'));
    expect(world.heard('bob', world.said('alice', 'bob', 'one'))).toBe('one');
    // Later it is older.
    world.copy(world.at('alice-copy.db'), world.file('alice'));
    expect(world.run('alice', 'send bob -m two').exit).toBe(76);
    expect(world.run('alice', 'backup of-the-older.db').errors).toMatch(/is older/);
    const answer = world.said('bob', 'alice', 'answer');
    expect(world.ok('alice', 'recv --after-restore', { input: answer }).text).toBe('answer');
    expect(world.heard('bob', world.said('alice', 'bob', 'two'))).toBe('two');
  });

  it('says why it cannot be made', () => {
    const world = meeting();
    const { exit, errors } = world.run('alice', 'backup nowhere/copy.db');
    expect(exit).toBe(73);
    expect(errors).toMatch(/nowhere\/copy\.db cannot be made: no such file or directory/);
  });
});

describe('pawl restore', () => {
  /** Alice's machine is lost after she said something that the backup does not know. */
  function lost(): World {
    const world = meeting();
    world.ok('alice', 'backup alice-copy.db');
    expect(world.heard('bob', world.said('alice', 'bob', 'after the backup'))).toBe('after the backup');
    rmSync(world.file('alice'));
    return world;
  }

  it.each(['desk', 'laptop'])('puts a backup in its place, held, on the %s; the backup stays as it was', (machine) => {
    const world = lost();
    const backup = readFileSync(world.at('alice-copy.db'));
    const { text, errors } = world.ok('alice', 'restore alice-copy.db', { machine });
    expect(text).toBe(`${world.file('alice')}\n`);
    expect(errors).toBe(
      'pawl: nothing is sent to bob before a new invite\n' +
        'pawl: a new invite for each of them: pawl invite --held --out-dir DIR\n',
    );
    expect(readFileSync(world.at('alice-copy.db'))).toEqual(backup);
    expect(statSync(world.file('alice')).mode & 0o777).toBe(0o600);
    expect(world.run('alice', 'send bob -m hello', { machine }).exit).toBe(76);

    mkdirSync(world.at('invites'));
    const invited = world.ok('alice', 'invite --held --out-dir invites', { machine });
    expect(invited.text).toBe('invites/for-bob.txt\n');
    // Again, it is the same invite, and another one is not made.
    const invite = readFileSync(world.at('invites/for-bob.txt'));
    rmSync(world.at('invites/for-bob.txt'));
    for (const _ of [1, 2]) world.ok('alice', 'invite --held --out-dir invites', { machine });
    expect(JSON.parse(world.ok('alice', 'invite --held --out-dir invites --json', { machine }).text)).toMatchObject({
      ...{ type: 'invite', for: 'bob', reusable: false, path: 'invites/for-bob.txt' },
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(readFileSync(world.at('invites/for-bob.txt'))).toEqual(invite);
    world.ok('bob', 'add alice invites/for-bob.txt');
    expect(world.heard('alice', world.said('bob', 'alice', 'there you are'), { machine })).toBe('there you are');
    expect(world.heard('bob', world.said('alice', 'bob', 'here I am', { machine }))).toBe('here I am');
    expect(world.ok('alice', 'invite --held --out-dir invites', { machine }).errors).toMatch(/no conversation is held/);
    expect(readdirSync(world.at('home')).sort()).toEqual(['alice.db', 'bob.db']);
  });

  it('says all of it in JSON', () => {
    const world = lost();
    const { text } = world.ok('alice', 'restore alice-copy.db alice --json');
    const path = world.file('alice');
    expect(JSON.parse(text)).toEqual({
      v: 1,
      type: 'restored',
      name: 'alice',
      path,
      held: [{ name: 'bob', until: 'invited' }],
    });
  });

  it('replaces nothing, renames nobody, and opens nothing with a wrong key', () => {
    const world = lost();
    world.ok('alice', 'restore alice-copy.db');
    const before = readFileSync(world.file('alice'));
    const taken = world.run('alice', 'restore alice-copy.db');
    expect([taken.exit, taken.errors]).toEqual([
      73,
      expect.stringMatching(/alice\.db exists already\nhint: .*move the file/),
    ]);
    const itself = world.run('alice', `restore ${world.file('alice')}`);
    expect([itself.exit, itself.errors]).toEqual([
      64,
      expect.stringMatching(/in its place already\nhint: .*--after-restore/),
    ]);
    rmSync(world.file('alice'));
    expect(world.run('alice', 'restore alice-copy.db carol').errors).toMatch(
      /holds the identity alice.*\nhint: pawl restore/,
    );
    writeFileSync(world.at('wrong'), Buffer.alloc(32), { mode: 0o600 });
    expect(world.run('alice', 'restore alice-copy.db', { key: 'wrong' }).exit).toBe(77);
    writeFileSync(world.at('text.db'), 'no identity');
    for (const file of ['text.db', 'nowhere.db', 'home']) expect(world.run('alice', ['restore', file]).exit).toBe(74);
    expect(readdirSync(world.at('home'))).toEqual(['bob.db']);
    expect(before.length).toBeGreaterThan(0);
  });

  it('makes the invites that can be written; the others come with the next call', () => {
    const world = lost();
    world.ok('alice', 'restore alice-copy.db');
    mkdirSync(world.at('invites'));
    writeFileSync(world.at('invites/for-bob.txt'), 'something else');
    const refused = world.run('alice', 'invite --held --out-dir invites');
    expect([refused.exit, refused.errors]).toEqual([
      73,
      expect.stringMatching(/^error: the invite for bob: .*for-bob\.txt exists already\nhint: .*--force/),
    ]);
    expect(readFileSync(world.at('invites/for-bob.txt'), 'utf8')).toBe('something else');
    expect(world.ok('alice', 'invite --held --out-dir invites --force').text).toBe('invites/for-bob.txt\n');
    for (const line of [
      'invite --held',
      'invite bob --held --out-dir invites',
      'invite --held --qr --out-dir invites',
      'invite',
    ]) {
      expect([line, world.run('alice', line).exit]).toEqual([line, 64]);
    }
    expect(world.run('alice', 'invite bob --out-dir invites').exit).toBe(64);
    expect(world.run('alice', 'invite --held --out-dir nowhere').exit).toBe(73);
  });
});
