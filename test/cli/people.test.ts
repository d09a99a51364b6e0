import { describe, expect, it } from 'vitest';
import { scan } from '../../src/envelope/index.ts';
import { acquaint, Person } from './fake-io.ts';
import { decode, linesIn } from './show/qr-code.ts';

const LARGE = { columns: 200, rows: 80 };
const USUAL = { columns: 80, rows: 24 };

describe('verify', () => {
  it('takes the number as it is read aloud, as it is copied, and as it is', async () => {
    const { alice, bob } = await acquaint();
    const { text } = await bob.pawl(['verify', 'alice']);
    expect(text).toMatch(/^(?:(?:\d{5} ){3}\d{5}\n){3}$/);
    const groups = text.trim().split(/\s/);
    for (const number of [[text], groups, [groups.join('')], [`\n ${groups.join('\t')}\u00a0`], groups.slice(0, 3)]) {
      const rest = number.length === 3 ? [groups.slice(3).join('\r\n')] : [];
      const [document] = await alice.documents(['verify', 'bob', ...number, ...rest]);
      expect(document).toMatchObject({ type: 'safety-number', verified: true, safety_number: groups.join(' ') });
    }
    expect((await alice.pawl(['contacts'])).text).toMatch(/^bob {2}[0-9a-f]{32} {2}verified {2}1 session\n$/);
  });

  it('refuses what is no safety number before it looks for an identity', async () => {
    const { alice, bob } = await acquaint();
    const number = (await bob.pawl(['verify', 'alice'])).text.replace(/\s/g, '');
    const digits = {
      arabic: '٣'.repeat(60),
      short: number.slice(1),
      long: `${number}0`,
      none: '',
      other: `-${number}`,
      hex: `${number.slice(0, 59)}a`,
    };
    for (const [what, typed] of Object.entries(digits)) {
      expect(await alice.refusal(['-i', 'nobody', 'verify', 'bob', '--', typed]), what).toBe('usage 64');
    }
  });

  it('says loudly that a number is wrong, and whom it cost the mark', async () => {
    const { alice, bob } = await acquaint();
    const number = (await bob.pawl(['verify', 'alice'])).text;
    await alice.pawl(['verify', 'bob', number]);
    const wrong = number.replace(/\d/, (digit) => String((Number(digit) + 1) % 10));
    await expect(alice.pawl(['verify', 'bob', wrong])).rejects.toThrow(
      /exit 65\nerror: this is NOT the safety number of bob: .*; bob is verified no longer\nhint: read it to each other/,
    );
    await expect(alice.pawl(['verify', 'bob', wrong])).rejects.not.toThrow('no longer');
    expect(await alice.documents(['contacts'])).toMatchObject([{ name: 'bob', verified: false }]);
  });
});

describe('a QR code', () => {
  it('of a safety number holds its digits, and they stand above it', async () => {
    const { alice, bob } = await acquaint();
    const said = await alice.onTerminal(['verify', 'bob', '--qr'], USUAL);
    const { code, others, coloured } = linesIn(said.text);
    const digits = others.join('').replaceAll(' ', '');
    expect(digits).toMatch(/^\d{60}$/);
    expect(Buffer.from(decode(code) ?? []).toString()).toBe(digits);
    expect(coloured).toBe(true);
    expect((await bob.pawl(['verify', 'alice'])).text.replace(/\s/g, '')).toBe(digits);
  });

  it('of an invite holds it, to be added as it is', async () => {
    const [alice, bob] = [await Person.named('alice'), await Person.named('bob')];
    const { text, errors } = await bob.onTerminal(['invite', 'alice', '--qr'], LARGE);
    const { code, others } = linesIn(text);
    expect([code[0]?.length, code.length, others]).toEqual([129, 65, []]);
    expect(errors).toMatch(/^pawl: whoever uses this invite first is alice to you;.*\n$/);
    const envelope = decode(code) ?? new Uint8Array();
    expect(envelope).toHaveLength(1331);
    await alice.add('bob', envelope);
    expect(await bob.recv(await alice.send('bob', 'hi bob'))).toBe('hi bob');
  });

  it.each([
    [
      'too few columns',
      { columns: 128, rows: 80 },
      {},
      /it needs 129 columns and 68 lines, and this terminal has 128 and 80/,
    ],
    [
      'too few lines',
      { columns: 200, rows: 67 },
      {},
      /it needs 129 columns and 68 lines, and this terminal has 200 and 67/,
    ],
    ['no such characters', LARGE, { LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, /are not in the locale C\n/],
  ])('that cannot be drawn is not begun: the invite comes as text: %s', async (_, size, environment, why) => {
    const bob = await Person.named('bob');
    const { text, errors, exit } = await bob.onTerminal(['-q', 'invite', 'alice', '--qr'], size, environment);
    expect(exit).toBe(0);
    expect(errors).toMatch(why);
    expect([...scan(Buffer.from(text))]).toMatchObject([{ bytes: { length: 1331 } }]);
    expect(text).toMatch(/^-----BEGIN PAWL INVITE-----\n/);
  });

  it('that cannot be drawn leaves the digits', async () => {
    const { alice } = await acquaint();
    const { text, errors } = await alice.onTerminal(['verify', 'bob', '--qr'], { columns: 32, rows: 24 });
    expect(errors).toMatch(
      /^pawl: no QR code is drawn: it needs 33 columns and 20 lines, and this terminal has 32 and 24\n/,
    );
    expect(text).toMatch(/^(?:(?:\d{5} ){3}\d{5}\n){3}$/);
  });

  it('has no colours where none are wanted, and is drawn where the size is not known', async () => {
    const { alice } = await acquaint();
    for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const { text } = await alice.onTerminal(['verify', 'bob', '--qr'], undefined, environment);
      expect(linesIn(text).coloured).toBe(false);
      expect(decode(linesIn(text).code)).toHaveLength(60);
    }
    const { text } = await alice.pawl(['verify', 'bob', '--qr']);
    expect(linesIn(text).coloured).toBe(false);
    expect(decode(linesIn(text).code)).toHaveLength(60);
  });

  it('does not go with what no eye reads', async () => {
    const { alice } = await acquaint();
    expect(await alice.refusal(['verify', 'bob', '--qr'])).toBe('usage 64');
    expect(await alice.refusal(['invite', 'carol', '--qr'])).toBe('usage 64');
    await expect(alice.pawl(['invite', 'carol', '--qr', '-o', 'x'])).rejects.toThrow('--qr and -o do not go together');
    expect(alice.rows('invites')).toEqual([]);
  });
});

describe('contacts', () => {
  it('are listed by name, one document a line with --json', async () => {
    const { alice, bob } = await acquaint();
    await alice.add('anna', await (await Person.named('anna')).invite('alice'));
    const { text } = await alice.pawl(['contacts']);
    expect(text).toMatch(
      /^anna {2}[0-9a-f]{32} {2}unverified {2}not begun\nbob {3}[0-9a-f]{32} {2}unverified {2}1 session\n$/,
    );
    const fingerprint = expect.stringMatching(/^[0-9a-f]{32}$/);
    const contact = {
      v: 1,
      type: 'contact',
      fingerprint,
      verified: false,
      added_at: '2026-01-01T00:00:00.000Z',
      fork: false,
      forks: [],
      missing: 0,
      missing_since: null,
      unanswered: 0,
      unanswered_since: null,
      held_until: null,
    };
    expect(await alice.documents(['contacts'])).toEqual([
      { ...contact, name: 'anna', sessions: 0, invite_waits: true },
      { ...contact, name: 'bob', sessions: 1, invite_waits: false },
    ]);
    expect(await bob.documents(['contacts'])).toHaveLength(1);
  });

  it('may be none', async () => {
    const carol = await Person.named('carol');
    expect(await carol.pawl(['contacts'])).toMatchObject({ text: '', errors: expect.stringContaining('nobody yet') });
    expect(await carol.documents(['contacts'])).toEqual([]);
  });
});

describe('rename', () => {
  it('says nothing on standard output, but a document with --json', async () => {
    const { alice } = await acquaint();
    expect(await alice.pawl(['rename', 'bob', 'robert'])).toMatchObject({
      text: '',
      errors: 'pawl: bob is robert from now on\n',
    });
    expect(await alice.documents(['rename', 'robert', 'bob'])).toEqual([
      { v: 1, type: 'renamed', from: 'robert', to: 'bob', invites: 0 },
    ]);
  });
});

describe('forget', () => {
  it('needs a yes, and without a terminal to ask on it must be given', async () => {
    const { alice } = await acquaint();
    const before = alice.rows('contacts');
    expect(await alice.refusal(['forget', 'bob'])).toBe('usage 64');
    expect(await alice.refusal(['forget', 'bob', '--no-input'])).toBe('usage 64');
    await expect(alice.pawl(['forget', 'bob'])).rejects.toThrow('hint: pawl forget bob --yes');
    expect(alice.rows('contacts')).toEqual(before);
    expect(await alice.refusal(['forget', 'carol'])).toBe('unknown-contact 67');
  });

  it('leaves no row of theirs in the file', async () => {
    const { alice, bob } = await acquaint();
    await alice.send('bob', 'never read');
    await bob.recv(await alice.send('bob', 'read'));
    await bob.pawl(['invite', 'alice']);
    const [document] = await bob.documents(['forget', 'alice', '--yes']);
    expect(document).toMatchObject({
      type: 'forgotten',
      name: 'alice',
      sessions: 1,
      texts: 0,
      envelopes: 0,
      invites: 1,
    });
    for (const table of ['contacts', 'sessions', 'receiving_chains', 'skipped_keys', 'accepted', 'inbox', 'outbox']) {
      expect(bob.rows(table), table).toEqual([]);
    }
    expect(bob.rows('invites')).toMatchObject([{ fate: 'spent' }]);
  });
});

describe('prune', () => {
  it('says how many of each', async () => {
    const { alice, bob } = await acquaint();
    await alice.send('bob', 'never read');
    await bob.recv(await alice.send('bob', 'read'));
    await bob.invite('dave', '1h');
    bob.time += 26 * 3_600_000;
    expect((await bob.pawl(['prune'])).text).toBe('0 skipped keys\n0 expired invites\n');
    expect((await bob.pawl(['prune', '--older-than', '1d'])).text).toBe('1 skipped key\n1 expired invite\n');
    expect(bob.rows('skipped_keys')).toEqual([]);
    expect(bob.rows('invites')).toMatchObject([{ fate: 'spent' }, { fate: 'expired', kem_seed: null }]);
    expect(await bob.documents(['prune', '--older-than', '1m'])).toEqual([
      { v: 1, type: 'pruned', skipped_keys: 0, invites: 0, incoming: 0, outgoing: 0 },
    ]);
    expect(await bob.refusal(['prune', '--older-than', '31d'])).toBe('usage 64');
  });
});

describe('a reusable invite', () => {
  it('is told of as one', async () => {
    const [alice, bob, host] = [await Person.named('alice'), await Person.named('bob'), await Person.named('host')];
    const { bytes, errors } = await host.pawl(['invite', 'friends', '--reusable']);
    expect(errors).toMatch(
      /^pawl: whoever uses this invite is friends-1, friends-2, \.\.\. to you, until .* or pawl invite friends --withdraw\n$/,
    );
    expect((await host.pawl(['inspect'])).text).toMatch(/for friends .* open until .*, reusable, last user none\n/);
    for (const guest of [alice, bob]) {
      await guest.add('host', bytes);
      await host.recv(await guest.send('host', 'hi'));
    }
    expect((await host.pawl(['contacts'])).text).toMatch(/^friends-1 .*\nfriends-2 .*\n$/);
    expect((await host.pawl(['inspect'])).text).toMatch(/, reusable, last user 2\n/);
    expect(await host.documents(['inspect'])).toMatchObject([
      { invites: [{ for: 'friends', state: 'open', reusable: true, last_user: 2 }] },
    ]);
    expect(host.rows('ledger')).toHaveLength(2);
  });

  it('brings back nobody who was forgotten, and says so', async () => {
    const [alice, host] = [await Person.named('alice'), await Person.named('host')];
    await alice.add('host', await host.invite('friends', '30d', '--reusable'));
    const opening = await alice.send('host', 'hi');
    await host.recv(opening);
    await host.pawl(['forget', 'friends-1', '--yes']);
    const { text, errors } = await host.pawl(['recv'], opening);
    expect(text).toBe('');
    expect(errors).toMatch(
      /^pawl: .*: this conversation was opened here before, and forgotten; it is not opened again\n$/,
    );
    const [document] = await host.documents(['recv'], opening);
    expect(document).toEqual({ v: 1, type: 'duplicate', source: 'standard input, byte 0' });
    expect(host.rows('contacts')).toEqual([]);
  });
});
