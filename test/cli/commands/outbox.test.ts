import { expect, it } from 'vitest';
import { acquaint, type Person } from '../fake-io.ts';

/** Puts envelopes of processes that have ended, and texts, into the boxes of a person. */
function leave(person: Person, count: number): void {
  const database = person.openFile();
  database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO outbox (contact_id, message_id, process, created_at, envelope, length)
    SELECT 1, zeroblob(16), 'gone', 0, zeroblob(400), 400 FROM n;
    INSERT INTO inbox (contact_id, message_id, n, late, received_at, content)
    SELECT contact_id, message_id, 0, 0, 0, envelope FROM outbox;`);
  database.close();
}

interface Unwritten {
  readonly outbox_id: number;
}

it('lists a page of the newest, and says how many older ones there are', async () => {
  const { alice } = await acquaint();
  leave(alice, 100);
  const whole = await alice.pawl(['outbox']);
  expect(whole.text.trimEnd().split('\n')).toHaveLength(100);
  expect(whole.errors).toBe('');

  leave(alice, 3);
  const { text, errors } = await alice.pawl(['outbox']);
  const all = await alice.pawl(['outbox', '--all']);
  const lines = all.text.trimEnd().split('\n');
  expect(lines).toHaveLength(103);
  expect(text.trimEnd().split('\n')).toEqual(lines.slice(3));
  expect(errors).toBe('pawl: 3 older ones are not shown: pawl outbox --all\n');
  expect(all.errors).toBe('');
});

it('gives a script all of them, oldest first', async () => {
  const { alice } = await acquaint();
  leave(alice, 102);
  const ids = (await alice.documents<Unwritten>(['outbox'])).map(({ outbox_id }) => outbox_id);
  expect(ids).toHaveLength(102);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  expect(await alice.documents(['outbox', '--all'])).toHaveLength(102);
  const [identity] = await alice.documents<{ inbox: []; outbox: [] }>(['inspect']);
  expect([identity?.inbox.length, identity?.outbox.length]).toEqual([102, 102]);
});

it('is on the page of the identity in part', async () => {
  const { alice } = await acquaint();
  leave(alice, 101);
  const lines = (await alice.pawl(['inspect'])).text.split('\n').map((line) => line.trim());
  expect(lines.filter((line) => /^a text of bob, since .*: pawl recv --waiting$/.test(line))).toHaveLength(100);
  expect(lines.filter((line) => /^an envelope for bob, since .*, never fully written$/.test(line))).toHaveLength(100);
  expect(lines).toContain('1 older text: pawl recv --waiting');
  expect(lines).toContain('1 older envelope: pawl outbox --all');
});

it('is not poured onto a terminal, and the rest stays', async () => {
  const { alice } = await acquaint();
  leave(alice, 120);
  const terminal = { columns: 80, rows: 24 };
  const { exit, text, errors } = await alice.onTerminal(['outbox', 'resend'], terminal);
  expect([exit, text]).toEqual([64, '']);
  expect(errors).toMatch(
    /^error: this is 72\.\d kB of armor, too much for a terminal\nhint: pawl outbox resend > FILE/,
  );
  expect(await alice.documents(['outbox'])).toHaveLength(120);
});

it('is not all listed and written again at once', async () => {
  const { alice } = await acquaint();
  expect(await alice.refusal(['outbox', 'resend', '--all'])).toBe('usage 64');
});

it('writes again all that waits, more than a page of it', async () => {
  const { alice } = await acquaint();
  leave(alice, 101);
  expect((await alice.pawl(['outbox', 'resend'])).bytes).toHaveLength(101 * 400);
  expect(await alice.documents(['outbox'])).toEqual([]);
});
