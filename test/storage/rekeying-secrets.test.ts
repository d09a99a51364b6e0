import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decapsulate, type KemSecret, type KemSeed } from '../../src/primitives/index.ts';
import { type Encrypted, LIMITS, type RootKey } from '../../src/ratchet/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import { EAGER, type Party } from '../ratchet/party.ts';
import { Conversation, NOW } from './fixtures.ts';
import { KEY, newFile, openStore, SALT } from './folder.ts';
import { decryptedJournal, decryptedPages } from './pages.ts';

/** What must be gone once a KEM secret was mixed: all that it could be computed from, and itself. */
interface Secrets {
  readonly seed: KemSeed;
  readonly secret: KemSecret;
  readonly root: RootKey;
}

/** Which of the secrets show in `pages`, be it a sixteenth byte of one. */
function shownIn(pages: Buffer, secrets: Partial<Secrets>): string[] {
  return Object.entries(secrets).flatMap(([name, bytes]) => {
    const pieces = Array.from({ length: bytes.length / 16 }, (_, i) => bytes.subarray(i * 16, i * 16 + 16));
    return pieces.some((piece) => pages.includes(Buffer.from(piece))) ? [name] : [];
  });
}

function seedOf({ state }: Party): KemSeed {
  const { exchange } = state.rekeying;
  if (exchange.kind !== 'offered') throw new Error(`the exchange is ${exchange.kind}`);
  return exchange.seed.slice() as KemSeed;
}

function secretOf(answer: Encrypted, seed: KemSeed): KemSecret {
  if (answer.header.kem?.kind !== 'answer') throw new Error('an answer');
  return decapsulate(seed, answer.header.kem.ciphertext);
}

/** Bob’s file; bob has offered a KEM key with the chain of his first answer. */
async function offered() {
  const path = newFile();
  const store = openStore(path);
  const conversation = await Conversation.begin(store, LIMITS, 'alice', EAGER);
  await conversation.turn();
  return { path, store, conversation };
}

describe('after a mix', () => {
  it('the seed, the secret and the root key before are in no page of the file of the one who offered', async () => {
    const { path, conversation } = await offered();
    const { alice, bob } = conversation;
    const [seed, root] = [seedOf(bob), bob.state.rootKey.slice() as RootKey];
    const answer = alice.send('an answer');
    const secrets = { seed, root, secret: secretOf(answer, seed) };
    expect(shownIn(decryptedPages(path, KEY), secrets)).toEqual(['seed', 'root']);

    await conversation.receive(answer);
    expect(bob.state.rekeying.mixed.step).toBe(3);
    expect(existsSync(`${path}-journal`)).toBe(false);
    expect(shownIn(decryptedPages(path, KEY), secrets)).toEqual([]);
    expect(shownIn(decryptedPages(path, KEY), { root: bob.state.rootKey })).toEqual(['root']);
  });

  it('nor are secret and root key in that of the one who answered', async () => {
    const path = newFile();
    const conversation = await Conversation.begin(openStore(path), LIMITS, 'alice');
    const { alice, bob } = conversation;
    await conversation.turn();
    alice.now += EAGER.offerAfter;
    await conversation.receive(alice.send('an offer'));
    const [seed, root] = [seedOf(alice), bob.state.rootKey.slice() as RootKey];
    expect(shownIn(decryptedPages(path, KEY), { root })).toEqual(['root']);

    const answer = await conversation.send();
    expect(bob.state.rekeying.mixed.step).toBe(4);
    expect(shownIn(decryptedPages(path, KEY), { seed, root, secret: secretOf(answer, seed) })).toEqual([]);
  });

  it('the secret was in no journal either, and what is gone stays out of those to come', async () => {
    const { path, store, conversation } = await offered();
    const { alice, bob, session } = conversation;
    const [seed, root] = [seedOf(bob), bob.state.rootKey.slice() as RootKey];
    const answer = alice.send('an answer');
    const secrets = { seed, root, secret: secretOf(answer, seed) };

    /** What the journal of a commit shows that saves one more message. */
    const journalOf = (sent: Encrypted) =>
      store.transaction(async (transaction) => {
        const { step } = bob.accept(sent);
        await transaction.saveReceived(session, [{ step, digest: sent.id }], NOW, LIMITS);
        return shownIn(decryptedJournal(path, KEY), secrets);
      });
    // Until its commit, the step can be undone: so much the journal must hold, and it goes with the commit.
    expect(await journalOf(answer)).toEqual(['seed', 'root']);
    expect(existsSync(`${path}-journal`)).toBe(false);
    expect(await journalOf(alice.send('and on'))).toEqual([]);
    alice.read(await conversation.send());
    expect(await journalOf(alice.send('and on'))).toEqual([]);
  });

  it('they would be found where they were not overwritten, or not dropped', async () => {
    for (const sql of [
      // As SQLite does it by itself.
      "PRAGMA secure_delete = OFF; UPDATE sessions SET kem_exchange = 'idle', kem_seed = NULL, sending_kem = NULL",
      // As a step would that forgot the column.
      'PRAGMA secure_delete = ON; UPDATE sessions SET kem_mixed_step = 3, sending_kem = NULL',
    ]) {
      const { path, store, conversation } = await offered();
      const seed = seedOf(conversation.bob);
      store.close();
      const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
      onTestFinished(() => connection.close());
      connection.execute(sql);
      expect(shownIn(decryptedPages(path, KEY), { seed })).toEqual(['seed']);
    }
  });
});
