import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemRandom } from '../../../src/primitives/index.ts';
import type { Transaction } from '../../../src/session/store.ts';
import type { PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import { RowKeys } from '../../../src/storage/postgres/row-keys.ts';
import { Rows } from '../../../src/storage/postgres/rows.ts';
import { ServerClient } from '../../../src/storage/postgres/server-client.ts';
import type { Statement } from '../../../src/storage/postgres/statement.ts';
import { TABLES, tableNamed } from '../../../src/storage/postgres/tables.ts';
import { WorkingSet } from '../../../src/storage/postgres/working-set.ts';
import { contactAlice, fill } from '../contents.ts';
import { addContact, bytesOf, HEAD, inviteFor, NOW, partRecord } from '../fixtures.ts';
import { LOCK } from '../folder.ts';
import { noServer, PostgresServer } from './server.ts';

const KEYED = /key = ANY/;
const LOOK_UP = /lookup = /;
const CONTENTS = /r\.content/;
const EVERY_TABLE = TABLES.map(({ name }) => name);

/** Has the server leave rows out of its answers. @param statement of which. */
function hide(tables: readonly string[], statement: RegExp): void {
  const kinds = tables.map((name) => tableNamed(name).kind);
  const isLeftOut = (row: readonly unknown[]) => kinds.some((kind) => kind === row[0]);
  const run = ServerClient.prototype.run;
  const spy = vi.spyOn(ServerClient.prototype, 'run').mockImplementation(async function (
    this: ServerClient,
    ...statements: readonly Statement[]
  ) {
    const answers = await run.apply(this, [...statements]);
    return answers.map((answer, index) => {
      const { text = '' } = statements[index] ?? {};
      const isMeant = text.includes('pawl.rows') && statement.test(text);
      return isMeant ? { ...answer, rows: answer.rows.filter((row) => !isLeftOut(row)) } : answer;
    });
  });
  onTestFinished(() => spy.mockRestore());
}

async function idsIn(view: Transaction) {
  const contact = await contactAlice(view);
  const idOf = <Id>(rows: readonly { readonly id: Id }[], at = 0) => rows[at]?.id ?? expect.fail('it is there');
  return {
    contact,
    session: idOf(await view.sessions(contact)),
    out: idOf(await view.outbox()),
    text: idOf(await view.inbox()),
    shortText: idOf(await view.inbox(), 1),
    incoming: idOf(await view.incoming()),
    outgoing: idOf(await view.outgoing()),
  };
}

describe.skipIf(noServer !== undefined)('PostgreSQL: rows that the server hides', () => {
  let server: PostgresServer;
  let name: string;
  let ids: Awaited<ReturnType<typeof idsIn>>;
  let store: PostgresStore;

  beforeAll(async () => {
    server = new PostgresServer();
    name = await server.create();
    const first = await server.open(name);
    await fill(first);
    await first.transaction((transaction) => addContact(transaction, 'carol'));
    ids = await first.snapshot(idsIn);
    await first.close();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    store = await server.open(name);
    onTestFinished(() => store.close());
  });

  /** Runs `work`, and lets nothing of it be committed. */
  const tried = (work: (transaction: Transaction) => Promise<unknown>) =>
    store
      .transaction(async (transaction) => {
        throw { result: await work(transaction) };
      })
      .catch((thrown) => {
        if ('result' in thrown) return thrown.result;
        throw thrown;
      });

  const OPERATIONS: Readonly<Record<string, (transaction: Transaction) => Promise<unknown>>> = {
    contact: (transaction) => transaction.contact(ids.contact),
    dropContact: (transaction) => transaction.dropContact(ids.contact),
    sessions: (transaction) => transaction.sessions(ids.contact),
    holdSessions: (transaction) => transaction.holdSessions(ids.contact),
    acknowledgeForks: (transaction) => transaction.acknowledgeForks(ids.contact, NOW),
    waitingOf: (transaction) => transaction.waitingOf(ids.contact, 'process-7'),
    session: (transaction) => transaction.session(ids.session),
    missingMessages: (transaction) => transaction.missingMessages(ids.session),
    dropSession: (transaction) => transaction.dropSession(ids.session),
    envelope: (transaction) => transaction.envelope(ids.out),
    dropFromOutbox: (transaction) => transaction.dropFromOutbox([ids.out]),
    inboxEntry: (transaction) => transaction.inboxEntry(ids.text),
    inboxContent: (transaction) => transaction.inboxContent(ids.text),
    'inboxContent of a short text': (transaction) => transaction.inboxContent(ids.shortText),
    handOver: (transaction) => transaction.handOver(ids.text, 'process-7', undefined, NOW),
    dropFromInbox: (transaction) => transaction.dropFromInbox([ids.text]),
    receivedParts: (transaction) => transaction.receivedParts(ids.incoming),
    addReceivedParts: (transaction) => transaction.addReceivedParts(ids.incoming, [partRecord(0)]),
    dropReceivedParts: (transaction) => transaction.dropReceivedParts(ids.incoming),
    dropIncoming: (transaction) => transaction.dropIncoming(ids.incoming),
    dropOutgoing: (transaction) => transaction.dropOutgoing(ids.outgoing),
  };
  const all = Object.entries(OPERATIONS);

  it.each(all)('are missed where nothing answers a read by key: %s', async (_, operation) => {
    hide(EVERY_TABLE, KEYED);
    await expect(tried(operation)).rejects.toMatchObject({ code: 'rolled-back' });
  });

  const BELOW_CONTACTS = Object.entries(OPERATIONS).filter(([operation]) => !/ontact$/.test(operation));

  it.each(BELOW_CONTACTS)('are missed where the contact is known: %s', async (_, operation) => {
    hide(EVERY_TABLE, KEYED);
    const next = tried(async (transaction) => {
      await transaction.contacts();
      return operation(transaction);
    });
    await expect(next).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it.each([
    ['sessions', 'sessions'],
    ['missingMessages', 'receiving_chains'],
    ['missingMessages', 'skipped_keys'],
    ['sessions', 'routes'],
    ['waitingOf', 'inbox'],
    ['receivedParts', 'incoming_parts'],
    ['addReceivedParts', 'incoming_parts'],
    ['dropReceivedParts', 'incoming_parts'],
    ['envelope', 'outbox_rest'],
    ['inboxContent', 'inbox_rest'],
  ])('are missed below those that are there: %s, without %s', async (operation, table) => {
    const below = ['sessions', 'receiving_chains', 'skipped_keys'];
    hide(below.includes(table) ? below.slice(below.indexOf(table)) : [table], KEYED);
    await expect(tried(OPERATIONS[operation] ?? expect.fail(operation))).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it('are missed where a session comes without what else its contact has', async () => {
    hide(['contacts', 'routes'], KEYED);
    const next = tried(async (transaction) => {
      await transaction.contacts();
      return transaction.session(ids.session);
    });
    await expect(next).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it.each(['outbox', 'outbox_rest', 'inbox', 'inbox_rest'])('do not empty what is known of %s', async (table) => {
    await store.snapshot(async (view) => {
      await view.outbox();
      await view.inbox();
    });
    hide([table], CONTENTS);
    const reading = table.startsWith('outbox') ? OPERATIONS.envelope : OPERATIONS.inboxContent;
    await expect(store.snapshot(reading ?? expect.fail())).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it.each(['outbox', 'inbox'])('do not empty what is copied of %s', async (table) => {
    await store.snapshot(async (view) => {
      await view.outbox();
      await view.inbox();
    });
    hide([table], CONTENTS);
    await expect(store.copy()).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it.each([
    ['all', EVERY_TABLE],
    ['those below', ['sessions', 'receiving_chains', 'skipped_keys', 'routes', 'ledger']],
  ])('are found where a look-up does not bring %s', async (_, tables) => {
    hide(tables, LOOK_UP);
    await store.snapshot(async (view) => {
      for (let time = 0; time < 2; time++) {
        const alice = await view.contactNamed('alice');
        expect(alice?.id).toBe(ids.contact);
        expect(await view.contactOf(alice?.identity ?? expect.fail())).toEqual(alice);
        expect(await view.invite(inviteFor('for-carol').id)).toBeDefined();
        expect(await view.sessions(ids.contact)).toHaveLength(1);
        expect(await view.missingMessages(ids.session)).not.toHaveLength(0);
      }
    });
  });

  it('are missed where neither a look-up nor a key brings what is below', async () => {
    hide(['sessions', 'receiving_chains', 'skipped_keys'], /lookup = |key = ANY/);
    await expect(store.snapshot((view) => view.contactNamed('alice'))).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it('are gone with a row above them that was dropped', async () => {
    expect(
      await tried(async (transaction) => {
        await transaction.dropContact(ids.contact);
        return [
          await transaction.inboxEntry(ids.text),
          await transaction.envelope(ids.out),
          await transaction.inboxContent(ids.text),
          await transaction.dropIncoming(ids.incoming),
          await transaction.sessions(ids.contact),
          await transaction.waitingOf(ids.contact, 'process-7'),
          await transaction.inbox(),
          await transaction.findEntry(() => true),
          await transaction.lists(),
        ];
      }),
    ).toEqual([undefined, undefined, undefined, false, [], { texts: 0, bytes: 0 }, [], undefined, []]);
  });

  it('are gone after the commit as well', async () => {
    const another = await server.create();
    const first = await server.open(another);
    await fill(first);
    await first.close();
    const other = await server.open(another);
    onTestFinished(() => other.close());
    const { contact, out, text, shortText, session } = await other.snapshot(idsIn);
    for (let time = 0; time < 2; time++)
      await other.transaction((transaction) => transaction.dropFromInbox([shortText]));
    await other.transaction((transaction) => transaction.dropContact(contact));
    await other.transaction(async (transaction) => {
      expect(await transaction.inboxEntry(text)).toBeUndefined();
      expect(await transaction.envelope(out)).toBeUndefined();
      await transaction.dropFromInbox([text]);
      await expect(transaction.session(session)).rejects.toThrow('session');
      expect(await transaction.contactNamed('alice')).toBeUndefined();
      await transaction.setList('a list', []);
    });
  });

  it('cost nothing where none are hidden', async () => {
    const spy = vi.spyOn(ServerClient.prototype, 'run');
    onTestFinished(() => spy.mockRestore());
    const trips = async (work: () => Promise<unknown>) => {
      const before = spy.mock.calls.length;
      await work();
      return spy.mock.calls.length - before;
    };
    const counted = await tried(async (transaction) => {
      const { out, text, contact, session, incoming } = ids;
      const none = (out + 999) as typeof out;
      const times = { receivedAt: NOW, claimedAt: NOW };
      const entry = {
        contact,
        messageId: bytesOf('id', 16),
        process: 'process-7',
        n: 0,
        late: false,
        head: HEAD,
        ...times,
      };
      const works: readonly (readonly [number, () => Promise<unknown>])[] = [
        [1, () => transaction.contactNamed('alice')],
        [0, () => transaction.sessions(contact)],
        [0, () => transaction.missingMessages(session)],
        [0, async () => transaction.inboxEntry(await transaction.addToInbox(entry, bytesOf('new', 9)))],
        [1, () => transaction.inboxEntry(text)],
        [1, () => transaction.inboxContent(text)],
        [0, () => transaction.inboxContent(text)],
        [0, () => transaction.handOver(text, 'process-7', undefined, NOW)],
        [1, () => transaction.envelope(out)],
        [0, () => transaction.dropFromOutbox([out])],
        [1, () => transaction.receivedParts(incoming)],
        [0, () => transaction.addReceivedParts(incoming, [partRecord(1)])],
        // What is not there is asked for, and then the lists that it could be in.
        [2, () => transaction.dropFromOutbox([none])],
        [0, () => transaction.dropFromOutbox([none])],
        [0, () => transaction.contactNamed('nobody')],
        [0, () => transaction.findEntry(() => false)],
        [1, () => transaction.waitingOf(contact, 'process-7')],
        [0, () => transaction.inbox()],
        [0, () => transaction.lastNumber('never')],
        [1, () => transaction.dropSpentBox(bytesOf('no box', 16))],
        [1, () => transaction.history({ contact, limit: 10 })],
        [0, () => transaction.history({ contact, limit: 10 })],
        [1, () => transaction.leftEntries()],
        [0, () => transaction.leftEntries(bytesOf('box', 16))],
      ];
      const found: (readonly [number, number])[] = [];
      for (const [expected, work] of works) found.push([expected, await trips(work)]);
      return found;
    });
    expect(counted.map(([, count]: readonly number[]) => count)).toEqual(
      counted.map(([expected]: readonly number[]) => expected),
    );
  });
});

it('believes in no row that is not there, before the row is known that would list it', async () => {
  const set = new WorkingSet('somewhere');
  onTestFinished(() => set.close());
  const keys = new RowKeys(LOCK, systemRandom);
  const roots = new Map([['1 1', bytesOf('commit', 16)]]);
  const rows = new Rows(set, { identity: '1', keys, roots, read: async () => [[]] });
  await expect(rows.find(tableNamed('incoming_parts'), [[1, 0]])).rejects.toMatchObject({ code: 'rolled-back' });
});
