import { chmodSync, readdirSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { meeting, type World } from './world.ts';

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
      /^error: nothing is sent to bob from a restored file before an answer of theirs, .*\nhint: receive .*pawl add bob/,
    );
    expect(heldUntil(world, 'alice', 'bob')).toBe('answered');
    expect(world.ok('alice', 'inspect').text).toMatch(/^ +bob: nothing is sent .* before an answer .*: pawl recv$/m);
    expect(world.ok('alice', 'inspect bob').text).toMatch(
      /^sending +chain .*\n +held: nothing is sent from a restored file before an answer of theirs, or a new invite\n/m,
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
      expect.stringMatching(/before a new invite\nhint: exchange a new invite: pawl invite bob/),
    ]);
    expect(heldUntil(world, 'alice', 'bob')).toBe('invited');
    expect(world.ok('alice', 'inspect').text).toMatch(
      /^ +bob: nothing is sent .* before a new invite: pawl invite bob$/m,
    );
    expect(world.ok('alice', 'inspect bob').text).toMatch(/^sending +begins .*\n +held: .* before a new invite\n/m);
    const heard = world.run('alice', 'recv', { input: next });
    expect([heard.exit, heard.text]).toEqual([65, '']);
    expect(heard.errors).toMatch(/an answer to something that this file never sent\nhint: .*exchange a new invite/);
    expect(world.run('alice', 'send bob -m hello').exit).toBe(76);
    world.introduce('bob', 'alice');
    expect(world.heard('bob', world.said('alice', 'bob', 'hello'))).toBe('hello');
    expect(world.heard('alice', world.said('bob', 'alice', 'there you are'))).toBe('there you are');
  });

  it('--after-restore changes nothing where nothing was restored', () => {
    const world = meeting();
    expect(world.heard('bob', world.ok('alice', 'send bob -m one --after-restore').output)).toBe('one');
    expect(world.heard('bob', world.said('alice', 'bob', 'two'))).toBe('two');
  });

  it('is older for nobody whose machine keeps no marks', () => {
    const world = restored();
    chmodSync(world.at('desk/pawl'), 0o700);
    world.ok('alice', 'send bob -m three', { machine: 'another' });
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
    const envelope = world.said('alice', 'bob', 'from the laptop', { machine: 'laptop' });
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
