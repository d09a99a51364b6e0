/**
 * What each operation on the store reads: it is in the working set before the operation runs there.
 * Knows no SQL of the database; that of the tables is in `../tables`.
 */
import { toHex } from '../../primitives/index.ts';
import type { Transaction } from '../../session/store.ts';
import type { Value } from './row-codec.ts';
import type { Rows } from './rows.ts';
import type { Sweep, Sweeps } from './sweeps.ts';
import { tableNamed } from './tables.ts';
import type { WorkingSet } from './working-set.ts';

const CONTACTS = tableNamed('contacts');
const SESSIONS = tableNamed('sessions');
const ACCEPTED = tableNamed('accepted');
const INVITES = tableNamed('invites');
const LEDGER = tableNamed('ledger');
const NUMBERS = tableNamed('numbers');
const OUTBOX = tableNamed('outbox');
const INBOX = tableNamed('inbox');
const INCOMING = tableNamed('incoming');
const PARTS = tableNamed('incoming_parts');
const OUTGOING = tableNamed('outgoing');
const LEFT = tableNamed('left_entries');
const SPENT = tableNamed('spent_boxes');
const HISTORY = tableNamed('history');

/** What is read with a contact: nearly every operation that needs the contact needs it. */
const OF_CONTACT = ['sessions', 'receiving_chains', 'skipped_keys', 'routes'].map(tableNamed);
/** Digests are read, to be deleted, so many at a time. */
const DIGESTS = 256;

/** What a unit of work has. */
interface Loading {
  readonly rows: Rows;
  readonly set: WorkingSet;
  readonly sweeps: Sweeps;
  /** By how much the server's clock is ahead of ours, in milliseconds. */
  readonly clockAhead: number;
}

/** @param inner the operations on the working set. */
export function loadingFirst(inner: Transaction, { rows, set, sweeps, clockAhead }: Loading): Transaction {
  /** A whole table, with the contacts: whether rows of theirs are missing is seen by their lists. */
  const all = (name: string) => async () => {
    const table = tableNamed(name);
    const needsContacts =
      table !== CONTACTS && table.isListed && table.parent?.table === 'contacts' && !knowsContacts();
    await rows.once(`all ${name}`, () => [...(needsContacts ? [{ table: CONTACTS }] : []), { table }]);
    if (needsContacts) rows.note('all contacts');
  };
  const knowsContacts = () => rows.knows('everyone') || rows.knows('all contacts');
  const nothing = async () => undefined;
  const both = async (one: () => Promise<void>, other: () => Promise<void>) => {
    await one();
    await other();
  };

  const everyone = () => rows.once('everyone', () => ({ table: CONTACTS, below: OF_CONTACT }));
  const contacts = async () => {
    if (!knowsContacts()) await all('contacts')();
  };
  const contactRow = (id: number) => rows.need(CONTACTS, [[id]]);
  const contact = async (id: number) => {
    if (rows.knows('everyone')) return;
    await rows.once(`contact ${id}`, () => ({
      table: CONTACTS,
      keys: [rows.keyOf(CONTACTS, [id])],
      below: OF_CONTACT,
    }));
  };
  const contactBy = async (column: string, value: Value) => {
    if (rows.knows('everyone')) return;
    const lookup = rows.lookupOf(CONTACTS, column, value);
    await rows.once(`contact by ${toHex(lookup)}`, () => ({ table: CONTACTS, lookup, below: OF_CONTACT }));
    const found = set.get<{ readonly id: number }>(`SELECT id FROM contacts WHERE ${column} = @value`, { value });
    if (found !== undefined) rows.note(`contact ${found.id}`);
    // The owner of the database could hide it from the look-up, and not from the list.
    else await contacts();
  };
  // A session is never in the set without those of the same contact.
  const session = async (id: number) => {
    if (rows.knows('everyone') || set.has(SESSIONS, [id])) return;
    await rows.once(`session ${id}`, () => ({
      table: SESSIONS,
      keys: [rows.keyOf(SESSIONS, [id])],
      below: OF_CONTACT,
    }));
  };
  const invite = async (id: Uint8Array) => {
    if (rows.knows('all invites')) return;
    const lookup = rows.lookupOf(INVITES, 'id', id);
    await rows.once(`invite ${toHex(id)}`, () => ({ table: INVITES, lookup, below: [LEDGER] }));
    if (set.get('SELECT 1 FROM invites WHERE id = @id', { id }) === undefined) await invites();
  };
  const invites = () => rows.once('all invites', () => ({ table: INVITES, below: [LEDGER] }));
  const content = (box: 'outbox' | 'inbox') => async (id: number) => {
    const table = tableNamed(box);
    if (rows.hasContent(table, [id])) return;
    const select = () => ({
      table,
      keys: [rows.keyOf(table, [id])],
      below: [tableNamed(`${box}_rest`)],
      withContent: true,
    });
    await rows.once(`content of ${box} ${id}`, select);
  };
  const outboxRow = (ids: readonly number[]) =>
    rows.need(
      OUTBOX,
      ids.map((id) => [id]),
    );
  const inboxRow = (...ids: readonly number[]) =>
    rows.need(
      INBOX,
      ids.map((id) => [id]),
    );
  const incomingRow = (id: number) => rows.need(INCOMING, [[id]]);
  const partsOf = (id: number) =>
    rows.once(`parts of ${id}`, () => ({ table: INCOMING, keys: [rows.keyOf(INCOMING, [id])], below: [PARTS] }));
  const outgoingRow = (id: number) => rows.need(OUTGOING, [[id]]);
  const leftIn = async (box?: Uint8Array) => {
    if (box === undefined || rows.knows('all left_entries')) return all('left_entries')();
    await rows.once(`left in ${toHex(box)}`, () => ({ table: LEFT, lookup: rows.lookupOf(LEFT, 'box', box) }));
  };
  const historyOf = async ({ contact: id }: { readonly contact?: number | undefined }) => {
    if (id === undefined || rows.knows('all history')) return all('history')();
    await rows.once(`history of ${id}`, () => ({ table: HISTORY, parents: [rows.keyOf(CONTACTS, [id])] }));
  };
  const oldDigests = async (id: number, added: number, kept: number) => {
    const row = set.get<{ readonly received: number }>('SELECT received FROM sessions WHERE id = @id', { id });
    const upTo = Math.ceil(((row?.received ?? 0) + added - kept) / DIGESTS) * DIGESTS;
    if (upTo <= 0) return;
    const lookup = rows.lookupOf(ACCEPTED, 'session_id', id);
    await rows.once(`digests of ${id} up to ${upTo}`, () => ({ table: ACCEPTED, lookup, upTo }));
  };

  /** Reads and sweeps only where something may be due. @param none what is returned where nothing is. */
  const whenDue =
    <Result>(sweep: Sweep, load: () => Promise<void>, run: (time: number) => Promise<Result>, none: Result) =>
    async (time: number): Promise<Result> => {
      if (!sweeps.isDue(sweep, time)) return none;
      await load();
      sweeps.note(sweep);
      return run(time);
    };

  const before = <Method extends (...args: never[]) => Promise<unknown>>(
    load: (...args: Parameters<Method>) => Promise<void>,
    run: Method,
  ): Method =>
    (async (...args: Parameters<Method>) => {
      await load(...args);
      return run(...args);
    }) as Method;

  return {
    ownIdentity: inner.ownIdentity,
    invite: before(invite, inner.invite),
    invites: before(invites, inner.invites),
    addInvite: before(invites, inner.addInvite),
    dropInvite: before(invite, inner.dropInvite),
    spendInvite: before(invite, inner.spendInvite),
    withdrawInvite: before(invite, inner.withdrawInvite),
    useInvite: before(invites, inner.useInvite),
    renameInvites: before(invites, inner.renameInvites),
    lastNumber: before((name) => rows.need(NUMBERS, [[name]]), inner.lastNumber),
    raiseNumber: before((name) => rows.need(NUMBERS, [[name]]), inner.raiseNumber),
    isInLedger: before(invites, inner.isInLedger),
    sweepInvites: async (expiredBefore, forgetBefore) => {
      if (!sweeps.isDue('open invites', expiredBefore) && !sweeps.isDue('other invites', forgetBefore)) return 0;
      await invites();
      sweeps.note('open invites', 'other invites');
      return inner.sweepInvites(expiredBefore, forgetBefore);
    },

    contacts: before(contacts, inner.contacts),
    eachContact: before(everyone, inner.eachContact),
    contact: before(contact, inner.contact),
    contactNamed: before((name) => contactBy('name', name), inner.contactNamed),
    contactOf: before((identity) => contactBy('identity', identity), inner.contactOf),
    addContact: async (added) => {
      await contactBy('name', added.name);
      await contactBy('identity', added.identity);
      const id = await inner.addContact(added);
      rows.note(`contact ${id}`);
      return id;
    },
    setContactInvite: before(contactRow, inner.setContactInvite),
    setVerified: before(contactRow, inner.setVerified),
    renameContact: before(
      (id, name) =>
        both(
          () => contactRow(id),
          () => contactBy('name', name),
        ),
      inner.renameContact,
    ),
    dropContact: before(contactRow, inner.dropContact),

    session: before(session, inner.session),
    sessions: before(contact, inner.sessions),
    routedSessions: before(everyone, inner.routedSessions),
    sessionOfPrefix: before(everyone, inner.sessionOfPrefix),
    addSession: before((added) => contact(added.contact), inner.addSession),
    answerSession: before(session, inner.answerSession),
    setReadWith: before(session, inner.setReadWith),
    useSession: before(session, inner.useSession),
    holdSessions: before((id) => (id === undefined ? everyone() : contact(id)), inner.holdSessions),
    acknowledgeForks: before(contact, inner.acknowledgeForks),
    dropSession: before(session, inner.dropSession),
    finishedChains: before(session, inner.finishedChains),
    missingMessages: before(session, inner.missingMessages),

    findEntry: before((_, only) => (only === undefined ? everyone() : session(only)), inner.findEntry),
    ratchetState: before(session, inner.ratchetState),
    finishedChain: before(session, inner.finishedChain),
    keptPosition: before(
      (id, chain, n) =>
        both(
          () => session(id),
          () => rows.need(ACCEPTED, [[id, chain, n]]),
        ),
      inner.keptPosition,
    ),
    saveSent: before(session, inner.saveSent),
    // The session becomes the last of all that received.
    saveReceived: before(
      (id, accepted, _, { keptDigests }) => both(everyone, () => oldDigests(id, accepted.length, keptDigests)),
      inner.saveReceived,
    ),
    sweepSkippedKeys: whenDue('skipped keys', everyone, inner.sweepSkippedKeys, 0),
    saveFork: before(session, inner.saveFork),

    addToOutbox: before((entry) => contactRow(entry.contact), inner.addToOutbox),
    outbox: before(all('outbox'), inner.outbox),
    countOutbox: before(all('outbox'), inner.countOutbox),
    envelope: before(content('outbox'), inner.envelope),
    dropFromOutbox: before(outboxRow, inner.dropFromOutbox),
    addToInbox: before((entry) => contactRow(entry.contact), inner.addToInbox),
    inbox: before(all('inbox'), inner.inbox),
    countInbox: before(all('inbox'), inner.countInbox),
    inboxEntry: before((id) => inboxRow(id), inner.inboxEntry),
    inboxContent: before(content('inbox'), inner.inboxContent),
    handOver: before((id) => inboxRow(id), inner.handOver),
    noteTry: before((id) => inboxRow(id), inner.noteTry),
    countTried: before(all('inbox'), inner.countTried),
    waitingOf: before(async (id) => {
      if (rows.knows('all inbox')) return;
      await rows.once(`inbox of ${id}`, () => ({
        table: CONTACTS,
        keys: [rows.keyOf(CONTACTS, [id])],
        below: [INBOX],
      }));
    }, inner.waitingOf),
    dropFromInbox: before((ids) => inboxRow(...ids), inner.dropFromInbox),

    addIncoming: before((added) => both(() => contactRow(added.contact), all('incoming')), inner.addIncoming),
    incoming: before(all('incoming'), inner.incoming),
    receivedParts: before(partsOf, inner.receivedParts),
    addReceivedParts: before(
      (id, parts) =>
        both(
          () => incomingRow(id),
          () =>
            rows.need(
              PARTS,
              parts.map(({ index }) => [id, index]),
            ),
        ),
      inner.addReceivedParts,
    ),
    handOverIncoming: before(incomingRow, inner.handOverIncoming),
    setPlace: before(incomingRow, inner.setPlace),
    dropReceivedParts: before(
      (id) =>
        both(
          () => incomingRow(id),
          () => partsOf(id),
        ),
      inner.dropReceivedParts,
    ),
    dropIncoming: before(incomingRow, inner.dropIncoming),
    addOutgoing: before((added) => both(() => contactRow(added.contact), all('outgoing')), inner.addOutgoing),
    outgoing: before(all('outgoing'), inner.outgoing),
    advanceOutgoing: before(outgoingRow, inner.advanceOutgoing),
    dropOutgoing: before(outgoingRow, inner.dropOutgoing),
    sweepOutgoing: whenDue('outgoing', all('outgoing'), inner.sweepOutgoing, []),

    routes: before(all('routes'), inner.routes),
    setRoute: before(
      ({ owner }) => both(all('routes'), () => ('contact' in owner ? contactRow(owner.contact) : nothing())),
      inner.setRoute,
    ),
    dropRoute: before(all('routes'), inner.dropRoute),
    renameRoute: before(all('routes'), inner.renameRoute),
    distrustRoutes: before(all('routes'), inner.distrustRoutes),
    leftEntries: before(leftIn, inner.leftEntries),
    setLeftEntry: before(({ box, name }) => rows.need(LEFT, [[box, name]]), inner.setLeftEntry),
    dropLeftEntry: before((box, name) => rows.need(LEFT, [[box, name]]), inner.dropLeftEntry),
    sweepLeftEntries: whenDue('left entries', all('left_entries'), inner.sweepLeftEntries, undefined),
    spentBoxes: before(all('spent_boxes'), inner.spentBoxes),
    addSpentBox: before(
      (spent) =>
        both(
          () => contactRow(spent.contact),
          () => rows.need(SPENT, [[spent.box]]),
        ),
      inner.addSpentBox,
    ),
    dropSpentBox: before((box) => rows.need(SPENT, [[box]]), inner.dropSpentBox),
    sweepSpentBoxes: whenDue('spent boxes', all('spent_boxes'), inner.sweepSpentBoxes, undefined),

    lists: before(all('list_members'), inner.lists),
    setList: before(async (_, members) => {
      await all('list_members')();
      await rows.need(
        CONTACTS,
        members.map((id) => [id]),
      );
    }, inner.setList),

    historySetting: inner.historySetting,
    setHistorySetting: inner.setHistorySetting,
    addToHistory: before((entry) => contactRow(entry.contact), inner.addToHistory),
    history: before(historyOf, inner.history),
    countHistory: before(historyOf, inner.countHistory),
    sweepHistory: whenDue('history', all('history'), inner.sweepHistory, 0),

    // Claims are of the server's clock, and of no wrong one where it is ahead of ours.
    correctTimes: async (ownTime, ahead) => {
      const now = ownTime + Math.max(0, clockAhead);
      const row = set.get<{ readonly clock: number | null }>('SELECT clock FROM identity');
      const isRight = row?.clock != null && row.clock <= now + ahead;
      if (!isRight) {
        await everyone();
        await invites();
        for (const name of WITH_TIMES) await all(name)();
      }
      await inner.correctTimes(now, ahead);
    },
  };
}

/** The tables with times of our own clock, beside those of contacts and invites. */
const WITH_TIMES = ['outbox', 'inbox', 'incoming', 'outgoing', 'routes', 'left_entries', 'spent_boxes', 'history'];
