import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { START } from '../session/party.ts';
import { acquaint, Person, temporaryFolder } from './fake-io.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
/** When an invite of 30 days ends, made at the start. */
const EXPIRY = START + 30 * DAY;

async function strangers(): Promise<{ alice: Person; bob: Person }> {
  return { alice: await Person.named('alice'), bob: await Person.named('bob') };
}

/** The opening of a conversation with bob, made at the start. */
async function opening(lifetime = '30d') {
  const people = await strangers();
  const invite = await people.bob.invite('alice', lifetime);
  await people.alice.add('bob', invite);
  return { ...people, invite, envelope: await people.alice.send('bob', 'hi bob') };
}

interface InviteRow {
  readonly fate: string;
  readonly [column: string]: unknown;
}

interface SessionDocument {
  readonly opened_at: string;
  readonly sends: boolean;
  readonly skipped: readonly { readonly n: number; readonly kept_since: string }[];
}

describe('an invite that has expired', () => {
  it('is refused by the one who adds it, from its last second on', async () => {
    const { alice, bob } = await strangers();
    const invite = await bob.invite('alice');
    alice.time = EXPIRY;
    expect(await alice.refusal(['add', 'bob'], invite)).toBe('invite-expired 65');
    expect(await alice.documents<{ contacts: unknown[] }>(['inspect'])).toMatchObject([{ contacts: [] }]);
    alice.time = EXPIRY - 1;
    await alice.add('bob', invite);
  });

  it('still lets in whoever answered it in time, for seven days', async () => {
    const { bob, envelope } = await opening();
    bob.time = EXPIRY + 7 * DAY - 1;
    expect(await bob.recv(envelope)).toBe('hi bob');
  });

  it('lets nobody in after that, and its secrets are gone from the file', async () => {
    const { bob, envelope } = await opening();
    bob.time = EXPIRY + 7 * DAY;
    expect(await bob.refusal(['recv'], envelope)).toBe('invite-expired 65');

    bob.time += SECOND;
    expect(await bob.refusal(['recv'], envelope)).toBe('invite-expired 65');
    expect(bob.rows<InviteRow>('invites')).toMatchObject([
      { fate: 'expired', bytes: null, prekey_public_key: null, prekey_secret_key: null, kem_seed: null },
    ]);
    // And a clock that is put back brings nothing back.
    bob.time = START;
    expect(await bob.refusal(['recv'], envelope)).toBe('invite-expired 65');
  });

  it('loses its secrets with whatever command comes next', async () => {
    const { bob } = await opening();
    bob.time = EXPIRY + 7 * DAY + SECOND;
    await bob.invite('carol');
    expect(bob.rows<InviteRow>('invites').map(({ fate }) => fate)).toEqual(['expired', 'open']);
  });

  it('is forgotten 90 days later', async () => {
    const { bob, envelope } = await opening();
    bob.time = EXPIRY + 90 * DAY;
    expect(await bob.refusal(['recv'], envelope)).toBe('invite-expired 65');
    bob.time += SECOND;
    expect(await bob.refusal(['recv'], envelope)).toBe('unknown-invite 65');
    expect(bob.rows('invites')).toEqual([]);
  });

  it('cannot be answered any more, though it was added in time; a new one can', async () => {
    const { alice, bob } = await strangers();
    await alice.add('bob', await bob.invite('alice'));
    alice.time = bob.time = EXPIRY;
    expect(await alice.refusal(['send', 'bob', '-m', 'hi'])).toBe('invite-expired 65');
    expect(await alice.refusal(['inspect', 'bob'])).toBe('no-session 67');
    expect(alice.rows('outbox')).toEqual([]);

    await alice.add('bob', await bob.invite('alice'));
    expect(await bob.recv(await alice.send('bob', 'at last'))).toBe('at last');
  });

  it('leaves a conversation that there is as it was', async () => {
    const { alice, bob } = await acquaint();
    await alice.add('bob', await bob.invite('alice'));
    alice.time = EXPIRY;
    const { bytes, errors } = await alice.pawl(['-q', 'send', 'bob', '-m', 'on the old one']);
    expect(errors).toMatch(/^pawl: the invite of bob that you added expired on \d{4}-\d\d-\d\d, and is dropped: .*\n$/);
    expect(await bob.recv(bytes)).toBe('on the old one');
    expect(await alice.documents(['inspect', 'bob', '--all'])).toHaveLength(1);
    expect((await alice.pawl(['send', 'bob', '-m', 'and once more'])).errors).toBe('');
  });

  it('is told as it is dropped: in JSON with the first of several, and also if nothing can be written', async () => {
    const { alice, bob } = await acquaint();
    const expired = { expired_invite: new Date(EXPIRY).toISOString() };
    const later = async () => {
      await alice.add('bob', await bob.invite('alice', '1h'));
      alice.time += HOUR;
    };
    await alice.add('bob', await bob.invite('alice'));
    alice.time = bob.time = EXPIRY;
    const { errors } = await alice.pawl(['--json', 'send', 'bob', '--lines'], Buffer.from('one\ntwo\n'));
    const [notice, first, second] = errors
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expect([notice, first]).toMatchObject([{ type: 'notice' }, { type: 'sent', ...expired }]);
    expect(second).not.toHaveProperty('expired_invite');
    await later();
    const refused = await alice.run(['send', 'bob', '-m', 'hi', '-o', '/dev/full']);
    expect([refused.exit, refused.errors]).toEqual([
      74,
      expect.stringContaining('the invite of bob that you added expired'),
    ]);
  });

  it.each([
    ['a large content', ['large']],
    ['a large content with -o', ['large', '-o', 'out']],
    ['several files', ['small', 'large']],
    ['several files with -o', ['small', 'large', '-o', 'out']],
    ['several files with -o, of which the first is large', ['large', 'small', '-o', 'out']],
  ])('is told with %s, once, and in its document', async (_, given) => {
    const { alice, bob } = await acquaint();
    await alice.add('bob', await bob.invite('alice'));
    alice.time = EXPIRY;
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'small'), 'small');
    writeFileSync(join(folder, 'large'), new Uint8Array(2 ** 24));
    const paths = given.map((word) => (word === '-o' ? word : join(folder, word)));
    const { text, errors } = await alice.pawl(['--json', 'send', 'bob', ...paths]);
    const documents = (given.includes('-o') ? text + errors : errors)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const notices = documents.filter(({ type }) => type === 'notice');
    expect(notices).toMatchObject([{ message: expect.stringContaining('the invite of bob that you added expired') }]);
    const expired = new Date(EXPIRY).toISOString();
    const files = given.filter((word) => word === 'small' || word === 'large');
    expect(documents.filter(({ type }) => type === 'sent').map((sent) => sent.expired_invite)).toEqual(
      files.map((_file, index) => (index === 0 ? expired : undefined)),
    );
  });

  it('is told with a large content before anything of it is written', async () => {
    const { alice, bob } = await acquaint();
    await alice.add('bob', await bob.invite('alice'));
    alice.time = EXPIRY;
    const refused = await alice.run(['send', 'bob', '-o', '/dev/full'], new Uint8Array(2 ** 24));
    expect([refused.exit, refused.errors]).toEqual([
      74,
      expect.stringContaining('the invite of bob that you added expired'),
    ]);
  });

  it('is not counted among the open ones', async () => {
    const bob = await Person.named('bob');
    for (let i = 0; i < 63; i++) await bob.invite(`friend-${i}`, '1h');
    await bob.invite('the-last', '2h');
    expect(await bob.refusal(['invite', 'one-more'])).toBe('too-many-invites 73');
    expect(bob.rows('invites')).toHaveLength(64);

    bob.time += HOUR - 1;
    expect(await bob.refusal(['invite', 'one-more'])).toBe('too-many-invites 73');
    bob.time += 1;
    await bob.invite('one-more');
    // Their openings may still be on the way, so they are kept.
    expect(bob.rows<InviteRow>('invites').filter(({ fate }) => fate === 'open')).toHaveLength(65);
  });
});

describe('an invite that was used', () => {
  it('tells a second one who comes with it by whom it was used, for 90 days', async () => {
    const { bob, invite, envelope } = await opening();
    const mallory = await Person.named('mallory');
    await mallory.add('bob', invite);
    const late = await mallory.send('bob', 'it is me, alice');
    await bob.recv(envelope);

    bob.time = START + 90 * DAY;
    expect(await bob.refusal(['recv'], late)).toBe('invite-spent 65');
    bob.time = START + 90 * DAY + SECOND;
    expect(await bob.refusal(['recv'], late)).toBe('unknown-invite 65');
  });
});

describe("an opener's clock", () => {
  it('may be a day ahead', async () => {
    const { alice, bob } = await strangers();
    alice.time = START + DAY;
    await alice.add('bob', await bob.invite('alice'));
    expect(await bob.recv(await alice.send('bob', 'from tomorrow'))).toBe('from tomorrow');
  });

  it('may not be more ahead: nothing is changed, and the message can be read once its time has come', async () => {
    const { alice, bob } = await strangers();
    alice.time = START + DAY + 1;
    await alice.add('bob', await bob.invite('alice'));
    const envelope = await alice.send('bob', 'from the day after');
    const before = bob.rows('invites');
    expect(await bob.refusal(['recv'], envelope)).toBe('clock-ahead 65');
    expect(bob.rows('invites')).toEqual(before);
    expect(bob.rows('contacts')).toEqual([]);
    expect(bob.rows('sessions')).toEqual([]);

    bob.time += 1;
    expect(await bob.recv(envelope)).toBe('from the day after');
  });

  it('may be behind', async () => {
    const { alice, bob } = await strangers();
    const invite = await bob.invite('alice');
    alice.time = START - 1_000 * DAY;
    await alice.add('bob', invite);
    expect(await bob.recv(await alice.send('bob', 'from long ago'))).toBe('from long ago');
  });

  it('may go back: the session that it opens later is the later one, on both sides', async () => {
    const { alice, bob } = await acquaint();
    alice.time = START - 10 * DAY;
    await alice.add('bob', await bob.invite('alice'));
    expect(await bob.recv(await alice.send('bob', 'anew'))).toBe('anew');
    expect(await alice.recv(await bob.send('alice', 'anew as well'))).toBe('anew as well');
    for (const [person, other] of [
      [alice, 'bob'],
      [bob, 'alice'],
    ] as const) {
      const sessions = await person.documents<SessionDocument>(['inspect', other, '--all']);
      expect(sessions.map(({ opened_at, sends }) => ({ opened_at, sends }))).toEqual([
        { opened_at: new Date(START + 1).toISOString(), sends: true },
        { opened_at: new Date(START).toISOString(), sends: false },
      ]);
    }
  });
});

describe('the key of a message that is missing', () => {
  it('is kept for 30 days, and gone after them', async () => {
    const { alice, bob } = await acquaint();
    const [first, second, third] = [
      await alice.send('bob', 'first'),
      await alice.send('bob', 'second'),
      await alice.send('bob', 'third'),
    ];
    expect(await bob.recv(third)).toBe('third');
    expect(bob.rows('skipped_keys')).toHaveLength(2);

    bob.time = START + 30 * DAY;
    expect(await bob.recv(first)).toBe('first');
    const since = new Date(START).toISOString();
    expect(await bob.documents(['inspect', 'alice'])).toMatchObject([{ skipped: [{ n: 1, kept_since: since }] }]);

    bob.time += 1;
    const [tooLate] = await bob.documents(['recv'], second);
    expect(tooLate).toMatchObject({ type: 'too-late', from: 'alice', n: 1 });
    expect(await bob.documents(['inspect', 'alice'])).toMatchObject([{ skipped: [], lost: 1 }]);
    expect(bob.rows('skipped_keys')).toEqual([]);
    // The conversation goes on.
    expect(await bob.recv(await alice.send('bob', 'fourth'))).toBe('fourth');
  });

  it('goes with whatever command comes next', async () => {
    const { alice, bob } = await acquaint();
    await alice.send('bob', 'never read');
    await bob.recv(await alice.send('bob', 'read'));
    bob.time = START + 30 * DAY + 1;
    await bob.send('alice', 'anything');
    expect(bob.rows('skipped_keys')).toEqual([]);
  });

  it('is shown with its age, also by a clock that has gone back', async () => {
    const { alice, bob } = await acquaint();
    await alice.send('bob', 'never read');
    await bob.recv(await alice.send('bob', 'read'));
    bob.time = START + 3 * DAY;
    expect((await bob.pawl(['inspect', 'alice'])).text).toMatch(/skipped keys .*, kept 3 days$/m);
    bob.time = START - 3 * DAY;
    expect((await bob.pawl(['inspect', 'alice'])).text).toMatch(/skipped keys .*, kept less than a minute$/m);
  });
});

describe('a text', () => {
  it('says when it was sent by the clock of its sender', async () => {
    const { alice, bob } = await acquaint();
    alice.time = START + 400 * DAY;
    const [message] = await bob.documents(['recv'], await alice.send('bob', 'from the future'));
    expect(message).toMatchObject({ sent_at: new Date(alice.time).toISOString(), text: 'from the future' });
  });
});
