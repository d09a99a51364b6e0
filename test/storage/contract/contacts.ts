import { expect, it } from 'vitest';
import type { ContactId } from '../../../src/session/store.ts';
import { addContact, bytesOf, identityOf, type MakeStore, NOW } from '../fixtures.ts';

export function contacts(make: MakeStore): void {
  it('knows the identity that it was made with', async () => {
    const { store, identity } = make();
    expect(await store.snapshot((view) => view.ownIdentity())).toEqual(identity);
  });

  it('finds a contact by id, name and identity', async () => {
    const { store } = make();
    const invite = { bytes: bytesOf('invite', 1321), addedAt: NOW };
    const given = { name: 'alice', identity: identityOf('alice'), addedAt: NOW, invite };
    await store.transaction(async (transaction) => {
      const id = await transaction.addContact(given);
      const alice = { id, ...given, verifiedAt: undefined };
      expect(await transaction.contact(id)).toEqual(alice);
      expect(await transaction.contactNamed('alice')).toEqual(alice);
      expect(await transaction.contactOf(identityOf('alice'))).toEqual(alice);
    });
  });

  it('knows nobody else', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      expect(await transaction.contactNamed('carol')).toBeUndefined();
      expect(await transaction.contactOf(identityOf('carol'))).toBeUndefined();
      await expect(transaction.contact(99 as ContactId)).rejects.toThrow('contact');
      await expect(transaction.setContactInvite(99 as ContactId, undefined)).rejects.toThrow('contact');
    });
  });

  it('lists contacts by name', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      for (const name of ['dave', 'alice', 'alice-2', 'alice.1', 'al']) await addContact(transaction, name);
      const names = (await transaction.contacts()).map(({ name }) => name);
      expect(names).toEqual(['al', 'alice', 'alice-2', 'alice.1', 'dave']);
    });
  });

  it('has one contact of a name, and one of an identity', async () => {
    const { store } = make();
    await store.transaction((transaction) => addContact(transaction, 'alice'));
    for (const [name, of] of [
      ['alice', 'carol'],
      ['carol', 'alice'],
    ] as const) {
      const contact = { name, identity: identityOf(of), addedAt: NOW, invite: undefined };
      await expect(store.transaction((transaction) => transaction.addContact(contact))).rejects.toThrow();
    }
  });

  it('keeps an invite of theirs until it is taken away', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const id = await addContact(transaction, 'alice');
      const carol = await addContact(transaction, 'carol');
      const invite = { bytes: bytesOf('another', 1321), addedAt: NOW + 1 };
      await transaction.setContactInvite(id, invite);
      expect((await transaction.contact(id)).invite).toEqual(invite);
      expect((await transaction.contact(carol)).invite).toBeUndefined();
      await transaction.setContactInvite(id, undefined);
      expect((await transaction.contact(id)).invite).toBeUndefined();
    });
  });
}
