import { expect, it } from 'vitest';
import type { Route } from '../../src/places/index.ts';
import { toHex } from '../../src/primitives/index.ts';
import { DAY, dropRoute, hasAnyRoute, mailboxes, setRoute, settleEntries } from '../../src/session/index.ts';
import { Party } from './party.ts';

const [HERE, THERE]: readonly [Route, Route] = [
  { kind: 'dir', path: '/here', mark: 'ab'.repeat(16) },
  { kind: 'dir', path: '/there', mark: 'cd'.repeat(16) },
];

/** Begins a conversation that `guest` opens by an invite of `host`. */
async function begin(host: Party, guest: Party): Promise<void> {
  await guest.add(host.name, await host.invite(guest.name));
  await host.receive([(await guest.send(host.name, 'hi')).envelope]);
  await guest.receive([(await host.send(guest.name, 'hi')).envelope]);
}

/** A bob whom carol and alice have written to by invites of his, alice twice, and who has an invite out for dave. */
async function company() {
  const [alice, bob, carol] = [new Party('alice'), new Party('bob'), new Party('carol')];
  await begin(bob, carol);
  await begin(bob, alice);
  await begin(bob, alice);
  await bob.invite('dave');
  for (const name of ['alice', 'carol', 'dave']) await setRoute(bob.context, name, HERE);
  return bob;
}

const listed = async ({ context }: Party, only?: string) =>
  (await mailboxes(context, only)).map(({ route, boxes }) => ({
    path: route.kind === 'dir' && route.path,
    boxes: boxes.map(({ name, of }) => `${name}, ${of}`),
  }));

const OF_ALICE = ['alice, invite', 'alice, session', 'alice, invite', 'alice, session'];

it('the boxes of all contacts at one place are read together, those of older sessions first', async () => {
  const bob = await company();
  expect(await listed(bob)).toEqual([
    { path: '/here', boxes: [...OF_ALICE, 'carol, invite', 'carol, session', 'dave, invite'] },
  ]);
  const [{ boxes } = { boxes: [] }] = await mailboxes(bob.context);
  expect(new Set(boxes.map(({ box }) => toHex(box))).size).toBe(boxes.length);
  const sessions = await bob.store.snapshot(async (view) => {
    const contact = await view.contactNamed('alice');
    return contact === undefined ? [] : view.sessions(contact.id);
  });
  const read = boxes.filter(({ name, of }) => name === 'alice' && of === 'session');
  expect(read).toMatchObject(
    sessions.map(({ id, boxes: own }) => ({
      session: id,
      box: own?.incoming,
      newest: sessions[1]?.id,
      isNoted: false,
    })),
  );
});

it('each place has its own, and who has no route has none', async () => {
  const bob = await company();
  await setRoute(bob.context, 'alice', THERE);
  const [there, here] = [
    { path: '/there', boxes: OF_ALICE },
    { path: '/here', boxes: ['carol, invite', 'carol, session', 'dave, invite'] },
  ];
  expect(await listed(bob)).toEqual([there, here]);
  expect(await listed(bob, 'alice')).toEqual([there]);
  expect(await listed(bob, 'dave')).toEqual([{ path: '/here', boxes: ['dave, invite'] }]);
  for (const name of ['alice', 'dave']) await dropRoute(bob.context, name);
  expect(await listed(bob)).toEqual([{ path: '/here', boxes: ['carol, invite', 'carol, session'] }]);
  expect(await hasAnyRoute(bob.context)).toBe(true);
  await dropRoute(bob.context, 'carol');
  expect(await listed(bob)).toEqual([]);
  expect(await hasAnyRoute(bob.context)).toBe(false);
});

it('the box of an invite is read for 90 days after it was used, and by who made it', async () => {
  const bob = await company();
  bob.time += 90 * DAY - 1;
  expect(await listed(bob, 'carol')).toEqual([{ path: '/here', boxes: ['carol, invite', 'carol, session'] }]);
  bob.time += 1;
  expect(await listed(bob, 'carol')).toEqual([{ path: '/here', boxes: ['carol, session'] }]);
  const dave = new Party('dave');
  await begin(bob, dave);
  await setRoute(dave.context, 'bob', HERE);
  expect(await listed(dave)).toEqual([{ path: '/here', boxes: ['bob, session'] }]);
});

it('what was left in a box is known with that box, and when all in it was read', async () => {
  const bob = await company();
  const [{ boxes } = { boxes: [] }] = await mailboxes(bob.context);
  const [, older, , newer, ofInvite] = boxes;
  if (older?.of !== 'session' || newer?.of !== 'session' || ofInvite === undefined) throw new Error('there are more');
  const entry = (box: Uint8Array, name: string) => ({ box, name, size: 9, version: '1', code: 'not whole' });
  await settleEntries(bob.context, {
    left: [entry(older.box, 'a'), entry(older.box, 'b'), entry(ofInvite.box, 'a'), entry(new Uint8Array(16), 'c')],
    gone: [],
    empty: [{ session: older.session, newest: older.session }, newer],
  });
  const [{ boxes: later } = { boxes: [] }] = await mailboxes(bob.context);
  expect(later.map(({ left }) => [...left.keys()])).toEqual([[], ['a', 'b'], [], [], ['a'], [], []]);
  expect(later[1]?.left.get('b')).toMatchObject({ ...entry(older.box, 'b'), tries: 1, triedAt: bob.time });
  // There is a newer session since the older one's box was read.
  expect(later.map((mailbox) => mailbox.of === 'session' && mailbox.isNoted)).toEqual([
    false,
    false,
    false,
    true,
    false,
    false,
    false,
  ]);
});
