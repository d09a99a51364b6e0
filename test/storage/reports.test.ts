import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type Context,
  contactReports,
  historyReport,
  identityReport,
  listOutbox,
  log,
  readEnvelope,
} from '../../src/session/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import type { Parameters } from '../../src/storage/statements.ts';
import { bytesOf, freshState, HEAD, identityOf, NOW, opened, record } from './fixtures.ts';
import { KEY, newFile, openStore, SALT } from './folder.ts';
import { MemoryStore } from './memory/index.ts';

const contextOf = (store: Context['store']): Context => ({
  store,
  random: () => new Uint8Array(0),
  now: () => NOW,
  process: 'here',
  isRunning: (process) => process === 'running',
});

/** A context whose identity knows that many contacts, each with sessions, envelopes, texts and kept texts. */
async function known(contacts: number, store: Context['store'] = openStore(newFile())): Promise<Context> {
  await store.transaction(async (transaction) => {
    await transaction.setHistorySetting({ since: NOW, maxAge: 1_000 });
    for (let number = 0; number < contacts; number++) {
      const name = `contact-${number}`;
      const contact = await transaction.addContact({
        name,
        identity: identityOf(name),
        addedAt: NOW,
        invite: undefined,
      });
      for (const session of [`${name} one`, `${name} two`]) {
        await transaction.addSession(opened(contact, session), freshState());
      }
      const messageId = bytesOf(name, 16);
      const envelope = bytesOf(name, 400);
      for (const process of ['gone', 'running']) {
        await transaction.addToOutbox({
          box: undefined,
          contact,
          messageId,
          envelope,
          process,
          createdAt: NOW + number,
        });
      }
      const text = { contact, messageId, n: 0, late: false, head: HEAD, process: undefined };
      await transaction.addToInbox({ ...text, receivedAt: NOW + number, claimedAt: NOW }, envelope);
      const entry = { contact, direction: 'sent', messageId, n: 0, at: NOW + number, sentAt: NOW } as const;
      await transaction.addToHistory({ ...entry, content: { kind: 'text', text: name } });
    }
  });
  return contextOf(store);
}

const REPORTS: Readonly<Record<string, (context: Context) => Promise<unknown>>> = {
  contacts: contactReports,
  inspect: (context) => identityReport(context, 2),
  outbox: (context) => listOutbox(context, 2),
  history: historyReport,
  log: async (context) => {
    for await (const slice of log(context, { since: NOW })) return slice;
    return [];
  },
};

/** The statements that a report runs, and what it is given for their parameters. */
async function statementsOf(report: (context: Context) => Promise<unknown>, context: Context) {
  const statements: { sql: string; parameters: Parameters }[] = [];
  for (const method of ['get', 'all', 'each', 'find'] as const) {
    const original = Connection.prototype[method] as (...given: unknown[]) => unknown;
    vi.spyOn(Connection.prototype, method).mockImplementation(function (this: Connection, ...given: unknown[]) {
      const [sql, parameters = {}] = given as [string, Parameters | undefined];
      if (!sql.startsWith('PRAGMA')) statements.push({ sql, parameters });
      return original.apply(this, given);
    } as never);
  }
  try {
    await report(context);
  } finally {
    vi.restoreAllMocks();
  }
  return statements;
}

describe('a report', () => {
  it.each(Object.entries(REPORTS))('runs as many statements for 40 contacts as for 4: %s', async (name, report) => {
    const [few, many] = [await statementsOf(report, await known(4)), await statementsOf(report, await known(40))];
    // The names of those on a page are read one by one.
    const onPage = name === 'log' ? 40 : 0;
    expect(many.length).toBeLessThanOrEqual(few.length + onPage);
    expect(few.length).toBeLessThan(12);
  });

  it.each(['inspect', 'outbox', 'history', 'log'])('reads no large table from end to end: %s', async (name) => {
    const path = newFile();
    const context = await known(4, openStore(path));
    const statements = await statementsOf(REPORTS[name] as (context: Context) => Promise<unknown>, context);
    const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
    onTestFinished(() => connection.close());
    const plans = statements.map(({ sql, parameters }) => ({
      parameters,
      steps: connection
        .all<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, parameters)
        .map(({ detail }) => detail),
    }));
    for (const { steps, parameters } of plans) {
      const scans = steps.filter((step) => /^SCAN (outbox|inbox|history)\b(?!.* COVERING INDEX)/.test(step));
      // What is read from the end on, and only so far, says SCAN too.
      if (scans.length > 0) expect([scans.length, Number(parameters.newest) > 0]).toEqual([1, true]);
      expect(steps.join()).not.toMatch(/SEARCH history USING COVERING INDEX \w+ \(at>\? AND at<\?\)/);
    }
    const steps = plans.flatMap((plan) => plan.steps);
    if (name === 'log') expect(steps).toContain('SEARCH history USING COVERING INDEX history_by_age (at>?)');
    if (name === 'history') expect(steps).toContain('SCAN history USING COVERING INDEX history_by_age');
    if (name === 'outbox') expect(steps).toContain('SCAN outbox USING COVERING INDEX outbox_of_process');
    if (name === 'inspect') expect(steps).toContain('SCAN inbox USING COVERING INDEX inbox_of_contact');
  });
});

describe.each([
  ['a file', () => openStore(newFile())],
  ['memory', () => new MemoryStore(record())],
])('what waits in %s', (_, make) => {
  it('is listed without what is being written, all of it or the newest, and what is left out is counted', async () => {
    const context = await known(5, make());
    const listed = async (newest?: number) => {
      const { envelopes, older } = await listOutbox(context, newest);
      return [...envelopes.map(({ to }) => to), older];
    };
    const all = Array.from({ length: 5 }, (__, number) => `contact-${number}`);
    expect(await listed()).toEqual([...all, 0]);
    expect(await listed(99)).toEqual([...all, 0]);
    expect(await listed(5)).toEqual([...all, 0]);
    expect(await listed(2)).toEqual(['contact-3', 'contact-4', 3]);
    const everything = { ...context, isRunning: () => true };
    expect(await listOutbox(everything, 2)).toEqual({ envelopes: [], older: 0 });
  });

  it('is on the page of the identity, being written or not', async () => {
    const context = await known(5, make());
    const page = await identityReport(context, 2);
    expect(page.outbox.map(({ to, bytes }) => [to, bytes])).toEqual([
      ['contact-4', 400],
      ['contact-4', 400],
    ]);
    expect(page.inbox.map(({ from }) => from)).toEqual(['contact-3', 'contact-4']);
    expect(page.older).toEqual({ outbox: 8, inbox: 3 });
    const whole = await identityReport(context);
    expect([whole.outbox.length, whole.inbox.length, whole.older]).toEqual([10, 5, { outbox: 0, inbox: 0 }]);
  });

  it('is read one by one, and may be gone by then', async () => {
    const context = await known(1, make());
    const [first] = (await listOutbox(context)).envelopes;
    if (first === undefined) throw new Error('one waits');
    expect(await readEnvelope(context, first.id)).toEqual(bytesOf('contact-0', 400));
    await context.store.transaction((transaction) => transaction.dropFromOutbox([first.id]));
    expect(await readEnvelope(context, first.id)).toBeUndefined();
  });
});

it('a log begins at the first text of its time, also where the clock went back', async () => {
  const context = await known(0);
  await context.store.transaction(async (transaction) => {
    const contact = await transaction.addContact({
      name: 'alice',
      identity: identityOf('alice'),
      addedAt: NOW,
      invite: undefined,
    });
    await transaction.setHistorySetting({ since: 0, maxAge: undefined });
    for (const at of [10, 30, 20, 5, 40]) {
      const entry = { contact, direction: 'sent', messageId: bytesOf('id', 16), n: 0, at, sentAt: at } as const;
      await transaction.addToHistory({ ...entry, content: { kind: 'text', text: `${at}` } });
    }
  });
  const since = async (time?: number) => {
    const times: number[] = [];
    for await (const slice of log(context, time === undefined ? {} : { since: time })) {
      times.push(...slice.map(({ at }) => at));
    }
    return times;
  };
  expect(await since(20)).toEqual([30, 20, 40]);
  expect(await since(30)).toEqual([30, 40]);
  expect(await since(41)).toEqual([]);
  expect(await since()).toEqual([10, 30, 20, 5, 40]);
});
