import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { systemRandom } from '../../src/primitives/index.ts';
import { createFileFrom, createIdentityFileFrom } from '../../src/storage/identity-file.ts';
import { type IdentityStore, openIdentityFile } from '../../src/storage/index.ts';
import { type Destination, moveIdentity } from '../../src/storage/move.ts';
import { contactAlice, fill, readAll } from './contents.ts';
import { addContact, bytesOf, moveTo } from './fixtures.ts';
import { LOCK, NEW_LOCK, newFile, openStore, temporaryFolder } from './folder.ts';

const HERE = { random: systemRandom, host: 'here' };

/** A file that an identity is moved to. `steps`: what was done, in order. */
class FileDestination implements Destination {
  readonly path = join(temporaryFolder(), 'bob.db');
  readonly steps: string[] = [];
  /** The step that fails, as a kill would. */
  fails: string | undefined;
  code: 'commit-unknown' | 'cannot-create' | 'write-failed' = 'commit-unknown';
  readonly #marks: string | undefined;

  constructor(marks?: string) {
    this.#marks = marks;
  }

  async exists() {
    return existsSync(this.path);
  }

  async prepare() {
    this.#step('prepare');
  }

  async open() {
    this.#step('open');
    const store = openIdentityFile(this.path, LOCK, { wait: 0 });
    onTestFinished(() => store.close());
    return store;
  }

  async createFrom(source: IdentityStore, _: unknown, beforeMade: () => Promise<void>) {
    this.#step('create');
    await createIdentityFileFrom(this.path, source, LOCK, {
      marks: this.#marks,
      beforeMade: async () => {
        await beforeMade();
        this.#step('make');
      },
    });
    this.#step('created');
  }

  #step(step: string) {
    this.steps.push(step);
    if (this.fails === step) throw new PawlError(this.code, { path: this.path, reason: 'no space left' });
  }
}

async function filled() {
  const path = newFile();
  const store = openStore(path);
  await fill(store);
  return { path, store };
}

describe('an identity that is moved', () => {
  it('is where it was moved to, and nowhere else', async () => {
    const { path, store } = await filled();
    const destination = new FileDestination();
    await moveIdentity(store, LOCK, destination, HERE);
    expect(existsSync(path)).toBe(false);
    const moved = await destination.open();
    expect(moved.move?.to).toBeUndefined();
    await moved.snapshot(readAll);
    await moved.transaction((transaction) => addContact(transaction, 'carol'));
  });

  it.each(['create', 'created', 'open'])('goes on from exactly one place after a crash at %s', async (step) => {
    const { path, store } = await filled();
    const running = openStore(path);
    const destination = new FileDestination();
    destination.fails = step;
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.toMatchObject({ code: 'commit-unknown' });
    // A process that had it open does not go on here.
    await expect(running.transaction(contactAlice)).rejects.toMatchObject({ code: 'moving' });
    const again = openStore(path);
    expect(again.move?.to).toBe(destination.path);
    destination.fails = undefined;
    if (step !== 'create') {
      const ahead = await destination.open();
      await ahead.transaction((transaction) => addContact(transaction, 'carol'));
    }
    await moveIdentity(again, LOCK, destination, HERE);
    expect(existsSync(path)).toBe(false);
    const contacts = await (await destination.open()).snapshot((view) => view.contacts());
    expect(contacts.map(({ name }) => name)).toEqual(step === 'create' ? ['alice'] : ['alice', 'carol']);
  });

  it.each(['cannot-create', 'write-failed'] as const)('tells with %s whether it has left', async (code) => {
    const { path, store } = await filled();
    const destination = new FileDestination();
    destination.code = code;
    destination.fails = 'prepare';
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.not.toHaveProperty('detail.leaves');
    destination.fails = 'create';
    const leaves = { path, to: destination.path };
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.toMatchObject({ code, detail: { leaves } });
  });

  it('does not leave for a place that cannot be prepared', async () => {
    const { path, store } = await filled();
    const destination = new FileDestination();
    destination.fails = 'prepare';
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.toMatchObject({ code: 'commit-unknown' });
    expect(openStore(path).move?.to).toBeUndefined();
    await store.transaction((transaction) => addContact(transaction, 'carol'));
  });

  it('goes on where the destination could not be made before', async () => {
    const { path, store } = await filled();
    const destination = new FileDestination();
    destination.fails = 'create';
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.toMatchObject({ code: 'commit-unknown' });
    destination.fails = undefined;
    // What was given up is made after all, when the next run has found nothing.
    const { createFrom } = destination;
    destination.createFrom = async (...given) => {
      await createFrom.apply(destination, given);
      await createFrom.apply(destination, given);
    };
    await moveIdentity(openStore(path), LOCK, destination, HERE);
    expect(existsSync(path)).toBe(false);
    await (await destination.open()).transaction((transaction) => addContact(transaction, 'carol'));
  });

  it.each([
    ['write-failed', true],
    ['commit-unknown', false],
  ] as const)('is made anew after %s only where it is known that it was not made', async (code, goesOn) => {
    const { path, store } = await filled();
    const destination = new FileDestination();
    [destination.code, destination.fails] = [code, 'make'];
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.toMatchObject({ code });
    destination.fails = undefined;
    // No mark tells whether it was made, and has left from there since.
    const again = moveIdentity(openStore(path), LOCK, destination, HERE);
    if (goesOn) await again;
    else await expect(again).rejects.toMatchObject({ code: 'moving', detail: { path, wasThere: true } });
    expect([existsSync(path), existsSync(destination.path)]).toEqual([!goesOn, goesOn]);
  });

  it('is not made where its owner has ended the move meanwhile', async () => {
    const { path, store } = await filled();
    const destination = new FileDestination();
    const { createFrom } = destination;
    destination.createFrom = async (...given) => {
      const owner = openStore(path);
      owner.stay();
      await owner.transaction((transaction) => transaction.holdSessions());
      await createFrom.apply(destination, given);
    };
    await expect(moveIdentity(store, LOCK, destination, HERE)).rejects.toMatchObject({ code: 'moving' });
    expect([existsSync(path), existsSync(destination.path)]).toEqual([true, false]);
    await openStore(path).transaction(contactAlice);
  });

  it('is in one place, where two processes move it to two', async () => {
    const { path, store } = await filled();
    const second = openStore(path);
    const there = new FileDestination();
    const elsewhere = new FileDestination();
    const { open } = there;
    there.open = async () => {
      await expect(moveIdentity(second, LOCK, elsewhere, HERE)).rejects.toMatchObject({ code: 'moving' });
      return open.call(there);
    };
    await moveIdentity(store, LOCK, there, HERE);
    expect([path, there.path, elsewhere.path].map((one) => existsSync(one))).toEqual([false, true, false]);
  });

  it('stays where its owner says so, with every session held', async () => {
    const { path, store } = await filled();
    const other = openStore(path);
    await store.leaveBy(moveTo('/somewhere/else'));
    await expect(other.transaction(contactAlice)).rejects.toMatchObject({ code: 'moving' });
    expect(() => store.remove(moveTo('/somewhere').id)).toThrow(expect.objectContaining({ code: 'moving' }));
    const again = openStore(path);
    again.stay();
    await again.transaction((transaction) => transaction.holdSessions());
    await other.transaction(contactAlice);
    expect(openStore(path).move?.to).toBeUndefined();
  });

  it('that stays leaves by a later move, also while the process that had it stay goes on', async () => {
    const { path, store } = await filled();
    await store.leaveBy(moveTo('/somewhere/else'));
    const follower = openStore(path);
    follower.stay();
    await follower.transaction((transaction) => transaction.holdSessions());
    await openStore(path).leaveBy({ ...moveTo('/somewhere/else'), id: bytesOf('again', 16) });
    await expect(follower.transaction(contactAlice)).rejects.toMatchObject({ code: 'moving' });
    expect(openStore(path).move?.to).toBe('/somewhere/else');
  });

  it('is not made anew where it may be in use: by another machine, or when it was there', async () => {
    const marks = temporaryFolder();
    const path = newFile();
    await fill(openStore(path, 0, marks));
    const stuck = { code: 'moving', detail: { path, wasThere: true } };
    const destination = new FileDestination(marks);
    destination.fails = 'create';
    await expect(moveIdentity(openStore(path, 0, marks), LOCK, destination, HERE)).rejects.toBeInstanceOf(PawlError);
    destination.fails = undefined;
    const elsewhere = { ...HERE, host: 'elsewhere' };
    await expect(moveIdentity(openStore(path), LOCK, destination, elsewhere)).rejects.toMatchObject(stuck);

    destination.fails = 'open';
    await expect(moveIdentity(openStore(path, 0, marks), LOCK, destination, HERE)).rejects.toBeInstanceOf(PawlError);
    destination.fails = undefined;
    const put = join(temporaryFolder(), 'bob.db');
    renameSync(destination.path, put);
    await openStore(put, 0, marks).transaction((transaction) => addContact(transaction, 'carol'));
    await expect(moveIdentity(openStore(path, 0, marks), LOCK, destination, HERE)).rejects.toMatchObject(stuck);
    // Without any mark, this machine does not know either.
    const others = temporaryFolder();
    await expect(moveIdentity(openStore(path, 0, others), LOCK, destination, HERE)).rejects.toMatchObject(stuck);
    // Where it is there, another machine can end the move.
    renameSync(put, destination.path);
    await moveIdentity(openStore(path), LOCK, destination, elsewhere);
    expect(existsSync(path)).toBe(false);
  });

  it('replaces nothing: neither another identity, nor an older copy of it', async () => {
    const { path, store } = await filled();
    const other = new FileDestination();
    store.backup(other.path);
    await expect(moveIdentity(store, LOCK, other, HERE)).rejects.toMatchObject({ code: 'exists' });
    expect(store.move?.to).toBeUndefined();
    // As if it had come there after the move was begun.
    await store.leaveBy(moveTo(other.path));
    await expect(moveIdentity(openStore(path), LOCK, other, HERE)).rejects.toMatchObject({ code: 'exists' });
    expect(existsSync(path)).toBe(true);

    const stranger = new FileDestination();
    createFileFrom(stranger.path, NEW_LOCK, (to) =>
      to.run(
        "INSERT INTO identity (id, name, seed, public_key, created_at) VALUES (1, 'bob', zeroblob(32), zeroblob(32), 0)",
      ),
    );
    const another = await filled();
    await another.store.leaveBy(moveTo(stranger.path));
    await expect(moveIdentity(openStore(another.path), LOCK, stranger, HERE)).rejects.toMatchObject({ code: 'exists' });
    expect(existsSync(another.path)).toBe(true);
  });

  it('does not leave for two places', async () => {
    const { store } = await filled();
    await store.leaveBy(moveTo('/somewhere/else'));
    await expect(moveIdentity(store, LOCK, new FileDestination(), HERE)).rejects.toMatchObject({
      code: 'moving',
      detail: { to: '/somewhere/else' },
    });
  });
});
