import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { meeting, type World } from './world.ts';

const PAWL = resolve(import.meta.dirname, '../../bin/pawl.js');

/** Runs a line of shell with `pawl` being alice's. */
function shell(world: World, line: string) {
  return spawnSync('sh', ['-c', `pawl() { "$NODE" "$PAWL" -i alice --no-input "$@"; }; ${line}`], {
    cwd: world.folder,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      NODE: process.execPath,
      PAWL,
      PAWL_HOME: world.at('home'),
      XDG_STATE_HOME: world.at('desk'),
      PAWL_KEY_FILE: world.at('key'),
    },
  });
}

describe('an envelope that was never fully written', () => {
  it.runIf(existsSync('/dev/full'))('waits in the outbox, and goes out again as the same message', () => {
    const world = meeting();
    expect(world.ok('alice', 'outbox').errors).toMatch(/nothing is waiting/);
    const full = shell(world, "pawl send bob -m 'into the void' > /dev/full");
    expect(full.status).toBe(74);
    expect(full.stderr).toMatch(/^error: standard output cannot be written: no space left on device/);
    expect(shell(world, 'pawl send bob -m again > /dev/full').status).toBe(74);

    expect(world.ok('alice', 'inspect').text).toMatch(/an envelope for bob, since .*never fully written/);
    expect(world.ok('alice', 'outbox').text).toMatch(/^\d+ +for bob .* bytes\n\d+ +for bob .* bytes\n$/);
    const [first, second] = world
      .ok('alice', 'outbox --json')
      .text.trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([first, second]).toMatchObject([
      { type: 'unwritten', to: 'bob' },
      { type: 'unwritten', to: 'bob' },
    ]);
    // Neither writing into the void once more nor a wrong number changes anything.
    expect(shell(world, 'pawl outbox resend > /dev/full').status).toBe(74);
    const unknown = world.run('alice', 'outbox resend 999');
    expect(unknown.exit).toBe(66);
    expect(unknown.errors).toMatch(/no envelope with the number 999/);

    const { output } = world.ok('alice', `outbox resend ${second.outbox_id}`);
    expect(output).toHaveLength(second.bytes);
    expect(world.heard('bob', output)).toBe('again');
    const rest = world.ok('alice', 'outbox resend').output;
    expect(world.ok('bob', 'recv --json', { input: rest }).text).toContain(`"id":"${first.id}"`);
    expect(world.run('bob', 'recv', { input: rest }).errors).toMatch(/was received before/);
    expect(world.ok('alice', 'outbox').errors).toMatch(/nothing is waiting/);
    // The next message is another one.
    expect(world.heard('bob', world.said('alice', 'bob', 'on'))).toBe('on');
  });
});

describe('messages that are missing', () => {
  it('are told by recv and by inspect, until they come', () => {
    const world = meeting();
    const [one, two, three] = ['one', 'two', 'three'].map((word) => world.said('alice', 'bob', word));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three were sent');
    const first = world.ok('bob', 'recv', { input: three });
    expect([first.text, first.errors]).toEqual([
      'three',
      expect.stringMatching(/2 messages of alice missing so far: pawl inspect alice/),
    ]);
    expect(world.ok('bob', 'inspect alice').text).toMatch(/^skipped keys +chain [0-9a-f]{16}, message \d+, kept/m);
    const { errors, text } = world.ok('bob', 'recv', { input: one });
    expect([text, errors]).toEqual(['one', expect.not.stringMatching(/missing/)]);
    expect(JSON.parse(world.ok('bob', 'inspect alice --json').text).skipped).toHaveLength(1);
    expect(JSON.parse(world.ok('bob', 'recv --json', { input: two }).text)).toMatchObject({ late: true, text: 'two' });
    expect(world.ok('bob', 'inspect alice').text).toMatch(/^skipped keys +none/m);
  });

  it('of which there are too many are bridged by what the hint says: typed as it stands, or by an answer', async () => {
    const world = meeting();
    world.heard('bob', world.said('alice', 'bob', 'one'));
    await world.lose(2_002);
    const next = world.said('alice', 'bob', 'are you there');
    const refused = world.run('bob', 'recv', { input: next });
    expect(refused.exit).toBe(65);
    expect(refused.errors).toMatch(/2002 messages before this one are missing, more than the 2000/);
    const hint = /^hint: pawl (recv --max-gap \d+); or send them anything/m.exec(refused.errors)?.[1];
    expect(hint).toBe('recv --max-gap 2002');
    world.copy(world.file('bob'), world.at('bob-before.db'));
    expect(world.ok('bob', hint ?? '', { input: next }).text).toBe('are you there');
    // The newest 2,000 keys are kept, the others are counted as lost.
    const report = JSON.parse(world.ok('bob', 'inspect alice --json').text);
    expect([report.skipped.length, report.lost]).toEqual([2_000, 2]);

    // The other way: on a machine that has seen nothing of this.
    world.copy(world.at('bob-before.db'), world.file('bob'));
    const bob = { machine: 'laptop' };
    world.ok('bob', 'inspect --moved', bob);
    const anything = world.said('bob', 'alice', 'anything', bob);
    expect(world.heard('alice', anything)).toBe('anything');
    const { text, errors } = world.ok('bob', 'recv', { ...bob, input: world.said('alice', 'bob', 'here I am') });
    expect(text).toBe('here I am');
    expect(errors).toMatch(/2003 messages of alice are missing, and their keys are gone/);
    expect(world.ok('bob', 'inspect alice', bob).text).toMatch(/^lost +2003 messages whose keys are gone/m);
  });
});
