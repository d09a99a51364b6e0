import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/primitives/index.ts';
import { LIMITS } from '../../src/ratchet/index.ts';
import { at, meet } from '../ratchet/party.ts';
import { addContact, bytesOf, Conversation, HEAD, identityOf, inviteFor, NOW, opening } from './fixtures.ts';
import { KEY, newFile, openStore } from './folder.ts';
import { decryptedPages } from './pages.ts';

function fileWithStore() {
  const path = newFile();
  /** Which of the secrets a thief of file and key would find, somewhere in its pages. */
  const found = (secrets: Readonly<Record<string, Uint8Array>>): string[] => {
    const pages = decryptedPages(path, KEY);
    return Object.entries(secrets).flatMap(([name, bytes]) => (pages.includes(Buffer.from(bytes)) ? [name] : []));
  };
  return { path, store: openStore(path), found };
}

describe('what is deleted', () => {
  it('is overwritten: texts and envelopes, large and small', async () => {
    const { store, found } = fileWithStore();
    const secrets = Object.fromEntries([20, 300, 5_000, 100_000].map((size) => [size, bytesOf(`text ${size}`, size)]));
    await store.transaction(async (transaction) => {
      const entry = { contact: await addContact(transaction, 'alice'), messageId: bytesOf('id', 16), process: 'p' };
      for (const bytes of Object.values(secrets)) {
        await transaction.addToOutbox({ box: undefined, ...entry, envelope: bytes, createdAt: NOW });
        await transaction.addToInbox(
          { ...entry, head: HEAD, n: 0, late: false, receivedAt: NOW, claimedAt: NOW },
          bytes,
        );
      }
    });
    // Of a large text, the first part of what is in one page.
    const starts = Object.fromEntries(Object.entries(secrets).map(([name, bytes]) => [name, bytes.subarray(0, 20)]));
    expect(found(starts)).toEqual(['20', '300', '5000', '100000']);
    await store.transaction(async (transaction) => {
      await transaction.dropFromOutbox((await transaction.outbox()).map(({ id }) => id));
    });
    expect(found(starts)).toEqual(['20', '300', '5000', '100000']);
    await store.transaction(async (transaction) => {
      await transaction.dropFromInbox((await transaction.inbox()).map(({ id }) => id));
    });
    const parts = Object.values(secrets).flatMap((bytes) =>
      Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, i) => bytes.subarray(i * 1_000, i * 1_000 + 20)),
    );
    expect(found(Object.fromEntries(parts.entries()))).toEqual([]);
  });

  it.each(['swept', 'of a contact that is forgotten'])(
    'is overwritten: texts of the history that are %s',
    async (way) => {
      const { store, found } = fileWithStore();
      const text = (size: number, part: number) => `${bytesOf(`${size} ${part}`, 10).join('-')} `.padEnd(1_000, '.');
      const texts = Object.fromEntries(
        [1, 5, 60].map((size) => [size, Array.from({ length: size }, (_, part) => text(size, part))]),
      );
      const contact = await store.transaction(async (transaction) => {
        const id = await addContact(transaction, 'alice');
        const entry = {
          contact: id,
          direction: 'sent',
          messageId: bytesOf('id', 16),
          n: 0,
          at: NOW,
          sentAt: NOW,
        } as const;
        for (const parts of Object.values(texts)) {
          await transaction.addToHistory({ ...entry, content: { kind: 'text', text: parts.join('') } });
        }
        return id;
      });
      const starts = Object.fromEntries(
        Object.entries(texts).map(([size, [part = '']]) => [size, utf8(part.slice(0, 20))]),
      );
      expect(found(starts)).toEqual(['1', '5', '60']);
      await store.transaction(async (transaction) => {
        if (way === 'swept') expect(await transaction.sweepHistory(NOW + 1)).toBe(3);
        else await transaction.dropContact(contact);
      });
      const parts = Object.values(texts).flatMap((all) => all.map((part) => utf8(part.slice(0, 20))));
      expect(found(Object.fromEntries(parts.entries()))).toEqual([]);
    },
  );

  it('is overwritten: skipped keys that were used, swept or dropped', async () => {
    const { store, found } = fileWithStore();
    const conversation = await Conversation.begin(store, { ...LIMITS, keptKeys: 150 });
    const sent = conversation.alice.sendMany(202);
    await conversation.receive(at(sent, 100));
    const early = keysOf(conversation);
    expect(found(early)).toHaveLength(100);
    for (let n = 0; n < 100; n += 3) await conversation.receive(at(sent, n));
    expect(found(early)).toHaveLength(66);
    await conversation.receive(at(sent, 201));
    const late = keysOf(conversation);
    expect(Object.keys(late)).toHaveLength(150);
    expect(found(late)).toHaveLength(150);
    expect(found(early)).toHaveLength(50);
    await store.transaction((transaction) => transaction.sweepSkippedKeys(NOW + 1));
    expect(found({ ...early, ...late })).toEqual([]);
  });

  it('is overwritten: states that were left behind, and sessions', async () => {
    const { store, found } = fileWithStore();
    const conversation = await Conversation.begin(store);
    const past: Record<string, Uint8Array> = {};
    for (let turn = 0; turn < 4; turn++) {
      const { rootKey, sending, receiving } = conversation.bob.state;
      past[`root key ${turn}`] = rootKey;
      if (sending.kind === 'chain') past[`sending chain ${turn}`] = sending.chainKey;
      if (receiving.kind === 'chain') past[`receiving chain ${turn}`] = receiving.chainKey;
      if (sending.kind !== 'due') past[`secret key ${turn}`] = sending.self.secretKey;
      await conversation.turn({ sends: 3 });
    }
    expect(found(past)).toEqual([]);
    const { rootKey, nextReceiving, nextSending } = conversation.bob.state;
    const present = { rootKey, ...nextReceiving, next: nextSending.header, ...keysOf(conversation) };
    expect(found(present)).toEqual(Object.keys(present));
    await store.transaction((transaction) => transaction.dropSession(conversation.session));
    expect(found(present)).toEqual([]);
  });

  it.each(['spent', 'withdrawn'])(
    'is overwritten: the secrets of an invite that is %s, and a prefix',
    async (fateOfIt) => {
      const { store, found } = fileWithStore();
      const { id, fate, ...invite } = inviteFor('alice');
      if (fate.kind !== 'open') throw new Error('an open invite');
      const { prekey, kemSeed } = fate.secrets;
      const secrets = {
        prekey: prekey.secretKey,
        kemSeed,
        bytes: fate.bytes,
        prefix: bytesOf('prefix of opening', 1208),
      };
      const session = await store.transaction(async (transaction) => {
        await transaction.addInvite({ id, fate, ...invite });
        const contact = await addContact(transaction, 'carol');
        return transaction.addSession(opening(contact), meet().alice.state);
      });
      expect(found(secrets)).toEqual(Object.keys(secrets));
      await store.transaction(async (transaction) => {
        if (fateOfIt === 'spent') await transaction.spendInvite(id, identityOf('mallory'), NOW);
        else await transaction.withdrawInvite(id, NOW);
        await transaction.answerSession(session);
      });
      expect(found(secrets)).toEqual([]);
    },
  );
});

describe('the file', () => {
  it('shrinks when large texts have gone, wherever they stood', async () => {
    const { path, store } = fileWithStore();
    const contact = await store.transaction((transaction) => addContact(transaction, 'alice'));
    const before = statSync(path).size;
    for (let i = 0; i < 3; i++) {
      const entry = { contact, messageId: bytesOf('id', 16), process: 'p', createdAt: NOW };
      const large = await store.transaction((transaction) =>
        transaction.addToOutbox({ box: undefined, ...entry, envelope: bytesOf('large', 2_000_000) }),
      );
      const small = await store.transaction((transaction) =>
        transaction.addToOutbox({ box: undefined, ...entry, envelope: bytesOf('small', 9_000) }),
      );
      expect(statSync(path).size).toBeGreaterThan(2_000_000);
      await store.transaction((transaction) => transaction.dropFromOutbox([large]));
      expect(statSync(path).size).toBeLessThan(before + 100_000);
      await store.transaction((transaction) => transaction.dropFromOutbox([small]));
    }
    // Up to 256 KiB stay for what comes next.
    expect(statSync(path).size).toBeLessThan(before + 256 * 1024 + 50_000);
  });
});

function keysOf({ bob }: Conversation): Record<string, Uint8Array> {
  return Object.fromEntries(bob.keeper.skipped.map(({ chain, n, messageKey }) => [`${chain}/${n}`, messageKey]));
}
