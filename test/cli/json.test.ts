import { describe, expect, it } from 'vitest';
import { expectValid } from './schemas.ts';
import { type Home, inHome, meet } from './shell.ts';

// Every result, notice and error of --json: one document a line, with the fields of the contract.

const HEX_16 = expect.stringMatching(/^[0-9a-f]{16}$/);
const HEX_32 = expect.stringMatching(/^[0-9a-f]{32}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const SENTENCE = expect.stringMatching(/^[^A-Z].*[^.]$/s);

/** The documents of an output: one a line, each beginning with its version and type. */
function documents(output: Buffer | string): Record<string, unknown>[] {
  const text = output.toString();
  if (text === '') return [];
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const document = JSON.parse(line);
      expect(Object.keys(document).slice(0, 2)).toEqual(['v', 'type']);
      expectValid(document);
      return document;
    });
}

const NOTICE = { v: 1, type: 'notice', message: SENTENCE };

function inConversation(work: (home: Home) => Promise<void>): Promise<void> {
  return inHome(async (home) => {
    await meet(home);
    await work(home);
  });
}

describe('--json', () => {
  it.concurrent('init', () =>
    inHome(async (home) => {
      const { stdout, stderr } = await home.prepare('pawl init alice --json');
      const path = home.identity('alice');
      expect(documents(stdout)).toEqual([{ v: 1, type: 'created', name: 'alice', path, fingerprint: HEX_32 }]);
      expect(documents(stderr)).toEqual([NOTICE, NOTICE, NOTICE]);
    }));

  it.concurrent('invite and add', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice; pawl init bob');
      const document = { v: 1, type: 'invite', for: 'alice', id: HEX_16, reusable: false, expires_at: TIME };

      const printed = await home.prepare('pawl -i bob invite alice --json');
      expect(printed.stdout.toString()).toMatch(/^-----BEGIN PAWL INVITE-----\n[\s\S]*\n-----END PAWL INVITE-----\n$/);
      expect(documents(printed.stderr)).toEqual([document, NOTICE]);

      const written = await home.prepare('pawl -i bob invite alice --json -q -o invite.txt');
      expect(documents(written.stdout)).toEqual([document]);
      expect(written.stderr).toBe('');

      const added = await home.prepare('pawl -i alice add bob invite.txt --json');
      expect(documents(added.stdout)).toEqual([{ v: 1, type: 'contact', name: 'bob', fingerprint: HEX_32 }]);
      expect(documents(added.stderr)).toEqual([NOTICE]);
    }));

  it.concurrent('send', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice; pawl init bob; pawl -i bob invite alice | pawl -i alice add bob');
      const sent = { v: 1, type: 'sent', to: 'bob', id: HEX_32 };

      const printed = await home.prepare('pawl -i alice send bob -m hi --json');
      expect(printed.stdout).toHaveLength(1600);
      expect(documents(printed.stderr)).toEqual([{ ...sent, n: 0, bytes: 1600, opening: true }]);

      const written = await home.prepare('pawl -i alice send bob -m hi --json -o hi.pawl');
      expect(documents(written.stdout)).toEqual([{ ...sent, n: 1, bytes: 1600, opening: true }]);
      expect(written.stderr).toBe('');

      await home.prepare('pawl -i bob recv hi.pawl && pawl -i bob send alice -m hi | pawl -i alice recv');
      const armored = await home.prepare('pawl -i alice send bob -a -m hi --json');
      expect(documents(armored.stderr)).toEqual([{ ...sent, n: 0, bytes: 392, opening: false }]);
    }));

  it.concurrent('recv', () =>
    inConversation(async (home) => {
      await home.prepare('head -c 9 /dev/zero | tr "\\0" "\\377" > bytes.bin');
      await home.prepare(
        'pawl -i alice send bob -o 0.pawl -m one; pawl -i alice send bob -o 1.pawl -m "zw\u00f6lf \u{1f600}\n"',
      );
      await home.prepare('pawl -i alice send bob < bytes.bin > 2.pawl; pawl -i alice send bob bytes.bin -o 3.pawl');
      await home.prepare('cp 3.pawl altered.pawl; printf altered | dd of=altered.pawl bs=1 seek=390 conv=notrunc');
      const { stdout, stderr, exit } = await home.run(
        'pawl -i bob recv --json 1.pawl 2.pawl 0.pawl 1.pawl altered.pawl 3.pawl',
      );
      const message = { v: 1, type: 'message', from: 'alice', verified: false, id: HEX_32, late: false, sent_at: TIME };
      const base64 = '////////////';
      expect(stderr).toBe('');
      expect(documents(stdout)).toEqual([
        { ...message, n: 1, text: 'zw\u00f6lf \u{1f600}\n' },
        { ...message, n: 2, base64 },
        { ...message, n: 0, late: true, text: 'one' },
        { v: 1, type: 'duplicate', from: 'alice', id: HEX_32, n: 1, source: '1.pawl, byte 0' },
        {
          v: 1,
          type: 'refused',
          code: 'corrupt',
          source: 'altered.pawl, byte 0',
          message: SENTENCE,
          hint: SENTENCE,
        },
        { ...message, n: 3, file: 'bytes.bin', base64 },
      ]);
      expect(exit).toBe(65);

      // The id is the same on both sides.
      const sent = await home.prepare('pawl -i alice send bob -m last --json -o last.pawl');
      const received = await home.prepare('pawl -i bob recv --json last.pawl -o last.txt');
      const [{ id } = {}] = documents(sent.stdout);
      expect(documents(received.stdout)).toEqual([{ ...message, id, n: 4 }]);
      expect(home.read('last.txt').toString()).toBe('last');
    }));

  it.concurrent('recv and inspect of a text that was not delivered', () =>
    inConversation(async (home) => {
      await home.run('pawl -i alice send bob -m hi | pawl -i bob recv > /dev/full');
      const [identity] = documents((await home.prepare('pawl -i bob inspect --json')).stdout);
      expect(identity).toMatchObject({ inbox: [{ from: 'alice', received_at: TIME }] });
      const { stdout } = await home.prepare('pawl -i bob recv --json');
      expect(documents(stdout)).toMatchObject([{ type: 'message', again: true, text: 'hi' }]);
    }));

  it.concurrent('inspect', () =>
    inConversation(async (home) => {
      await home.prepare('pawl -i bob invite carol -o invite.txt; pawl -i alice add the-same invite.txt');
      await home.run('pawl -i alice send bob -m hi -o /dev/full');
      const alice = await home.prepare('pawl -i alice inspect --json');
      const bob = await home.prepare('pawl -i bob inspect --json');
      const contact = { fingerprint: HEX_32, verified: false, added_at: TIME };
      expect(documents(alice.stdout)).toEqual([
        {
          v: 1,
          type: 'identity',
          name: 'alice',
          fingerprint: HEX_32,
          path: home.identity('alice'),
          schema: 11,
          contacts: [
            {
              name: 'bob',
              ...contact,
              sessions: 2,
              invite_waits: false,
              fork: false,
              forks: [],
              missing: 0,
              missing_since: null,
              unanswered: 1,
              unanswered_since: TIME,
              held_until: null,
            },
          ],
          invites: [],
          lists: [],
          inbox: [],
          outbox: [{ to: 'bob', created_at: TIME, bytes: 1600 }],
          incoming: [],
          outgoing: [],
          history: { on: false, since: null, kept_for: null, texts: 0, first_at: null },
          attention: [expect.stringMatching(/^bob: unverified/)],
        },
      ]);
      const invite = { created_at: TIME, expires_at: TIME };
      expect(documents(bob.stdout)).toMatchObject([
        {
          contacts: [{ name: 'alice', ...contact, sessions: 1, invite_waits: false, fork: false, held_until: null }],
          invites: [
            { for: 'alice', state: 'spent', ...invite, used_by: HEX_32, used_at: TIME },
            { for: 'carol', state: 'open', ...invite },
          ],
        },
      ]);
    }));

  it.concurrent('inspect NAME: what one side sends on, the other receives on', () =>
    inConversation(async (home) => {
      await home.prepare('for n in 0 1 2; do pawl -i alice send bob -m $n -o $n.pawl; done; pawl -i bob recv 2.pawl');
      const [alice = {}] = documents((await home.prepare('pawl -i alice inspect bob --json')).stdout);
      const [bob = {}] = documents((await home.prepare('pawl -i bob inspect alice --json')).stdout);
      const session = {
        v: 1,
        type: 'session',
        verified: false,
        established: true,
        last_dh_step_at: TIME,
        kem: { last_mixed_at: null, pending: false },
        fork: false,
        fork_mark: null,
        held_until: null,
      };
      expect(alice).toMatchObject({
        ...session,
        contact: 'bob',
        id: HEX_16,
        role: 'initiator',
        dh_steps: 3,
        sending: { n: 3, fingerprint: HEX_16 },
        receiving: { n: 1, fingerprint: HEX_16 },
        previous_n: 1,
        skipped: [],
      });
      const { fingerprint: chain } = alice.sending as { fingerprint: string };
      expect(bob).toMatchObject({
        ...session,
        contact: 'alice',
        id: alice.id,
        role: 'responder',
        dh_steps: 3,
        sending: null,
        receiving: { n: 3, fingerprint: chain },
        previous_n: 1,
        skipped: [
          { chain, n: 0, kept_since: TIME },
          { chain, n: 1, kept_since: TIME },
        ],
      });
      expect(alice.safety_number).toBe(bob.safety_number);
    }));

  it.concurrent('inspect NAME --all: a document for each session', () =>
    inConversation(async (home) => {
      await home.prepare('pawl -i bob invite alice | pawl -i alice add bob; pawl -i alice send bob -m hi -o hi.pawl');
      const one = await home.prepare('pawl -i alice inspect bob --json');
      const all = await home.prepare('pawl -i alice inspect bob --json --all');
      expect(documents(one.stdout)).toMatchObject([{ established: false, receiving: null, last_dh_step_at: null }]);
      expect(documents(one.stderr)).toEqual([NOTICE]);
      expect(documents(all.stdout)).toMatchObject([{ established: false }, { established: true }]);
      expect(all.stderr).toBe('');
    }));

  it.concurrent('inspect --envelope, which needs no identity', () =>
    inConversation(async (home) => {
      await home.prepare('pawl -i alice send bob -m hi > hi.pawl; pawl -i bob invite carol > invite.txt');
      const { stdout } = await home.prepare('cat hi.pawl invite.txt | pawl --home nowhere inspect --envelope - --json');
      expect(documents(stdout)).toEqual([
        {
          v: 1,
          type: 'envelope',
          source: expect.stringContaining('byte 0'),
          kind: 'message',
          bytes: 392,
          padded: 256,
          longest_text: 243,
          kem: 'none',
        },
        {
          v: 1,
          type: 'envelope',
          source: expect.stringContaining('line'),
          kind: 'invite',
          fingerprint: HEX_32,
          reusable: false,
          expires_at: TIME,
        },
      ]);
    }));

  it.concurrent('unlock and lock', () =>
    inHome(async (home) => {
      await home.prepare('mkdir -m 700 run; pawl init alice');
      const environment = { XDG_RUNTIME_DIR: home.path('run') };
      const before = Date.now();
      const { stdout, stderr } = await home.prepare('pawl unlock --for 2h --json', { environment });
      const after = Date.now();
      const path = home.identity('alice');
      const [unlocked = {}] = documents(stdout);
      expect(unlocked).toEqual({ v: 1, type: 'unlocked', name: 'alice', path, expires_at: TIME, ends_at: TIME });
      for (const [name, hours] of Object.entries({ expires_at: 2, ends_at: 8 })) {
        const at = Date.parse(unlocked[name] as string) - hours * 3_600_000;
        expect(at >= before && at <= after, name).toBe(true);
      }
      expect(stderr).toBe('');
      for (const count of [1, 0]) {
        const locked = await home.prepare('pawl lock --json', { environment });
        expect(documents(locked.stdout)).toEqual([{ v: 1, type: 'locked', count, silent: 0 }]);
        expect(locked.stderr).toBe('');
      }
    }));

  it.concurrent('errors, and no other word', () =>
    inHome(async (home) => {
      for (const [command, code, exit] of [
        ['pawl --json', 'usage', 64],
        ['pawl --json sned', 'usage', 64],
        ['pawl send --json', 'usage', 64],
        ['pawl inspect --json', 'no-identity', 78],
        ['pawl recv missing.pawl --json', 'missing-file', 66],
      ] as const) {
        const result = await home.run(command);
        expect(result.stdout.toString(), command).toBe('');
        expect(documents(result.stderr), command).toEqual([
          { v: 1, type: 'error', code, exit, message: SENTENCE, hint: SENTENCE },
        ]);
        expect(result.exit, command).toBe(exit);
      }
    }));
});
