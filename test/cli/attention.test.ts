import { describe, expect, it } from 'vitest';
import { acquaint, type Person } from './fake-io.ts';

const DAY = 86_400_000;

/** The section of the page that says what needs attention, a line each. */
async function attention(person: Person): Promise<readonly string[]> {
  const { text } = await person.pawl(['inspect']);
  const [, lines = ''] = text.split('attention\n');
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}

const UNVERIFIED = 'bob: unverified; compare the safety number: pawl verify bob';

describe('what inspect says needs attention', () => {
  it('is a contact that nobody has compared numbers with', async () => {
    const { alice } = await acquaint();
    expect(await attention(alice)).toEqual([UNVERIFIED]);
  });

  it('is messages that are missing, and the more so the longer they are', async () => {
    const { alice, bob } = await acquaint();
    await bob.send('alice', 'lost');
    await bob.send('alice', 'lost as well');
    await alice.recv(await bob.send('alice', 'comes'));
    alice.time += 2 * 3_600_000;
    expect(await attention(alice)).toEqual([
      'bob: 2 messages missing, the first for 2 hours: pawl inspect bob',
      UNVERIFIED,
    ]);
    alice.time += 9 * DAY;
    expect((await attention(alice))[0]).toBe(
      'bob: 2 messages missing, the first for 9 days; a thief of this file could read them still: pawl inspect bob',
    );
  });

  it('is a conversation that goes one way, by time or by number', async () => {
    const { alice, bob } = await acquaint();
    const question = await alice.send('bob', 'are you there?');
    expect(await attention(alice)).toEqual([UNVERIFIED]);
    alice.time += 8 * DAY;
    const alone = /^bob: 1 message in 8 days without an answer; a key that was stolen heals only when bob writes$/;
    expect((await attention(alice))[0]).toMatch(alone);
    bob.time = alice.time;
    await bob.recv(question);
    await alice.recv(await bob.send('alice', 'yes'));
    expect(await attention(alice)).toEqual([UNVERIFIED]);
    await alice.pawl(['send', 'bob', '--lines'], Buffer.from('again\n'.repeat(100)));
    expect((await attention(alice))[0]).toMatch(/^bob: 100 messages in less than a minute without an answer/);
  });

  it('is a contradiction, until it is acknowledged; and then the next one', async () => {
    const { alice } = await acquaint();
    const contradict = (reason: string, at: number) => {
      const file = alice.openFile();
      file.exec(`UPDATE sessions SET fork_reason = '${reason}', fork_at = ${at}, fork_acknowledged_at = NULL`);
      file.close();
    };
    const told = 'bob: messages contradict each other: pawl inspect bob; once you know why: pawl acknowledge bob';
    for (const reason of ['two-keys-in-one-chain', 'past-the-end-of-a-chain']) {
      contradict(reason, alice.time);
      const mark = { reason, at: new Date(alice.time).toISOString() };
      expect(await attention(alice)).toEqual([told, UNVERIFIED]);
      expect(await alice.documents(['inspect'])).toMatchObject([
        { contacts: [{ fork: true, forks: [{ ...mark, acknowledged_at: null }] }] },
      ]);
      alice.time += 1_000;
      const acknowledged = { ...mark, acknowledged_at: new Date(alice.time).toISOString() };
      expect(await alice.documents(['acknowledge', 'bob'])).toMatchObject([{ contact: 'bob', forks: 1 }]);
      expect(await attention(alice)).toEqual([UNVERIFIED]);
      expect(await alice.documents(['contacts'])).toMatchObject([{ fork: false, forks: [acknowledged] }]);
      expect(await alice.documents(['inspect', 'bob'])).toMatchObject([{ fork: false, fork_mark: acknowledged }]);
      expect(await alice.documents(['acknowledge', 'bob'])).toMatchObject([{ forks: 0 }]);
    }
    expect(await alice.refusal(['acknowledge', 'carol'])).toBe('unknown-contact 67');
  });

  it('is an invite that expired unused, and none that was withdrawn', async () => {
    const { alice } = await acquaint();
    for (const name of ['carol', 'dave']) await alice.invite(name, '1d');
    expect(await attention(alice)).toEqual([UNVERIFIED]);
    await alice.pawl(['invite', 'dave', '--withdraw']);
    alice.time += 2 * DAY;
    expect((await attention(alice)).at(-1)).toMatch(/^the invite for carol was not used before it expired on \d{4}-/);
  });

  it('is told in JSON as numbers and times', async () => {
    const { alice, bob } = await acquaint();
    await bob.send('alice', 'lost');
    await alice.recv(await bob.send('alice', 'comes'));
    const since = new Date(alice.time).toISOString();
    await alice.send('bob', 'one');
    expect(await alice.documents(['inspect'])).toMatchObject([
      { contacts: [{ name: 'bob', missing: 1, missing_since: since, unanswered: 1, unanswered_since: since }] },
    ]);
    expect(await bob.documents(['inspect'])).toMatchObject([
      { contacts: [{ name: 'alice', missing: 0, missing_since: null, unanswered: 3 }] },
    ]);
  });
});
