import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/cli/terminal/format.ts';
import { START } from '../../session/party.ts';
import { acquaint, Person } from '../fake-io.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TERMINAL = { columns: 80, rows: 24 };
const HISTORY_WARNING = 'pawl: whoever has this file and its passphrase or key reads the texts that are kept, too';

/** Alice and bob, who have met; bob keeps texts. */
async function withHistory(setting = '30d'): Promise<{ alice: Person; bob: Person }> {
  const people = await acquaint();
  await people.bob.pawl(['history', setting]);
  return people;
}

async function textsOf(person: Person, ...parameters: readonly string[]): Promise<readonly (string | undefined)[]> {
  const logged = await person.documents<{ text?: string }>(['log', ...parameters]);
  return logged.map(({ text }) => text);
}

describe('history', () => {
  it('is off, until it is turned on', async () => {
    const { bob } = await acquaint();
    expect((await bob.pawl(['history'])).text).toBe('off\n');
    expect(await bob.pawl(['log'])).toMatchObject({
      text: '',
      errors: 'pawl: history is off, so nothing is kept: pawl history 30d\n',
    });
    expect(await bob.pawl(['history', '30d'])).toMatchObject({
      text: '',
      errors: `pawl: history: 30d, on since ${instant(START)}, no texts yet\n${HISTORY_WARNING}\n`,
    });
    expect((await bob.pawl(['log'])).errors).toBe('pawl: nothing is kept yet\n');
    await bob.send('alice', 'hi');
    bob.time += DAY;
    await bob.send('alice', 'hi');
    expect((await bob.pawl(['history'])).text).toBe(
      `30d, on since ${instant(START)}, 2 texts from ${instant(START)} on\n`,
    );
    await bob.pawl(['history', 'on']);
    expect((await bob.pawl(['history'])).text).toMatch(/^on since /);
  });

  it('can be on from the beginning', async () => {
    const carol = await Person.named('carol');
    const { errors } = await carol.pawl(['init', 'dave', '--history', '36h']);
    expect(errors).toContain(`${HISTORY_WARNING}\n`);
    expect((await carol.pawl(['-i', 'dave', 'history'])).text).toBe(`36h, on since ${instant(START)}, no texts yet\n`);
    expect((await carol.pawl(['-i', 'carol', 'history'])).text).toBe('off\n');
  });

  it('says in JSON what is set', async () => {
    const { bob } = await acquaint();
    const off = { v: 1, type: 'history', on: false, since: null, kept_for: null, texts: 0, first_at: null };
    const on = { ...off, on: true, since: '2026-01-01T00:00:00.000Z' };
    expect(await bob.documents(['history'])).toEqual([off]);
    expect(await bob.documents(['history', 'on'])).toEqual([{ ...on, deleted: 0 }]);
    bob.time += HOUR;
    await bob.send('alice', 'hi');
    const kept = { ...on, kept_for: 2_592_000, texts: 1, first_at: '2026-01-01T01:00:00.000Z' };
    expect(await bob.documents(['history', '30d'])).toEqual([{ ...kept, deleted: 0 }]);
    const { v: _, type: __, ...fields } = kept;
    expect(await bob.documents(['inspect'])).toMatchObject([{ history: fields }]);
    expect(await bob.documents(['history', 'off', '--yes'])).toEqual([{ ...off, deleted: 1 }]);
  });

  it('is one line of inspect', async () => {
    const { alice, bob } = await withHistory('on');
    await bob.send('alice', 'hi');
    expect((await alice.pawl(['inspect'])).text).toMatch(/\nhistory {6}off\n/);
    expect((await bob.pawl(['inspect'])).text).toContain(
      `\nhistory      on since ${instant(START)}, 1 text from ${instant(START)} on\n`,
    );
  });

  it('deletes nothing that nobody has said yes to', async () => {
    const { bob } = await withHistory();
    await bob.send('alice', 'old');
    bob.time += 2 * HOUR;
    await bob.send('alice', 'new');
    for (const setting of ['off', '1h']) {
      expect(await bob.refusal(['history', setting])).toBe('usage 64');
      expect(await bob.refusal(['history', setting, '--no-input'])).toBe('usage 64');
    }
    expect(await textsOf(bob)).toEqual(['old', 'new']);
    // Nothing goes by these, so nothing is asked.
    await bob.pawl(['history', '3h']);
    await bob.pawl(['history', 'on']);
    expect((await bob.pawl(['history', '1h', '-y'])).errors).toContain('pawl: deleted: 1 text\n');
    expect(await textsOf(bob)).toEqual(['new']);
    await bob.pawl(['history', 'off', '-y']);
    expect(await textsOf(bob)).toEqual([]);
    expect(bob.rows('history')).toEqual([]);
    await bob.pawl(['history', 'off']);
  });

  it('lets a text go after its time, unseen at once and with the next command that writes', async () => {
    const { bob } = await withHistory('1h');
    await bob.send('alice', 'hi');
    bob.time += HOUR;
    expect(await textsOf(bob)).toEqual(['hi']);
    bob.time += 1;
    expect(await textsOf(bob)).toEqual([]);
    expect(bob.rows('history')).toHaveLength(1);
    await bob.pawl(['prune']);
    expect(bob.rows('history')).toEqual([]);
  });

  it('goes with a contact that is forgotten, and says so', async () => {
    const { alice, bob } = await withHistory();
    await bob.recv(await alice.send('bob', 'one'));
    await bob.send('alice', 'two');
    expect((await bob.pawl(['forget', 'alice', '--yes'])).errors).toContain(', 2 texts of the history\n');
    expect(bob.rows('history')).toEqual([]);
  });
});

describe('log', () => {
  it('shows who said what and when, oldest first, exactly in JSON', async () => {
    const { alice, bob } = await withHistory();
    alice.time += 60_000;
    const noon = await alice.send('bob', 'noon?\nor one?\n');
    bob.time += 5 * 60_000;
    await bob.recv(noon);
    await bob.send('alice', 'noon');
    bob.time += 2 * HOUR;
    await bob.recv(await alice.send('bob', 'late'));
    const { text } = await bob.pawl(['log']);
    expect(text).toBe(`alice, ${instant(START + 5 * 60_000)}:
  noon?
  or one?
to alice, ${instant(START + 5 * 60_000)}:
  noon
alice, ${instant(bob.time)} (sent ${instant(alice.time)}):
  late
`);
    const hex = expect.stringMatching(/^[0-9a-f]{32}$/);
    const received = { v: 1, type: 'logged', direction: 'received', contact: 'alice', id: hex, n: 0 };
    expect(await bob.documents(['log', 'alice'])).toMatchObject([
      {
        ...received,
        at: '2026-01-01T00:05:00.000Z',
        sent_at: '2026-01-01T00:01:00.000Z',
        text: 'noon?\nor one?\n',
      },
      { ...received, direction: 'sent', text: 'noon' },
      { ...received, n: 1, at: '2026-01-01T02:05:00.000Z', sent_at: '2026-01-01T00:01:00.000Z', text: 'late' },
    ]);
  });

  it('has the id that both sides know a message by', async () => {
    const { alice, bob } = await withHistory();
    await alice.pawl(['history', 'on']);
    await bob.recv(await alice.send('bob', 'hi'));
    const [sent] = await alice.documents<{ id: string }>(['log']);
    const [received] = await bob.documents<{ id: string }>(['log']);
    expect(sent?.id).toBe(received?.id);
  });

  it('has of a file its name and size, and of other bytes their number', async () => {
    const { alice, bob } = await withHistory();
    const { bytes } = await alice.pawl(['send', 'bob', `${alice.folder}/key`]);
    await bob.recv(bytes);
    await bob.pawl(['send', 'alice'], Buffer.alloc(1_234_567, 0xff));
    expect((await bob.pawl(['log'])).text).toBe(
      `alice, ${instant(START)} (file key, 32 bytes)\nto alice, ${instant(START)} (1.2 MB, not kept)\n`,
    );
    const logged = await bob.documents<object>(['log']);
    expect(logged).toMatchObject([{ file: 'key', bytes: 32 }, { bytes: 1_234_567 }]);
    for (const one of logged) expect(one).not.toHaveProperty('text');
    expect(logged[1]).not.toHaveProperty('file');
  });

  it('shows the name of a file as a name, in a pipe as well', async () => {
    const { alice, bob } = await withHistory();
    const path = join(alice.folder, 'photo\u202egpj.exe');
    writeFileSync(path, 'x');
    await bob.pawl(['recv'], (await alice.pawl(['send', 'bob', path])).bytes);
    expect((await bob.pawl(['log'])).text).toBe(`alice, ${instant(START)} (file photo\\u{202e}gpj.exe, 1 byte)\n`);
  });

  it('keeps lines in, and nothing acts on a terminal, nor on the one behind a pipe', async () => {
    const { alice, bob } = await withHistory();
    const text = `\x1b[2J\ralice, ${instant(START)}:\u202e\nto alice, ${instant(START)}:\n  yes`;
    await bob.recv(await alice.send('bob', text));
    const shown = (await bob.onTerminal(['log'], TERMINAL)).text;
    expect(shown).toBe(`alice, ${instant(START)}:
  \\u{1b}[2J\\u{d}alice, ${instant(START)}:\\u{202e}
  to alice, ${instant(START)}:
    yes
`);
    expect((await bob.pawl(['log'])).text).toBe(shown);
    expect(await textsOf(bob)).toEqual([text]);
  });

  it('is of one contact, or since a time', async () => {
    const { bob } = await withHistory('on');
    for (const text of ['one', 'two', 'three']) {
      await bob.send('alice', text);
      bob.time += DAY;
    }
    expect(await textsOf(bob, 'alice', '--since', '2d')).toEqual(['two', 'three']);
    expect(await textsOf(bob, '--since', '49h')).toEqual(['two', 'three']);
    expect(await textsOf(bob, '--since', '2026-01-02T00:00Z')).toEqual(['two', 'three']);
    expect(await textsOf(bob, '--since', '2026-01-02T00:01Z')).toEqual(['three']);
    expect(await textsOf(bob, '--since', '1m')).toEqual([]);
    expect(await bob.refusal(['log', 'zoe'])).toBe('unknown-contact 67');
    expect(await bob.refusal(['log', '--since', 'yesterday'])).toBe('usage 64');
  });

  it('has each text of many that went together', async () => {
    const { alice, bob } = await withHistory();
    await alice.pawl(['history', 'on']);
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);
    const { bytes } = await alice.pawl(['send', 'bob', '--lines'], Buffer.from(lines.join('\n')));
    await bob.pawl(['recv', '--lines'], bytes);
    expect(await textsOf(alice)).toEqual(lines);
    expect(await textsOf(bob)).toEqual(lines);
  });

  it('has what was written into a file, once it is there', async () => {
    const { alice, bob } = await withHistory();
    const envelope = await alice.send('bob', 'hi');
    expect(await bob.refusal(['recv', '-o', '/dev/full'], envelope)).toMatch(/ 7[34]$/);
    expect(await textsOf(bob)).toEqual([]);
    await bob.pawl(['recv', '--lines']);
    expect(await textsOf(bob)).toEqual(['hi']);
  });

  it('of a file that was restored is what it was then', async () => {
    const { bob } = await withHistory();
    await bob.send('alice', 'before');
    await bob.pawl(['backup', `${bob.folder}/copy`]);
    await bob.send('alice', 'after');
    copyFileSync(`${bob.folder}/copy`, `${bob.folder}/bob.db`);
    expect(await textsOf(bob)).toEqual(['before']);
    await bob.pawl(['--after-restore', 'prune']);
    expect(await textsOf(bob)).toEqual(['before']);
    expect((await bob.pawl(['history'])).text).toMatch(/^30d, on since .*, 1 text from /);
  });
});
