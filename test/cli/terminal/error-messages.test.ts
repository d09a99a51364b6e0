import { describe, expect, it } from 'vitest';
import { explain, FORKS } from '../../../src/cli/terminal/error-messages.ts';
import { type ErrorCode, type ErrorDetails, PawlError } from '../../../src/errors.ts';

/** One of each of the closed set, with the exit code that the contract gives it. A new code without one does not compile. */
const CASES: { readonly [Code in ErrorCode]: readonly [exit: number, detail: ErrorDetails[Code]] } = {
  usage: [64, { problem: 'no command was given' }],
  'not-utf8': [64, { what: 'the variable PAWL_HOME' }],
  'bad-name': [64, { name: 'Älice\n' }],
  'no-input': [66, { source: 'standard input' }],
  'editor-failed': [66, { command: 'vi', reason: 'exit 1' }],
  'cannot-run': [64, { command: 'notify', exit: 127 }],
  'cut-line': [74, { limit: 4_094 }],
  'missing-file': [66, { path: 'message.pawl' }],
  'no-home': [78, {}],
  'no-identity': [78, { home: '/home/alice' }],
  'several-identities': [78, { names: ['alice', 'bob'] }],
  'identity-missing': [78, { name: 'alice', home: '/home/alice' }],

  corrupt: [65, { what: 'envelope' }],
  'unknown-version': [65, { version: 2 }],
  'wrong-kind': [65, { expected: 'message', found: 'invite' }],
  'too-large': [65, { what: 'content', bytes: 2, limit: 1 }],
  'weak-key': [65, { what: 'ephemeral key' }],

  'unknown-part': [65, {}],
  'parts-contradict': [65, { index: 3 }],
  'part-too-far': [65, { index: 5_000, missing: 3 }],
  'too-many-incoming': [75, { name: 'bob', limit: 16 }],
  'over-max-size': [65, { bytes: 2 ** 35, limit: 2 ** 34 }],
  'no-room': [74, { path: '/tmp', free: 2 ** 30 }],
  'taken-elsewhere': [75, { what: 'film.mkv' }],
  'collected-elsewhere': [75, { what: 'film.mkv', host: 'build-7' }],
  'source-elsewhere': [66, { path: '/films/film.mkv', host: 'build-7' }],
  'no-place': [73, { what: 'film.mkv' }],
  'parts-missing': [65, { what: 'film.mkv', missing: 3, total: 12 }],
  'source-changed': [74, { path: 'film.mkv' }],
  'cannot-resume': [66, { id: 3 }],

  'unknown-contact': [67, { name: 'bob' }],
  'unknown-list': [67, { name: 'ops', known: ['opps'], isContact: false }],
  'name-taken': [73, { name: 'bob' }],
  'wrong-safety-number': [65, { name: 'bob', wasVerified: true }],
  'no-session': [67, { name: 'bob' }],
  'not-in-outbox': [66, { id: 3 }],
  held: [76, { name: 'bob', until: 'answered' }],
  replaced: [75, { path: 'alice.db' }],
  'not-rekeyed': [74, { path: 'alice.db', reason: 'no space left on device' }],
  'rolled-back': [76, { path: 'alice.db' }],
  unmarked: [76, { path: '/home/alice.db' }],
  misplaced: [74, { path: 'bob.db', name: 'alice' }],
  'not-for-you': [65, {}],
  // Nothing is wrong with it: it was left alone because that was asked for.
  'other-sender': [0, { from: 'bob' }],
  'inbox-full': [75, { name: 'bob', texts: 12, bytes: 5e8 }],
  'kem-missing': [65, {}],
  'gap-too-large': [65, { missing: 3_000, limit: 2_000, inNewChain: false }],
  fork: [65, { reason: 'two-texts-at-one-position', at: 1.8e12 }],
  'not-begun': [67, {}],
  exhausted: [65, {}],
  'clock-ahead': [65, { opened: 1.8e12 }],

  unreachable: [69, { place: 'dir:/mnt/us', reason: 'there is no such folder' }],
  queued: [69, { to: 'bob', place: 'dir:/x', reason: 'it is full' }],
  'stream-lost': [69, { to: 'bob', why: 'dir:/x cannot be reached: it is full' }],
  'untrusted-route': [69, { route: 'exec:ssh relay' }],
  'no-route': [67, { name: 'bob' }],
  'no-boxes': [69, { name: 'bob' }],
  'other-place': [69, { place: 'dir:/mnt/us', expected: '0011223344556677', found: undefined }],
  'bad-route': [64, { route: 'ftp://relay', reason: 'it is of no kind that there is' }],
  'unsuited-stream': [69, { place: 'nats://relay', reason: 'it discards old messages' }],

  'bad-signature': [65, {}],
  'unknown-invite': [65, {}],
  'invite-expired': [65, { expiredAt: 1.8e12 }],
  'invite-spent': [65, { at: 1.8e12, by: '00112233', name: 'bob' }],
  'invite-withdrawn': [65, { at: 1.8e12, name: 'bob' }],
  'no-open-invite': [67, { name: 'bob', id: '0011223344556677' }],
  'invite-used-up': [65, { name: 'friends', limit: 1_000 }],
  'too-many-invites': [73, { limit: 64 }],
  'identity-changed': [65, { name: 'bob', known: '00112233', offered: '44556677' }],
  self: [65, { what: 'invite' }],

  'no-agent': [73, { reason: 'there is no home folder' }],
  'exposed-agent': [77, { folder: '/run/user/1000/pawl', flaw: 'open' }],

  exists: [73, { path: 'alice.db' }],
  protected: [73, { path: 'file', what: 'the key file' }],
  'no-locks': [74, { folder: '/net/pawl' }],
  'no-addon': [78, { part: 'SQLite', why: 'other-node', node: '22.1.0' }],
  'no-folder': [73, { path: 'photos', isTaken: false }],
  'cannot-create': [73, { path: 'alice.db', reason: 'permission denied' }],
  'read-failed': [74, { path: 'alice.db', reason: 'permission denied' }],
  'write-failed': [74, { path: 'alice.db', reason: 'no space left on device' }],
  'database-unreachable': [74, { path: 'postgres://host/db', reason: 'nothing listens there' }],
  'commit-unknown': [75, { path: 'postgres://host/db' }],
  moving: [75, { name: 'bob', path: '/home/bob/.local/share/pawl/bob.db', to: 'postgres://host/db' }],
  'closed-pipe': [74, {}],
  damaged: [74, { path: 'alice.db' }],
  'not-an-identity': [78, { path: 'alice.db' }],
  'newer-schema': [78, { path: 'alice.db', found: 9, known: 1 }],
  busy: [75, { path: 'alice.db' }],
  'wrong-passphrase': [77, { path: 'alice.db' }],
  'no-passphrase': [77, { path: 'alice.db' }],
  'empty-passphrase': [77, { source: 'PAWL_PASSPHRASE' }],
  'several-lines': [77, { source: 'words' }],
  'bad-passphrase': [77, { source: 'secret.txt', flaw: 'utf-16' }],
  'passphrase-command': [77, { reason: 'exit 1' }],
  'bad-key-file': [77, { path: 'key', bytes: 31 }],
  'untrusted-key': [77, { path: 'key', folder: '/tmp' }],
  'same-key': [77, { path: 'alice.db', what: 'key' }],
  'exposed-key': [77, { path: 'key', mode: '0644' }],
  interrupted: [130, {}],
};

/** What the system says of these says it all. */
const WITHOUT_HINT: readonly string[] = ['interrupted', 'read-failed'];

const CODES = Object.entries(CASES) as [ErrorCode, readonly [number, ErrorDetails[ErrorCode]]][];

describe.each(CODES)('%s', (code, [exit, detail]) => {
  const explained = explain(new PawlError(code, detail));

  it(`exits with ${exit}`, () => expect(explained.exit).toBe(exit));

  it('is one sentence in lower case without a full stop', () => {
    const [first = ''] = explained.message;
    expect(first).toBe(first.toLowerCase());
    expect(explained.message).toMatch(/^[^\n]+[^\s.!:]$/);
    expect(explained.message).not.toMatch(/undefined|null|NaN|\[object|Invalid Date/);
  });

  it(WITHOUT_HINT.includes(code) ? 'says it all' : 'has a hint of one line', () => {
    if (WITHOUT_HINT.includes(code)) return expect(explained.hint).toBeUndefined();
    expect(explained.hint).toMatch(/^[^\nA-Z][^\n]*[^\s.!:]$/);
    expect(explained.hint).not.toMatch(/undefined|null|NaN|\[object|Invalid Date/);
  });
});

describe('hints', () => {
  const hintOf = <Code extends ErrorCode>(code: Code, detail: ErrorDetails[Code]) =>
    explain(new PawlError(code, detail)).hint;

  it('of a usage error can be its own', () => {
    expect(hintOf('usage', { problem: 'x', hint: 'did you mean send?' })).toBe('did you mean send?');
  });

  it('say what happened to a block on its way, and what to ask for', () => {
    const damages = ['cut-off', 'no-begin', 'missing', 'added', 'altered', 'replaced', 'taken-for-text'] as const;
    const said = damages.map((damage) => explain(new PawlError('corrupt', { what: 'armored block', damage })));
    expect(new Set(said.map(({ message }) => message)).size).toBe(damages.length);
    for (const { message, hint } of said) {
      expect(message).toMatch(/: armored block; [a-z]/);
      expect(hint).toContain('pawl send NAME -b -o FILE');
    }
    expect(hintOf('corrupt', { what: 'message' })).toContain('as an attachment (pawl send NAME -b -o FILE)');
    expect(hintOf('corrupt', { what: 'input (no pawl envelope in it)' })).not.toContain('-b');
    expect(hintOf('corrupt', { what: 'envelope', damage: 'taken-for-text' })).toContain('as text (pawl send NAME -a)');
  });

  it('say of an invite what makes one', () => {
    for (const damage of ['cut-off', 'no-begin', 'missing', 'altered', 'taken-for-text'] as const) {
      const hint = hintOf('corrupt', { what: 'armored block', damage, isInvite: true });
      expect(hint).toContain('pawl invite NAME -o FILE');
      expect(hint).not.toContain('send');
    }
    expect(hintOf('corrupt', { what: 'invite' })).toContain('pawl invite NAME -o FILE');
  });

  it('say of a length that nobody sends that it is damage, and how bytes come through', () => {
    const error = new PawlError('too-large', { what: 'envelope', bytes: 25_056_247, limit: 17_825_792 });
    expect(explain(error).message).toMatch(/^this is damaged, or was altered on its way: .* 25056247 bytes/);
    expect(explain(error).hint).toContain('pawl send NAME -a');
    expect(explain(error).hint).not.toContain('less at a time');
    expect(hintOf('too-large', { what: 'input', bytes: 2, limit: 1 })).toBe('give less at a time');
  });

  it('tell what was not done from what was not written out', () => {
    const detail = { path: 'alice.db', reason: 'no space left on device' };
    expect(hintOf('write-failed', detail)).toMatch(/^nothing is lost: .*outbox resend/);
    expect(hintOf('write-failed', { ...detail, isUndone: true })).toBe(
      'nothing of this was done: mend that, then do it again',
    );
    expect(hintOf('write-failed', { ...detail, isUndone: false })).toMatch(
      /^pawl inspect shows whether this was done; /,
    );
  });

  it('say what may be wrong with a passphrase that does not fit', () => {
    expect(hintOf('wrong-passphrase', { path: 'a.db', flaw: 'blank' })).toContain('begins or ends with a blank');
    expect(hintOf('wrong-passphrase', { path: 'a.db', flaw: 'not-utf8' })).toContain(
      'no UTF-8, as in Latin-1: save it',
    );
  });

  it('say what to type for what was handed over instead', () => {
    expect(hintOf('wrong-kind', { expected: 'message', found: 'invite' })).toContain('pawl add NAME FILE');
    expect(hintOf('wrong-kind', { expected: 'invite', found: 'message' })).toContain('pawl recv FILE');
    expect(explain(new PawlError('wrong-kind', { expected: 'invite', found: 'message' })).message).toBe(
      'this is a message, not an invite',
    );
  });

  it('say what may have been meant', () => {
    const known = ['alice', 'alina', 'bob'];
    expect(hintOf('unknown-contact', { name: 'Alice', known })).toMatch(/^did you mean alice\? pawl contacts/);
    expect(hintOf('unknown-contact', { name: 'alipa', known: ['alipi', 'alipu'] })).toMatch(
      /^did you mean alipi or alipu\? /,
    );
    expect(hintOf('unknown-contact', { name: 'zoe', known })).toMatch(/^pawl contacts/);
    expect(hintOf('unknown-contact', { name: 'ops', isList: true })).toContain('pawl send @ops');
    expect(hintOf('unknown-list', { name: 'bob', known: [], isContact: true })).toContain('pawl send bob;');
    expect(hintOf('unknown-list', { name: 'opps', known: ['ops'], isContact: false })).toMatch(/^did you mean ops\?/);
    expect(hintOf('unknown-contact', { name: 'x.pawl', isFile: true })).toMatch(
      /^what the file shows: pawl inspect --envelope x\.pawl; pawl contacts lists whom you know$/,
    );
    expect(hintOf('identity-missing', { name: 'Bob', home: '/home', known })).toMatch(/^did you mean bob\? make it/);
    expect(hintOf('bad-name', { name: 'Alice' })).toMatch(/^alice can; a name is/);
    expect(hintOf('bad-name', { name: 'a b' })).toMatch(/^a name is/);
    expect(hintOf('not-for-you', {})).toContain('after a new installation');
  });

  it('say how to get the packages that are installed on request only', () => {
    expect(hintOf('no-addon', { part: 'the NATS client', why: 'missing', node: '24.1.0' })).toContain(
      '--include=optional',
    );
  });

  it('name a gap that can be bridged, and none for one that cannot', () => {
    expect(hintOf('gap-too-large', { missing: 3_000, limit: 2_000, inNewChain: true })).toBe(
      'pawl recv --max-gap 3000',
    );
    expect(hintOf('gap-too-large', { missing: 2_000_000, limit: 2_000, inNewChain: true })).not.toContain('--max-gap');
  });

  it('name an invite alone where nothing else lets a restored file send again', () => {
    expect(hintOf('held', { name: 'bob', until: 'answered' })).toMatch(
      /^receive what bob sends next .*pawl invite bob/,
    );
    expect(hintOf('held', { name: 'bob', until: 'invited' })).toMatch(/^exchange a new invite: pawl invite bob/);
  });

  it('tell a file that cannot be replaced because it is mounted from a disk that is full', () => {
    const [mounted, full] = [{ reason: 'resource busy', isMounted: true } as const, { reason: 'no space left' }].map(
      (detail) => explain(new PawlError('not-rekeyed', { path: 'x', ...detail })),
    );
    expect(mounted?.message).toMatch(/mounted by itself/);
    expect(mounted?.hint).toMatch(/^it still opens with the old one; mount the folder/);
    expect(full?.hint).toMatch(/make room/);
  });

  it('have a move gone on with, once the identity has left', () => {
    const leaves = { name: 'bob', path: '/home/bob/my pawl/bob.db', to: 'postgres://bob@/db?host=%2Frun' };
    for (const code of ['cannot-create', 'write-failed'] as const) {
      const hint = hintOf(code, { path: leaves.to, reason: 'no space left', leaves });
      const command = "pawl -i bob --home '/home/bob/my pawl' move --to 'postgres://bob@/db?host=%2Frun'";
      expect(hint).toContain(`it has left already; go on: ${command};`);
    }
  });

  it('tell a place without a mark from another one, by the digits that both sides see', () => {
    const [expected, other] = ['0011223344556677', '8899aabbccddeeff'];
    const [none, another] = [undefined, other].map(
      (found) => explain(new PawlError('other-place', { place: 'dir:/mnt/us', expected, found })).message,
    );
    expect(none).toMatch(/: it has no \.pawl-place$/);
    expect(another).toMatch(/: it is marked 8899aabb, and that one was 00112233$/);
  });

  it('name the key sources where a key is wanted', () => {
    for (const hint of [hintOf('no-passphrase', { path: 'x' }), hintOf('empty-passphrase', { source: 'x' })]) {
      for (const source of [
        '--key-file',
        '--passphrase-file',
        '--passphrase-fd',
        '--passphrase-command',
        'PAWL_KEY_FILE',
      ]) {
        expect(hint).toContain(source);
      }
    }
  });
});

describe('forks', () => {
  it('each have words of their own', () => {
    const words = Object.values(FORKS);
    expect(new Set(words).size).toBe(words.length);
    for (const sentence of words) expect(sentence).toMatch(/^[a-z][^\n]*[a-z]$/);
  });
});
