import { expect, it } from 'vitest';
import type { Route } from '../../../src/places/index.ts';
import type { LeftEntry, StoredRoute } from '../../../src/session/store.ts';
import { addContact, bytesOf, freshState, type MakeStore, NOW, opened, opening } from '../fixtures.ts';

const ROUTES: readonly Route[] = [
  { kind: 'dir', path: '/home/a/Sync', mark: 'ab'.repeat(16) },
  { kind: 'exec', command: "ssh relay 'pawl-box'" },
  { kind: 'nats', url: 'nats://relay.example', credentials: undefined },
  { kind: 'nats', url: 'tls://relay.example:4222', credentials: '/home/a/relay.creds' },
];

/** What every store must do with routes, and with what is left at places. */
export function routes(make: MakeStore): void {
  const stored = (owner: StoredRoute['owner'], route: Route): StoredRoute => ({
    owner,
    route,
    setAt: NOW,
    isTrusted: true,
  });
  const byPlace = (all: readonly StoredRoute[]) =>
    all.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

  it.each(ROUTES)('keeps one of each kind, for a contact and for an invite: %j', async (route) => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'bob');
      const both = [stored({ contact }, route), stored({ inviteName: 'carol' }, route)];
      for (const one of both) await transaction.setRoute(one);
      expect(byPlace(await transaction.routes())).toEqual(byPlace(both));
      expect(await transaction.dropRoute({ contact })).toBe(true);
      expect(await transaction.dropRoute({ contact })).toBe(false);
      expect(await transaction.routes()).toEqual([both[1]]);
    });
  });

  it('keeps one for each owner, the last one', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'bob');
      for (const route of ROUTES) await transaction.setRoute(stored({ contact }, route));
      const last = ROUTES.at(-1);
      expect(last && (await transaction.routes())).toEqual([last && stored({ contact }, last)]);
    });
  });

  it('gives a route for invites another name, and takes the place of one that has it', async () => {
    const { store } = make();
    const [first, second] = ROUTES;
    if (first === undefined || second === undefined) throw new Error('there are several');
    await store.transaction(async (transaction) => {
      await transaction.setRoute(stored({ inviteName: 'a' }, first));
      await transaction.setRoute(stored({ inviteName: 'b' }, second));
      await transaction.renameRoute('a', 'b');
      await transaction.renameRoute('nobody', 'c');
      expect(await transaction.routes()).toEqual([stored({ inviteName: 'b' }, first)]);
    });
  });

  it('trusts none that came with the file, until it is set anew', async () => {
    const { store } = make();
    const [, exec] = ROUTES;
    if (exec === undefined) throw new Error('there are several');
    await store.transaction(async (transaction) => {
      await transaction.setRoute(stored({ inviteName: 'a' }, exec));
      await transaction.distrustRoutes();
      expect(await transaction.routes()).toEqual([{ ...stored({ inviteName: 'a' }, exec), isTrusted: false }]);
      await transaction.setRoute(stored({ inviteName: 'a' }, exec));
      expect(await transaction.routes()).toEqual([stored({ inviteName: 'a' }, exec)]);
    });
  });

  it('goes with its contact, and is for a contact that is there', async () => {
    const { store } = make();
    const [route] = ROUTES;
    if (route === undefined) throw new Error('there are several');
    const contact = await store.transaction(async (transaction) => {
      const bob = await addContact(transaction, 'bob');
      await transaction.setRoute(stored({ contact: bob }, route));
      await transaction.dropContact(bob);
      expect(await transaction.routes()).toEqual([]);
      return bob;
    });
    await expect(
      store.transaction((transaction) => transaction.setRoute(stored({ contact }, route))),
    ).rejects.toThrow();
  });

  it('keeps what is left, by box and name', async () => {
    const { store } = make();
    const entry = (text: string, name: string, triedAt = NOW): LeftEntry => ({
      box: bytesOf(text, 16),
      name,
      size: 400,
      version: '1',
      code: 'not-for-you',
      tries: 1,
      triedAt,
    });
    await store.transaction(async (transaction) => {
      for (const one of [entry('a', 'x'), entry('a', 'y', NOW - 9), entry('b', 'x')])
        await transaction.setLeftEntry(one);
      await transaction.setLeftEntry({ ...entry('a', 'x'), tries: 2 });
      const left = async (text: string) =>
        (await transaction.leftEntries(bytesOf(text, 16))).toSorted((one, other) => (one.name < other.name ? -1 : 1));
      expect(await left('a')).toEqual([{ ...entry('a', 'x'), tries: 2 }, entry('a', 'y', NOW - 9)]);
      const inAll = async () =>
        (await transaction.leftEntries()).map(({ box, name }) => `${box.join()} ${name}`).sort();
      expect(await inAll()).toEqual(
        [entry('a', 'x'), entry('a', 'y'), entry('b', 'x')].map(({ box, name }) => `${box.join()} ${name}`).sort(),
      );
      await transaction.sweepLeftEntries(NOW);
      expect(await left('a')).toEqual([{ ...entry('a', 'x'), tries: 2 }]);
      await transaction.dropLeftEntry(bytesOf('a', 16), 'x');
      await transaction.dropLeftEntry(bytesOf('a', 16), 'x');
      expect(await left('a')).toEqual([]);
      expect(await left('b')).toEqual([entry('b', 'x')]);
    });
  });

  it('keeps the boxes that are to be emptied, for as long as there is their contact', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const [bob, carol] = [await addContact(transaction, 'bob'), await addContact(transaction, 'carol')];
      const spent = (text: string, contact: typeof bob, spentAt = NOW) => ({
        box: bytesOf(text, 16),
        contact,
        spentAt,
      });
      for (const one of [spent('late', bob, NOW + 1), spent('a', bob), spent('hers', carol, NOW - 1)])
        await transaction.addSpentBox(one);
      await transaction.addSpentBox(spent('a', bob, NOW - 9));
      expect(await transaction.spentBoxes()).toEqual([
        spent('a', bob, NOW - 9),
        spent('hers', carol, NOW - 1),
        spent('late', bob, NOW + 1),
      ]);
      await transaction.sweepSpentBoxes(NOW - 1);
      await transaction.dropContact(carol);
      expect(await transaction.spentBoxes()).toEqual([spent('late', bob, NOW + 1)]);
      await transaction.dropSpentBox(bytesOf('nobody', 16));
      await transaction.dropSpentBox(bytesOf('late', 16));
      expect(await transaction.spentBoxes()).toEqual([]);
      await expect(transaction.addSpentBox(spent('hers', carol))).rejects.toThrow();
    });
  });

  it('lets go of what an earlier unit of work has left', async () => {
    const { store } = make();
    const box = bytesOf('box', 16);
    const left = { box, name: 'junk', size: 3, version: '1', code: 'corrupt', tries: 1, triedAt: NOW };
    await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'alice');
      await transaction.setLeftEntry(left);
      await transaction.setLeftEntry({ ...left, name: 'more' });
      for (const name of ['one', 'two'])
        await transaction.addSpentBox({ box: bytesOf(name, 16), contact, spentAt: NOW });
    });
    await store.transaction(async (transaction) => {
      await transaction.setLeftEntry({ ...left, tries: 2 });
      await transaction.dropLeftEntry(box, 'more');
      await transaction.dropSpentBox(bytesOf('one', 16));
    });
    await store.snapshot(async (view) => {
      expect(await view.leftEntries(box)).toEqual([{ ...left, tries: 2 }]);
      expect((await view.spentBoxes()).map((spent) => spent.box)).toEqual([bytesOf('two', 16)]);
    });
  });

  it('keeps the boxes of a session, that of the invite until it is answered, and when they were read', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'bob');
      const theirs = await transaction.addSession(opened(contact), freshState());
      const ours = await transaction.addSession(opening(contact), freshState());
      const old = await transaction.addSession({ ...opened(contact, 'old'), boxes: undefined }, freshState());
      const boxesOf = async (id: typeof ours) => (await transaction.session(id)).boxes;
      expect(await boxesOf(theirs)).toEqual(opened(contact).boxes);
      expect(await boxesOf(ours)).toEqual(opening(contact).boxes);
      expect(await boxesOf(old)).toBeUndefined();
      await transaction.answerSession(ours);
      expect(await boxesOf(theirs)).toEqual(opened(contact).boxes);
      expect(await boxesOf(ours)).toEqual({ ...opening(contact).boxes, invite: undefined });
      expect((await transaction.session(theirs)).readWith).toBeUndefined();
      await transaction.setReadWith(theirs, old);
      expect((await transaction.session(theirs)).readWith).toBe(old);
      await transaction.dropSession(theirs);
      await transaction.setReadWith(theirs, old);
    });
  });
}
