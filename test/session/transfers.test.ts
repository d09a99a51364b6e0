import { describe, expect, it } from 'vitest';
import { sealPart } from '../../fuzz/one-part.ts';
import { type Descriptor, decodeEnvelope, PART_SIZES, type SealedPart } from '../../src/envelope/index.ts';
import { PawlError } from '../../src/errors.ts';
import { deriveKeys, FIRST_LINK, isOf, type Link, nextLink } from '../../src/parts/index.ts';
import { concat, equal } from '../../src/primitives/index.ts';
import {
  type Context,
  DAY,
  dropOldIncoming,
  forget,
  goOnAfterRestore,
  type IncomingContent,
  incomingContents,
  listUnsent,
  log,
  OutgoingContent,
  prune,
  send,
  setHistory,
  TRANSFER_RETENTION,
  verification,
  verify,
} from '../../src/session/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import type { SqliteStore } from '../../src/storage/index.ts';
import { bytesOf } from '../storage/fixtures.ts';
import { LOCK, newFile, openStore } from '../storage/folder.ts';
import { meet, Party, START, seededRandom } from './party.ts';

const S = PART_SIZES.usual;
const SOURCE = { path: '/tmp/film.mkv', inode: '1 2', modified: '1767225600123456789', host: 'a host' };
const PLACE = { path: '/tmp/.pawl-1.part', inode: '1 3', host: 'a host', target: undefined };

/** The command of a process, among those that run. */
function as({ context }: Party, process: string, running: readonly string[] = [process]): Context {
  return { ...context, process, isRunning: (name) => running.includes(name) };
}

function descriptorOf(key: string, size: number | undefined = 5): Descriptor {
  const partSize = PART_SIZES.least;
  return { type: 'descriptor', name: undefined, sentAt: START, size, partSize, key: bytesOf(key, 32) };
}

/** What becomes of a descriptor that alice sends. */
async function describeTo(bob: Party, alice: Party, key: string): Promise<string> {
  return bob.read((await send(alice.context, bob.name, descriptorOf(key))).envelope);
}

/** The content that is awaited, of one that alice sends in parts. */
async function begun(content: Uint8Array, { isStream = false } = {}) {
  const people = await meet();
  const { alice, bob } = people;
  const outgoing = await OutgoingContent.begin(alice.context, 'bob', {
    name: isStream ? undefined : 'film.mkv',
    size: isStream ? undefined : content.length,
    source: isStream ? undefined : SOURCE,
  });
  expect(await bob.read(outgoing.envelope)).toBe('announced');
  return { ...people, outgoing };
}

/** Seals the next part of a content. */
function next(outgoing: OutgoingContent, content: Uint8Array): SealedPart {
  const from = outgoing.parts * S;
  const envelope = decodeEnvelope(outgoing.seal(content.subarray(from, from + S), from + S >= content.length));
  if (envelope.kind !== 'part') throw new Error('a part');
  return envelope.part;
}

async function only(context: Context): Promise<IncomingContent> {
  const contents = await incomingContents(context);
  expect(contents).toHaveLength(1);
  return contents[0] as IncomingContent;
}

/** Takes a part as a receiver does whose place needs nothing. */
function take(content: IncomingContent, sealed: SealedPart): string {
  const { part, verdict } = content.open(sealed);
  if (verdict === 'new') content.add(part);
  return verdict;
}

const stored = ({ store }: Party) =>
  store.snapshot(async (view) => ({ incoming: await view.incoming(), outgoing: await view.outgoing() }));

describe('a content in parts', () => {
  const content = bytesOf('content', 2 * S + 7);

  it('is noted again where a commit failed and was done', async () => {
    const { bob, outgoing } = await begun(content);
    let fails = false;
    const store = new Proxy(bob.context.store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...given: readonly unknown[]) => {
          const done: unknown = await value.apply(target, given);
          if (fails && name === 'transaction') throw new PawlError('write-failed', { path: 'bob.db', reason: 'EIO' });
          return done;
        };
      },
    });
    const incoming = await only({ ...bob.context, store });
    await incoming.take();
    expect(take(incoming, next(outgoing, content))).toBe('new');
    fails = true;
    await expect(incoming.save()).rejects.toThrow('write-failed');
    fails = false;
    expect(take(incoming, next(outgoing, content))).toBe('new');
    await incoming.save();
    expect((await stored(bob)).incoming).toMatchObject([{ allBelow: 1 }]);
  });

  it('goes from one to the other, in any order, and is known to be whole', async () => {
    const { alice, bob, outgoing } = await begun(content);
    const [p0, p1, p2] = [next(outgoing, content), next(outgoing, content), next(outgoing, content)];
    expect([outgoing.parts, outgoing.bytes]).toEqual([3, content.length]);
    const incoming = await only(bob.context);
    expect([incoming.from, incoming.verified]).toEqual(['alice', false]);
    await incoming.take();
    const collected = new Uint8Array(content.length);
    for (const [part, count] of [
      [p2, 1],
      [p0, 2],
      [p1, 3],
    ] as const) {
      expect(incoming.owns(part)).toBe(true);
      expect(incoming.log.isComplete).toBe(false);
      const { part: opened, verdict } = incoming.open(part);
      expect(verdict).toBe('new');
      collected.set(opened.data, opened.index * S);
      incoming.add(opened);
      expect(incoming.log.count).toBe(count);
      expect(take(incoming, part)).toBe('duplicate');
    }
    expect(incoming.log.isComplete).toBe(true);
    expect(equal(collected, content)).toBe(true);
    await incoming.finish();
    await outgoing.finish();
    expect([(await stored(bob)).incoming, (await stored(alice)).outgoing]).toEqual([[], []]);
    for (const { store } of [alice, bob]) {
      expect(await store.snapshot((view) => view.history({ limit: 1 }))).toEqual([]);
    }
  });

  it('of one contact is none of another, and each has a key of its own', async () => {
    const { alice, bob } = await begun(content);
    const other = await OutgoingContent.begin(alice.context, 'bob', { name: 'b', size: 1, source: undefined });
    expect(await bob.read(other.envelope)).toBe('announced');
    const [one, two] = (await incomingContents(bob.context)) as [IncomingContent, IncomingContent];
    const part = next(other, content.subarray(0, 1));
    expect([one.owns(part), two.owns(part)]).toEqual([false, true]);
    expect(() => one.open(part)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    expect(one.row.descriptor.key).not.toEqual(two.row.descriptor.key);
  });

  it('is described by a message like any other: once, and with what it says', async () => {
    const { bob, outgoing } = await begun(content);
    expect(await bob.read(outgoing.envelope)).toBe('duplicate');
    const { row } = await only(bob.context);
    expect([row.n, row.late, row.receivedAt, row.messageId]).toEqual([outgoing.n, false, START, outgoing.id]);
    expect(row.descriptor).toMatchObject({ name: 'film.mkv', size: content.length, partSize: S, sentAt: START });
  });

  it('has its keys in memory no longer than needed', async () => {
    const { bob, outgoing } = await begun(content);
    const incoming = await only(bob.context);
    const part = next(outgoing, content);
    expect(incoming.owns(part)).toBe(true);
    incoming.wipe();
    expect(incoming.owns(part)).toBe(false);
    outgoing.wipe();
    expect(isOf(deriveKeys((await only(bob.context)).row.descriptor.key), next(outgoing, content))).toBe(false);
  });

  it('is in the history of both sides when it is done: its name and length, and never its bytes', async () => {
    const { alice, bob, outgoing } = await begun(content);
    for (const party of [alice, bob]) await setHistory(party.context, 'on');
    const logged = async (party: Party) => {
      const all = [];
      for await (const slice of log(party.context, {})) all.push(...slice);
      return all.map(({ direction, content: what }) => [direction, what]);
    };
    const incoming = await only(bob.context);
    for (let parts = 0; parts < 3; parts++) take(incoming, next(outgoing, content));
    await outgoing.finish();
    const file = { kind: 'file', name: 'film.mkv', length: content.length };
    expect([await logged(alice), await logged(bob)]).toEqual([[['sent', file]], []]);
    await incoming.finish();
    // Another finish, as after a crash, tells nothing twice.
    await incoming.finish();
    expect(await logged(bob)).toEqual([['received', file]]);

    const stream = await OutgoingContent.begin(alice.context, 'bob', {
      name: undefined,
      size: undefined,
      source: undefined,
    });
    stream.seal(content.subarray(0, 9), true);
    await stream.finish();
    await stream.finish();
    expect((await logged(alice)).at(-1)).toEqual(['sent', { kind: 'bytes', length: 9 }]);
    expect(await logged(alice)).toHaveLength(2);
  });

  it('deletes at its end what has outlived its time', async () => {
    const { alice, outgoing } = await begun(content);
    const other = await OutgoingContent.begin(alice.context, 'bob', { name: 'b', size: 1, source: SOURCE });
    await setHistory(alice.context, DAY);
    await outgoing.finish();
    alice.time += DAY + 1;
    await other.finish();
    const entries = await alice.store.snapshot((view) => view.history({ limit: 9 }));
    expect(entries.map(({ content: what }) => what)).toMatchObject([{ name: 'b' }]);
  });

  it('goes with its contact, whose receiver may be in the midst of it', async () => {
    const { alice, bob, outgoing } = await begun(content);
    const incoming = await only(bob.context);
    await incoming.take();
    expect(take(incoming, next(outgoing, content))).toBe('new');
    expect((await forget(bob.context, 'alice')).contact).toMatchObject({ unfinished: 1 });
    expect((await forget(alice.context, 'bob')).contact).toMatchObject({ unfinished: 1 });
    await incoming.save();
    await incoming.finish();
    outgoing.keep();
    await outgoing.save();
    await outgoing.finish();
    expect([(await stored(bob)).incoming, (await stored(alice)).outgoing]).toEqual([[], []]);
  });

  it('goes with its contact in a file, too', async () => {
    const bob = new Party('bob');
    const path = newFile();
    bob.store = openStore(path);
    const alice = new Party('alice');
    await alice.add('bob', await bob.invite('alice'));
    const outgoing = await OutgoingContent.begin(alice.context, 'bob', {
      name: 'a',
      size: content.length,
      source: SOURCE,
    });
    expect(await bob.read(outgoing.envelope)).toBe('announced');
    const incoming = await only(bob.context);
    await incoming.take();
    expect(take(incoming, next(outgoing, content))).toBe('new');
    await forget(bob.context, 'alice');
    await incoming.save();
    await incoming.finish();
    expect((await stored(bob)).incoming).toEqual([]);
    (bob.store as SqliteStore).close();
  });
});

describe('descriptors that are refused', () => {
  it('are the fifth of somebody who is not verified, and the seventeenth of anybody, until one is done', async () => {
    const { alice, bob } = await meet();
    for (let n = 0; n < 4; n++) expect(await describeTo(bob, alice, `${n}`)).toBe('announced');
    const fifth = (await send(alice.context, 'bob', descriptorOf('4'))).envelope;
    const before = await bob.dump();
    expect(await bob.read(fifth)).toBe('refused: too-many-incoming');
    expect(await bob.dump()).toEqual(before);
    const { safetyNumber } = await verification(bob.context, 'alice');
    await verify(bob.context, 'alice', safetyNumber.replaceAll(' ', ''));
    // What was refused changed nothing: the same envelope is accepted.
    expect(await bob.read(fifth)).toBe('announced');
    for (let n = 5; n < 16; n++) expect(await describeTo(bob, alice, `${n}`)).toBe('announced');
    expect(await describeTo(bob, alice, '16')).toBe('refused: too-many-incoming');
    const [first] = await incomingContents(bob.context);
    await first?.finish();
    expect(await describeTo(bob, alice, '17')).toBe('announced');
    expect(await incomingContents(bob.context)).toHaveLength(16);
  });

  it('count each contact by itself, and the texts of none', async () => {
    const { alice, bob } = await meet();
    const carol = new Party('carol');
    await carol.add('bob', await bob.invite('carol'));
    for (let n = 0; n < 5; n++) await describeTo(bob, alice, `alice ${n}`);
    expect(await bob.read((await alice.send('bob', 'a text')).envelope)).toBe('a text');
    for (let n = 0; n < 4; n++) expect(await describeTo(bob, carol, `carol ${n}`)).toBe('announced');
    expect(await describeTo(bob, carol, 'carol 4')).toBe('refused: too-many-incoming');
  });

  it('are counted within one transaction, too', async () => {
    const { alice, bob } = await meet();
    const envelopes: Uint8Array[] = [];
    for (let n = 0; n < 5; n++) envelopes.push((await send(alice.context, 'bob', descriptorOf(`${n}`))).envelope);
    const types = (await bob.receive(envelopes)).map((outcome) =>
      outcome.type === 'refused' ? outcome.error.code : outcome.type,
    );
    expect(types).toEqual([...Array.from({ length: 4 }, () => 'announced'), 'too-many-incoming']);
  });

  it.each(['a contact', 'another contact', 'somebody new'])(
    'are those with the key of a content that is awaited: of %s',
    async (who) => {
      const { alice, bob } = await meet();
      const carol = new Party('carol');
      await carol.add('bob', await bob.invite('carol'));
      if (who === 'another contact') await bob.read((await carol.send('bob', 'hi')).envelope);
      const sender = who === 'a contact' ? alice : carol;
      expect(await describeTo(bob, alice, 'key')).toBe('announced');
      const before = await bob.dump();
      const again = (await send(sender.context, 'bob', descriptorOf('key'))).envelope;
      expect(await bob.read(again)).toBe('refused: corrupt');
      expect(await bob.dump()).toEqual(before);
      // Nothing is left of the other: then it is a key like any.
      await (await only(bob.context)).finish();
      expect(await bob.read(again)).toBe('announced');
    },
  );

  it('can be the first message of a contact, which is accepted with it', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    await alice.add('bob', await bob.invite('alice'));
    expect(await describeTo(bob, alice, 'key')).toBe('announced');
    expect((await only(bob.context)).from).toBe('alice');
  });
});

describe('a receiver', () => {
  const content = bytesOf('content', 3 * S);

  it('is the only one until it lets go, or ends', async () => {
    const { bob } = await begun(content);
    const [one, two] = [await only(as(bob, 'one', ['one'])), await only(as(bob, 'two', ['one', 'two']))];
    await one.take();
    await one.take();
    await expect(two.take()).rejects.toMatchObject({ code: 'taken-elsewhere', detail: { what: 'film.mkv' } });
    await one.release();
    await two.take();
    // Releasing what another has taken meanwhile lets nobody in.
    await one.release();
    await expect((await only(as(bob, 'three', ['two', 'three']))).take()).rejects.toMatchObject({
      code: 'taken-elsewhere',
    });
    // Two was killed.
    await (await only(as(bob, 'three', ['three']))).take();
    expect((await stored(bob)).incoming).toMatchObject([{ claim: { process: 'three' } }]);
  });

  it('goes on with what another took since it looked', async () => {
    const { bob, outgoing } = await begun(content);
    const [late, one] = [await only(as(bob, 'late', ['late'])), await only(as(bob, 'one', ['one']))];
    const [p0, p1, p2] = [next(outgoing, content), next(outgoing, content), next(outgoing, content)];
    await one.take();
    await one.begin(PLACE);
    expect(take(one, p1)).toBe('new');
    await one.save();
    await one.release();
    await late.take();
    expect(late.place).toEqual(PLACE);
    expect([take(late, p1), take(late, p0), take(late, p2)]).toEqual(['duplicate', 'new', 'new']);
    await late.save();
    expect((await only(bob.context)).log).toMatchObject({ isComplete: true, count: 3 });
  });

  it('is not let in once another has finished', async () => {
    const { bob } = await begun(content);
    const [late, one] = [await only(as(bob, 'late', ['late'])), await only(as(bob, 'one', ['one']))];
    await one.take();
    await one.finish();
    await expect(late.take()).rejects.toMatchObject({ code: 'taken-elsewhere' });
  });

  it('knows after a crash what was saved, and no more', async () => {
    const { bob, outgoing } = await begun(content);
    const before = await only(as(bob, 'one', ['one']));
    const [p0, , p2] = [next(outgoing, content), next(outgoing, content), next(outgoing, content)];
    await before.take();
    await before.begin(PLACE);
    expect(before.hasUnsaved).toBe(false);
    take(before, p2);
    expect(before.hasUnsaved).toBe(true);
    await before.save();
    await before.save();
    expect(before.hasUnsaved).toBe(false);
    take(before, p0);
    const after = await only(as(bob, 'two', ['two']));
    await after.take();
    expect(after.log).toMatchObject({ count: 1, firstMissing: 0, isComplete: false });
    expect([take(after, p0), take(after, p2)]).toEqual(['new', 'duplicate']);
    expect([after.place, after.log.bytes]).toEqual([PLACE, 2 * S]);
  });

  it('notes what the file is to be called with the last parts, and forgets all of it where it begins anew', async () => {
    const { bob, outgoing } = await begun(content);
    const one = await only(as(bob, 'one', ['one']));
    await one.take();
    await one.begin(PLACE);
    take(one, next(outgoing, content));
    await one.save('/tmp/film.mkv');
    const place = { ...PLACE, target: '/tmp/film.mkv' };
    expect(one.place).toEqual(place);
    expect((await only(bob.context)).place).toEqual(place);
    take(one, next(outgoing, content));
    await one.begin(undefined);
    expect([one.place, one.hasUnsaved, one.log.count]).toEqual([undefined, false, 0]);
    const again = await only(bob.context);
    expect([again.place, again.log.count]).toEqual([undefined, 0]);
    // Without a place there is nothing to be called anything.
    await one.save('/tmp/film.mkv');
    expect((await only(bob.context)).place).toBeUndefined();
  });

  it('finds the parts whose data were changed since an earlier command put them there', async () => {
    const { bob, outgoing } = await begun(content);
    const one = await only(as(bob, 'one', ['one']));
    await one.take();
    await one.begin(PLACE);
    for (let n = 0; n < 3; n++) take(one, next(outgoing, content));
    await one.save();
    const data = Uint8Array.from(content);
    data[S + 5] = (data[S + 5] ?? 0) ^ 1;
    const read = (position: number, length: number) => data.subarray(position, position + length);
    const refuse = () => {
      throw new Error('nothing is to be read');
    };
    // What this process has put there itself is not looked at.
    expect([await one.isChanged(1, refuse), await one.dropChanged(refuse)]).toEqual([false, 0]);
    await one.release();
    const two = await only(as(bob, 'two', ['two']));
    await two.take();
    const looks = [await two.isChanged(0, read), await two.isChanged(1, read), await two.isChanged(1, refuse)];
    expect(looks).toEqual([false, true, false]);
    // Parts that were looked at are put in their place anew by now.
    expect(await two.dropChanged(read)).toBe(0);
    await two.release();
    const three = await only(as(bob, 'three', ['three']));
    await three.take();
    const cut = (position: number, length: number) => read(position, length).subarray(0, position === 0 ? S : 100);
    expect(await three.dropChanged(cut)).toBe(2);
    expect([three.log.count, three.log.firstMissing, three.log.isComplete, three.place]).toEqual([1, 1, false, PLACE]);
    expect((await only(bob.context)).log).toMatchObject({ count: 1, firstMissing: 1 });
    expect((await only(bob.context)).place).toEqual(PLACE);
    expect(await three.dropChanged(cut)).toBe(0);
  });

  it('compares what comes again with what is stored, and has few records of its own', async () => {
    const six = bytesOf('content', 6 * S);
    const { bob, outgoing } = await begun(six);
    const parts = Array.from({ length: 6 }, () => next(outgoing, six));
    const at = (index: number): SealedPart => parts[index] as SealedPart;
    const one = await only(as(bob, 'one', ['one']));
    await one.take();
    await one.begin(PLACE);
    for (const index of [0, 1, 2, 3, 5]) take(one, at(index));
    await one.save();
    const [{ allBelow } = { allBelow: 0 }] = (await stored(bob)).incoming;
    expect(allBelow).toBe(3);
    for (const awaited of [one, await only(bob.context)]) {
      expect(awaited.log).toMatchObject({ count: 5, firstMissing: 4, bytes: 5 * S, total: 6, kept: 3 });
      expect([0, 1, 2, 3, 5].map((index) => take(awaited, at(index)))).toEqual([
        ...['stored', 'stored', 'stored', 'duplicate', 'duplicate'],
      ]);
      const { part } = awaited.open(at(1));
      await awaited.compare(part);
      for (const other of [{ digest: bytesOf('other', 32) }, { link: bytesOf('other', 32) as never }]) {
        await expect(awaited.compare({ ...part, ...other })).rejects.toMatchObject({ code: 'parts-contradict' });
      }
    }
    const two = await only(as(bob, 'two', ['two']));
    await two.take();
    const looked: number[] = [];
    const read = (position: number, length: number) => {
      looked.push(position / S);
      return six.subarray(position, position + length);
    };
    expect([await two.isChanged(1, read), await two.isChanged(5, read), await two.isChanged(4, read)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(take(two, at(4))).toBe('new');
    expect([two.log.isComplete, await two.dropChanged(read)]).toEqual([true, 0]);
    expect(looked).toEqual([1, 5, 0, 2, 3]);
    await two.save('/tmp/film.mkv');
    expect((await only(bob.context)).log).toMatchObject({ count: 6, isComplete: true, bytes: 6 * S, kept: 5 });
  });

  it('keeps nothing of what it has written to a stream, but what the next part is compared with', async () => {
    const { bob, outgoing } = await begun(content);
    const one = await only(as(bob, 'one', ['one']));
    await one.take();
    const parts = [next(outgoing, content), next(outgoing, content), next(outgoing, content)];
    for (const part of parts) one.addWritten(one.open(part).part);
    expect([one.hasUnsaved, one.log]).toMatchObject([false, { count: 3, isComplete: true, bytes: 3 * S, kept: 2 }]);
    const { part, verdict } = one.open(parts[0] as SealedPart);
    expect(verdict).toBe('stored');
    await one.compare(part);
  });

  it('that was silent for too long changes nothing where another one has taken its place', async () => {
    const { bob, outgoing } = await begun(content);
    const one = await only(as(bob, 'one', ['one']));
    await one.take();
    await one.begin(PLACE);
    take(one, next(outgoing, content));
    const two = await only(as(bob, 'two', ['two']));
    await two.take();
    await two.begin({ ...PLACE, inode: '1 4' });
    for (const change of [() => one.save(), () => one.save('/tmp/a'), () => one.begin(PLACE)]) {
      await expect(change()).rejects.toMatchObject({ code: 'taken-elsewhere' });
    }
    const stands = await only(bob.context);
    expect([stands.log.count, stands.place]).toEqual([0, { ...PLACE, inode: '1 4' }]);
  });

  it('refuses what contradicts, and what is of no honest sender, and changes nothing', async () => {
    const { alice, bob } = await meet();
    const description = descriptorOf('key', 3 * PART_SIZES.least);
    await bob.read((await send(alice.context, 'bob', description)).envelope);
    const incoming = await only(bob.context);
    const { partSize } = description;
    const keys = deriveKeys(description.key);
    const random = seededRandom('mallory');
    const sealed = (index: number, link: Link, data: Uint8Array, isLast = false) =>
      sealPart(keys, { index, isLast, link, data }, { partSize, random });
    const first = sealed(0, FIRST_LINK, bytesOf('first', partSize));
    expect(take(incoming, first.sealed)).toBe('new');
    const other = sealed(0, FIRST_LINK, bytesOf('other', partSize));
    const loose = sealed(1, FIRST_LINK, bytesOf('second', partSize));
    const second = sealed(1, nextLink(FIRST_LINK, first.digest), bytesOf('second', partSize));
    for (const { sealed: part } of [other, loose]) {
      expect(() => take(incoming, part)).toThrow(expect.objectContaining({ code: 'parts-contradict' }));
    }
    const short = sealed(1, nextLink(FIRST_LINK, first.digest), bytesOf('short', 5));
    expect(() => take(incoming, short.sealed)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    expect(incoming.log).toMatchObject({ count: 1, firstMissing: 1 });
    expect(take(incoming, second.sealed)).toBe('new');
  });
});

describe('a sender', () => {
  const content = bytesOf('content', 3 * S + 1);

  it('goes on behind what was saved, and the parts of both attempts are of one content', async () => {
    const { alice, bob, outgoing } = await begun(content);
    const killed = [next(outgoing, content)];
    outgoing.keep();
    await outgoing.save();
    killed.push(next(outgoing, content));
    const [unsent] = await listUnsent(as(alice, 'two', ['two']));
    expect(unsent).toMatchObject({
      to: 'bob',
      name: 'film.mkv',
      size: content.length,
      parts: 1,
      total: 4,
      source: SOURCE,
    });
    const again = await OutgoingContent.resume(as(alice, 'two', ['two']), unsent?.id as never);
    expect([again.parts, again.bytes, again.to]).toEqual([1, S, 'bob']);
    expect(again.envelope).toEqual(outgoing.envelope);
    const incoming = await only(bob.context);
    const parts = [next(again, content), next(again, content), next(again, content)];
    expect(parts[0]?.salt).not.toEqual(killed[1]?.salt);
    expect(killed.map((part) => take(incoming, part))).toEqual(['new', 'new']);
    expect(parts.map((part) => take(incoming, part))).toEqual(['duplicate', 'new', 'new']);
    expect(incoming.log.isComplete).toBe(true);
  });

  it('whose source changed between two attempts is found out', async () => {
    const { alice, bob, outgoing } = await begun(content);
    const [p0] = [next(outgoing, content)];
    outgoing.keep();
    await outgoing.save();
    const p1 = next(outgoing, content);
    const other = concat(content.subarray(0, S), bytesOf('other', 2 * S + 1));
    const [unsent] = await listUnsent(as(alice, 'two', ['two']));
    const again = await OutgoingContent.resume(as(alice, 'two', ['two']), unsent?.id as never);
    const [q1, q2] = [next(again, other), next(again, other)];
    const incoming = await only(bob.context);
    expect([take(incoming, p0), take(incoming, q2), take(incoming, q1)]).toEqual(['new', 'new', 'new']);
    expect(() => take(incoming, p1)).toThrow(expect.objectContaining({ code: 'parts-contradict' }));
  });

  it('is the only one while its process runs', async () => {
    const { alice, outgoing } = await begun(content);
    const [{ id } = { id: 0 }] = (await stored(alice)).outgoing;
    const running = as(alice, 'two', ['here', 'two']);
    expect(await listUnsent(running)).toEqual([]);
    await expect(OutgoingContent.resume(running, id as never)).rejects.toMatchObject({ code: 'not-in-outbox' });
    await outgoing.finish();
    await expect(OutgoingContent.resume(as(alice, 'two'), id as never)).rejects.toMatchObject({
      code: 'not-in-outbox',
    });
  });

  it('goes on at the place where its parts are, and begins anew at another, and in a file', async () => {
    const { alice } = await begun(content);
    const two = as(alice, 'two', []);
    const file = { name: 'film.mkv', size: content.length, source: SOURCE };
    const outgoing = await OutgoingContent.begin(alice.context, 'bob', file, 'dir:1');
    next(outgoing, content);
    outgoing.keep();
    // One that was sealed, and not put.
    next(outgoing, content);
    await outgoing.save();
    const again = async (place: string | undefined, isWhole = false) =>
      (await OutgoingContent.resume(two, outgoing.outgoingId, { place, isWhole })).parts;
    const known = async () => (await stored(alice)).outgoing.filter(({ id }) => id === outgoing.outgoingId);
    expect(await again('dir:1')).toBe(1);
    expect(await again('dir:1', true)).toBe(0);
    expect(await again(undefined)).toBe(0);
    expect(await known()).toMatchObject([{ parts: 1, partsAt: 'dir:1' }]);
    expect(await again('dir:2')).toBe(0);
    expect(await known()).toMatchObject([{ parts: 0, partsAt: 'dir:2' }]);
    expect(await again('dir:1')).toBe(0);
  });

  it('hands the message with the descriptor in at the end, as any other, and once', async () => {
    const { alice } = await begun(content);
    await setHistory(alice.context, 'on');
    const file = { name: 'film.mkv', size: content.length, source: SOURCE };
    const outgoing = await OutgoingContent.begin(alice.context, 'bob', file, 'dir:1');
    for (let part = 0; part < 4; part++) next(outgoing, content);
    const sent = await outgoing.handIn();
    expect(sent).toMatchObject({ to: 'bob', envelope: outgoing.envelope, id: outgoing.id });
    const rows = await alice.store.snapshot(async (view) => ({
      outbox: (await view.outbox()).map(({ id }) => id),
      outgoing: (await view.outgoing()).filter(({ id }) => id === outgoing.outgoingId),
      spent: await view.spentBoxes(),
    }));
    // What the other side is to fetch is not to be removed.
    expect(rows).toEqual({ outbox: [sent?.outboxId], outgoing: [], spent: [] });
    expect(await outgoing.handIn()).toBeUndefined();
  });

  it('of what is given up, what lies at a place is to be removed, for 30 days', async () => {
    const { alice } = await begun(content);
    const file = { name: 'film.mkv', size: content.length, source: SOURCE };
    const spent = async () => (await alice.store.snapshot((view) => view.spentBoxes())).map(({ box }) => box);
    const outgoing = await OutgoingContent.begin(alice.context, 'bob', file, 'dir:1');
    const written = await OutgoingContent.begin(alice.context, 'bob', file);
    const old = await OutgoingContent.begin(alice.context, 'bob', file, 'dir:1');
    await written.abandon();
    expect(await spent()).toEqual([]);
    await outgoing.abandon();
    await outgoing.abandon();
    expect(await spent()).toEqual([outgoing.partBox]);
    alice.time += TRANSFER_RETENTION + 1;
    // The first one is too old by now.
    await prune(alice.context, TRANSFER_RETENTION);
    expect(await spent()).toEqual([old.partBox]);
    // A restored file leaves it to the newer copy.
    await OutgoingContent.begin(alice.context, 'bob', file, 'dir:1');
    await goOnAfterRestore(alice.context);
    expect(await spent()).toEqual([old.partBox]);
  });

  it('of a stream cannot go on: what was begun is given up', async () => {
    const { alice } = await begun(content, { isStream: true });
    const two = as(alice, 'two', ['two']);
    const [unsent] = await listUnsent(two);
    expect(unsent).toMatchObject({ size: undefined, total: undefined, source: undefined, name: undefined });
    await expect(OutgoingContent.resume(two, unsent?.id as never)).rejects.toMatchObject({ code: 'cannot-resume' });
    expect((await stored(alice)).outgoing).toEqual([]);
  });

  it('gives up what cannot be read to its end', async () => {
    const { alice, outgoing } = await begun(content);
    await outgoing.abandon();
    expect((await stored(alice)).outgoing).toEqual([]);
  });

  it('has what it sends in one commit with the state of the ratchet', async () => {
    const { alice } = await meet();
    const before = await alice.dump();
    const failing: Context = {
      ...alice.context,
      random: (length) => {
        if (length === 32) throw new Error('no randomness');
        return alice.random(length);
      },
    };
    const one = { name: 'a', size: 1, source: SOURCE };
    await expect(OutgoingContent.begin(failing, 'bob', one)).rejects.toThrow('no randomness');
    await expect(OutgoingContent.begin(alice.context, 'nobody', one)).rejects.toMatchObject({
      code: 'unknown-contact',
    });
    expect(await alice.dump()).toEqual(before);
    expect((await stored(alice)).outgoing).toEqual([]);
  });
});

describe('what is not finished', () => {
  const content = bytesOf('content', S + 1);

  it('is no longer sent after 30 days, and can be taken up at exactly 30', async () => {
    for (const [age, left] of [
      [TRANSFER_RETENTION, 1],
      [TRANSFER_RETENTION + 1, 0],
    ] as const) {
      const { alice } = await begun(content);
      alice.time += age;
      const two = as(alice, 'two', ['two']);
      const [unsent] = await listUnsent(two);
      const resumed = OutgoingContent.resume(two, unsent?.id as never);
      if (left === 1) expect((await resumed).parts).toBe(0);
      else await expect(resumed).rejects.toMatchObject({ code: 'not-in-outbox' });
    }
    const { alice } = await begun(content);
    alice.time += TRANSFER_RETENTION + 1;
    expect(await prune(alice.context, 60 * DAY)).toMatchObject({ outgoing: 1 });
    expect((await stored(alice)).outgoing).toEqual([]);
  });

  it('is no longer awaited after 30 days, or a shorter time that is asked for, unless somebody takes it', async () => {
    const { bob } = await begun(content);
    const one = await only(as(bob, 'one', ['one']));
    await one.take();
    await one.begin(PLACE);
    bob.time += TRANSFER_RETENTION;
    expect(await dropOldIncoming(as(bob, 'two', ['two']))).toEqual([]);
    bob.time += 1;
    expect(await dropOldIncoming(as(bob, 'two', ['one', 'two']))).toEqual([]);
    const dropped = [{ from: 'alice', what: 'film.mkv', place: PLACE }];
    expect(await dropOldIncoming(as(bob, 'two', ['two']))).toEqual(dropped);
    expect(await incomingContents(bob.context)).toEqual([]);

    const { bob: other } = await begun(content, { isStream: true });
    other.time += DAY;
    expect(await dropOldIncoming(other.context, DAY)).toEqual([]);
    other.time += 1;
    expect(await dropOldIncoming(other.context, DAY)).toEqual([{ from: 'alice', what: 'a stream', place: undefined }]);
  });

  it('does not stay because the clock was wrong when it began', async () => {
    const { alice, bob } = await meet();
    alice.time = bob.time = START + 3_650 * DAY;
    const outgoing = await OutgoingContent.begin(alice.context, 'bob', { name: 'a', size: 1, source: SOURCE });
    expect(await bob.read(outgoing.envelope)).toBe('announced');
    alice.time = bob.time = START;
    expect([(await prune(alice.context, 60 * DAY)).outgoing, await dropOldIncoming(bob.context)]).toEqual([0, []]);
    alice.time = bob.time = START + TRANSFER_RETENTION + 1;
    expect((await prune(alice.context, 60 * DAY)).outgoing).toBe(1);
    expect(await dropOldIncoming(bob.context)).toHaveLength(1);
  });

  it('is no longer sent from a restored file, and still awaited by it', async () => {
    const { alice, bob } = await begun(content);
    for (const party of [alice, bob]) await goOnAfterRestore(party.context);
    expect((await stored(alice)).outgoing).toEqual([]);
    expect(await incomingContents(bob.context)).toHaveLength(1);
  });
});

it('beginning, changing and ending a content raises the generation, on both sides', async () => {
  const [alice, bob] = [new Party('alice'), new Party('bob')];
  const path = newFile();
  const file = openStore(path);
  bob.store = file;
  const connection = new Connection(path, LOCK, 0);
  const generation = () => connection.get<{ generation: number }>('SELECT generation FROM identity')?.generation ?? 0;
  const raises = async (work: () => Promise<unknown>): Promise<void> => {
    const before = generation();
    await work();
    expect(generation()).toBeGreaterThan(before);
  };
  await alice.add('bob', await bob.invite('alice'));
  const content = bytesOf('content', S + 1);
  const sent = await OutgoingContent.begin(alice.context, 'bob', { name: 'a', size: S + 1, source: SOURCE });
  await raises(() => bob.read(sent.envelope));
  const incoming = await only(bob.context);
  await raises(() => incoming.take());
  await raises(() => incoming.begin(PLACE));
  take(incoming, next(sent, content));
  await raises(() => incoming.save());
  await raises(() => incoming.release());
  await raises(() => incoming.finish());

  let outgoing: OutgoingContent | undefined;
  await raises(async () => {
    outgoing = await OutgoingContent.begin(bob.context, 'alice', { name: 'a', size: S + 1, source: SOURCE });
  });
  await raises(async () => outgoing?.save());
  await raises(async () => outgoing?.finish());
  connection.close();
  file.close();
});
