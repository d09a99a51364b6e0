/** Situations of a standby that takes over: it has everything, or lags behind. */
import { mkdirSync } from 'node:fs';
import type { Situation } from '../situations.ts';
import { bobOn, FAILED, ownSituation, ROLLED_BACK, refuses } from './talk.ts';

/**
 * A standby takes over that does not have the last commits: texts were sent, or received, that it knows nothing of. Bob's
 * machine that wrote them refuses it; one without a mark refuses it as well, since it is another server.
 */
const lagging = (lost: 'sent' | 'received') =>
  ownSituation(`a standby takes over that lags behind: a text was ${lost}`, async (talk, laws) => {
    const { box, server, database } = talk;
    await bobOn('one', database.uri, talk, ['inspect', '--moved']);
    const standby = server.standby();
    standby.catchUp(server);
    standby.stop('fast');
    const words = 'what the standby does not have';
    if (lost === 'sent') {
      const { stdout, code } = await bobOn('one', database.uri, talk, ['send', 'alice', '-m', words]);
      laws.hold(code === 0 && (await laws.receives(box, 'alice', stdout)).length === 1, 'it is not sent');
    } else {
      const envelope = await box.ready('alice', ['send', 'bob', '-m', words]);
      const { stdout } = await bobOn('one', database.uri, talk, ['recv'], envelope);
      laws.hold(stdout.toString() === words, 'it is not received');
    }
    server.stop('immediate');
    standby.start();
    standby.promote();
    const uri = standby.uri(database.name);
    const next = ['send', 'alice', '-m', 'after it has taken over'];
    refuses(laws, 'the machine that wrote last', await bobOn('one', uri, talk, next), ROLLED_BACK, /--after-restore/);
    refuses(laws, 'recv of it', await bobOn('one', uri, talk, ['recv']), ROLLED_BACK, /older than what this machine/);
    refuses(laws, 'a machine without a mark', await bobOn('two', uri, talk, next), ROLLED_BACK, /another server/);
    // Reading is let in, with a warning.
    const { code, stderr } = await bobOn('one', uri, talk, ['inspect']);
    laws.hold(code === 0 && /older than/.test(stderr), `inspect: exit ${code}: ${stderr}`);
    // The way on that uses no key twice: nothing is sent to anybody before a new invite is answered.
    const accepted = await bobOn('one', uri, talk, ['inspect', '--after-restore']);
    laws.hold(accepted.code === 0, `--after-restore: exit ${accepted.code}: ${accepted.stderr}`);
    const held = await bobOn('one', uri, talk, next);
    laws.hold(
      held.code === ROLLED_BACK && held.stdout.length === 0,
      `sends at once: exit ${held.code}: ${held.stderr}`,
    );
    mkdirSync(box.path('invites'));
    const invites = await bobOn('one', uri, talk, ['invite', '--held', '--out-dir', box.path('invites')]);
    laws.hold(invites.code === 0, `invite --held: exit ${invites.code}: ${invites.stderr}`);
    await laws.works(box, 'alice', ['add', 'bob', box.path('invites', 'for-alice.txt')]);
    box.homes.set('bob', { uri, copy: () => database, remove: () => undefined });
    await laws.works(box, 'bob', ['inspect', '--moved']);
    await laws.talk(box, 'alice', 'bob');
    return 'exit 76 with and without a mark; goes on with new invites';
  });

/**
 * A standby takes over that has all that one machine wrote, and not what another one did after it. To the mark of the first
 * nothing is missing.
 */
const behindAnother = ownSituation(
  'a standby takes over that lags behind what another machine wrote',
  async (talk, laws) => {
    const { box, server, database } = talk;
    const standby = server.standby();
    const first = await bobOn('one', database.uri, talk, ['send', 'alice', '-m', 'by the first machine']);
    standby.catchUp(server);
    standby.stop('fast');
    const second = await bobOn('two', database.uri, talk, ['send', 'alice', '-m', 'by the second machine']);
    laws.hold(
      (await laws.receives(box, 'alice', Buffer.concat([first.stdout, second.stdout]))).length === 2,
      'not sent',
    );
    server.stop('immediate');
    standby.start();
    standby.promote();
    const uri = standby.uri(database.name);
    const next = ['send', 'alice', '-m', 'after it has taken over'];
    const refused = await bobOn('one', uri, talk, next);
    refuses(laws, 'the first machine', refused, ROLLED_BACK, /another server/);
    // Where it was let in all the same: whether a key was used for two texts.
    await laws.receives(box, 'alice', refused.stdout);
    refuses(laws, 'the second machine', await bobOn('two', uri, talk, next), ROLLED_BACK, /older than/);
    return 'exit 76 for both machines';
  },
);

/** A standby takes over that has everything. No machine can know that: its owner says so, once. */
const following = ownSituation('a standby takes over that has everything', async (talk, laws) => {
  const { box, server, database } = talk;
  const standby = server.standby();
  const uri = standby.uri(database.name);
  const sent = await bobOn('one', database.uri, talk, ['send', 'alice', '-m', 'before']);
  laws.hold((await laws.receives(box, 'alice', sent.stdout)).length === 1, 'it is not sent');
  standby.catchUp(server);
  // A standby may only be read.
  const next = ['send', 'alice', '-m', 'after it has taken over'];
  refuses(laws, 'send by the standby', await bobOn('one', uri, talk, next), FAILED, /nothing of this was done/);
  const envelope = await box.ready('alice', ['send', 'bob', '-m', 'meanwhile']);
  const early = await bobOn('one', uri, talk, ['recv'], envelope);
  refuses(laws, 'recv by the standby', early, FAILED, /nothing of this was done/);
  const read = await bobOn('one', uri, talk, ['inspect']);
  laws.hold(read.code === 0, `inspect by the standby: exit ${read.code}: ${read.stderr}`);
  server.stop('immediate');
  standby.promote();
  for (const machine of ['one', 'two']) {
    refuses(laws, `machine ${machine}`, await bobOn(machine, uri, talk, next), ROLLED_BACK, /another server/);
  }
  const late = await bobOn('one', uri, talk, ['recv', '--moved'], envelope);
  laws.hold(late.stdout.toString() === 'meanwhile', `recv --moved: exit ${late.code}: ${late.stderr}`);
  // By now the new server has written the last commit, for every machine.
  const other = await bobOn('two', uri, talk, next);
  laws.hold(other.code === 0, `the other machine, then: exit ${other.code}: ${other.stderr}`);
  laws.hold((await laws.receives(box, 'alice', other.stdout)).length === 1, 'what it sends is not read');
  box.homes.set('bob', { uri, copy: () => database, remove: () => undefined });
  await laws.talk(box, 'alice', 'bob');
  return 'exit 76, until --moved on one machine';
});

export const STANDBYS: readonly Situation[] = [lagging('sent'), lagging('received'), behindAnother, following];
