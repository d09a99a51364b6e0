import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../src/ratchet/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import { EAGER } from '../ratchet/party.ts';
import { addContact, bytesOf, Conversation, inviteFor, NOW, opened, opening } from './fixtures.ts';
import { KEY, newFile, openStore, SALT } from './folder.ts';
import { refusal } from './refusals.ts';

/** A file with a row of most kinds, and a connection that can write anything into it. */
async function filled(): Promise<Connection> {
  const path = newFile();
  const store = openStore(path);
  const conversation = await Conversation.begin(store, LIMITS, 'alice', EAGER);
  for (let turn = 0; turn < 3; turn++) await conversation.turn({ sends: 2 });
  await store.transaction(async (transaction) => {
    const contact = await addContact(transaction, 'carol');
    await transaction.addSession(opening(contact), conversation.alice.state);
    await transaction.addSession(opened(contact, 'another'), conversation.bob.state);
    await transaction.addInvite(inviteFor('carol'));
    await transaction.setList('ops', [contact]);
    await transaction.setHistorySetting({ since: NOW, maxAge: 1 });
    const entry = { contact, direction: 'sent', messageId: bytesOf('id', 16), n: 0, at: NOW, sentAt: NOW } as const;
    await transaction.addToHistory({ ...entry, content: { kind: 'text', text: 'hi' } });
    await transaction.addToHistory({ ...entry, content: { kind: 'file', name: 'photo.jpg', length: 0 } });
    await transaction.addToHistory({ ...entry, content: { kind: 'bytes', length: 0 } });
  });
  const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
  onTestFinished(() => connection.close());
  return connection;
}

/** Each leaves a row behind that the types of the stores have no value for. */
const IMPOSSIBLE = {
  'a second identity':
    'INSERT INTO identity (id, name, seed, public_key, created_at) SELECT 2, name, seed, public_key, created_at FROM identity',
  'an open invite without its secret': 'UPDATE invites SET kem_seed = NULL',
  'an open invite that was spent': 'UPDATE invites SET spent_at = 1',
  'a spent invite with its secrets': "UPDATE invites SET fate = 'spent', spent_by = zeroblob(32), spent_at = 1",
  'a reusable invite that was spent':
    "UPDATE invites SET last_user = 1, fate = 'spent', bytes = NULL, prekey_public_key = NULL, prekey_secret_key = NULL, kem_seed = NULL, spent_by = zeroblob(32), spent_at = 1",
  'an invite of less than no users': 'UPDATE invites SET last_user = -1',
  'an invite with numbers above less than none': 'UPDATE invites SET numbers_after = -1',
  'a last number of nothing': "INSERT INTO numbers VALUES ('friends', 0)",
  'an open invite that was withdrawn': 'UPDATE invites SET withdrawn_at = 1',
  'an acknowledgement of no fork': 'UPDATE sessions SET fork_acknowledged_at = 1',
  'an opening by no invite': 'INSERT INTO ledger VALUES (zeroblob(16), 77)',
  'a short digest of an opening': 'INSERT INTO ledger SELECT zeroblob(15), number FROM invites',
  'an invite with another fate': "UPDATE invites SET fate = 'lost'",
  'a short invite': 'UPDATE contacts SET invite = zeroblob(1320)',
  'a short identity': 'UPDATE contacts SET identity = zeroblob(31)',
  'a session of nobody': 'UPDATE sessions SET contact_id = 99',
  'a session that nobody opened': "UPDATE sessions SET role = 'both'",
  'an opening that is their own': "UPDATE sessions SET role = 'responder'",
  'an identity of no generation': 'UPDATE identity SET generation = NULL',
  'a session that is half held': 'UPDATE sessions SET held = 2',
  'a fork without a time': "UPDATE sessions SET fork_reason = 'two-keys-in-one-chain'",
  'a sending chain without its key': "UPDATE sessions SET sending_chain_key = NULL WHERE sending = 'chain'",
  'a chain that is due and begun': "UPDATE sessions SET sending = 'due' WHERE sending = 'chain'",
  'another way of sending': "UPDATE sessions SET sending = 'over'",
  'a position beyond four bytes': "UPDATE sessions SET sending_n = 4294967296 WHERE sending = 'chain'",
  'an exchange of another kind': "UPDATE sessions SET kem_exchange = 'asked'",
  'an exchange without a kind': 'UPDATE sessions SET kem_exchange = NULL',
  'an offer without its seed': "UPDATE sessions SET kem_seed = NULL WHERE kem_exchange = 'offered'",
  'a seed after the mix': "UPDATE sessions SET kem_exchange = 'idle' WHERE kem_exchange = 'offered'",
  'an answer owed to no key': "UPDATE sessions SET kem_owed = NULL WHERE kem_exchange = 'owed'",
  'a key after the answer': "UPDATE sessions SET kem_exchange = 'idle' WHERE kem_exchange = 'owed'",
  'an exchange in both directions': "UPDATE sessions SET kem_seed = zeroblob(64) WHERE kem_exchange = 'owed'",
  'a short KEM seed': "UPDATE sessions SET kem_seed = zeroblob(63) WHERE kem_exchange = 'offered'",
  'a short KEM key': "UPDATE sessions SET kem_owed = zeroblob(1183) WHERE kem_exchange = 'owed'",
  'a KEM field of no known length': "UPDATE sessions SET sending_kem = zeroblob(1185) WHERE sending = 'chain'",
  'a KEM field of no chain': "UPDATE sessions SET sending_kem = zeroblob(1184) WHERE sending = 'due'",
  'a session that never mixed a KEM secret': 'UPDATE sessions SET kem_mixed_step = NULL',
  'a mix without a time': 'UPDATE sessions SET kem_mixed_at = NULL',
  'a finished chain that goes on': "UPDATE receiving_chains SET n = 1 WHERE state = 'finished'",
  'a finished chain without an end': "UPDATE receiving_chains SET length = NULL WHERE state = 'finished'",
  'a next chain that has begun': "UPDATE receiving_chains SET remote = zeroblob(32) WHERE state = 'next'",
  'two current chains': "UPDATE receiving_chains SET state = 'current', chain_key = zeroblob(32), n = 0, length = NULL",
  'a short header key': 'UPDATE receiving_chains SET header_key = zeroblob(33)',
  'a key of no chain': 'UPDATE skipped_keys SET chain = 77',
  'a short message key': 'UPDATE skipped_keys SET message_key = zeroblob(31)',
  'text for a key': "UPDATE skipped_keys SET message_key = 'a text of thirty-two characters.'",
  'a digest of no chain': 'UPDATE accepted SET chain = 77',
  'a time to keep texts for, while none are kept': 'UPDATE identity SET history_since = NULL',
  'texts that are kept for no time': 'UPDATE identity SET history_for = 0',
  'a text that went neither way': "UPDATE history SET direction = 'lost'",
  'a text of nobody': 'UPDATE history SET contact_id = 99',
  'a text of another kind': "UPDATE history SET kind = 'image'",
  'a text without itself': "UPDATE history SET text = NULL WHERE kind = 'text'",
  'a text that is too long': "UPDATE history SET text = printf('%.*c', 65537, 'x') WHERE kind = 'text'",
  'a text that is too long in bytes':
    "UPDATE history SET text = replace(printf('%.*c', 32769, 'x'), 'x', 'é') WHERE kind = 'text'",
  'a text with a length': "UPDATE history SET length = 2 WHERE kind = 'text'",
  'a file without a name': "UPDATE history SET file_name = NULL WHERE kind = 'file'",
  'a file that is kept': "UPDATE history SET text = 'hi' WHERE kind = 'file'",
  'bytes of no length': "UPDATE history SET length = NULL WHERE kind = 'bytes'",
  'bytes of less than none': "UPDATE history SET length = -1 WHERE kind = 'bytes'",
  'bytes that are kept': "UPDATE history SET text = 'hi' WHERE kind = 'bytes'",
  'a list of nobody': "INSERT INTO list_members VALUES ('ops', 99)",
  'a contact twice in a list': 'INSERT INTO list_members SELECT * FROM list_members',
  'bytes with a name': "UPDATE history SET file_name = 'hi' WHERE kind = 'bytes'",
};

describe('the schema', () => {
  it.each(Object.entries(IMPOSSIBLE))('refuses %s', async (_, sql) => {
    const connection = await filled();
    expect(() => connection.execute(sql)).toThrow(/constraint failed|cannot store/);
  });

  it('lets a contact go with all that is theirs', async () => {
    const connection = await filled();
    connection.execute('DELETE FROM contacts');
    for (const table of [
      'sessions',
      'receiving_chains',
      'skipped_keys',
      'accepted',
      'outbox',
      'outbox_rest',
      'inbox',
      'inbox_rest',
      'history',
      'list_members',
    ]) {
      expect(connection.all(`SELECT 1 FROM ${table}`)).toEqual([]);
    }
  });
});

describe('the database', () => {
  it('tells a full disk from everything else', async () => {
    const connection = await filled();
    const pages = connection.get<{ page_count: number }>('PRAGMA page_count')?.page_count;
    connection.execute(`PRAGMA max_page_count = ${pages}`);
    const error = await refusal(() => connection.execute('CREATE TABLE filler AS SELECT zeroblob(1000000)'));
    expect([error.code, error.detail]).toMatchObject(['write-failed', { reason: 'no space left on device' }]);
  });
});
