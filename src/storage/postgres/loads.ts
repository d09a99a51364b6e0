/**
 * What each operation on the store reads: it is in the working set before the operation runs there.
 * Knows no SQL of the database; that of the tables is in `../tables`.
 */
import { toHex } from '../../primitives/index.ts';
import type { Transaction } from '../../session/store.ts';
import type { Value } from './row-codec.ts';
import type { Rows, Wanted } from './rows.ts';
import type { Sweep, Sweeps } from './sweeps.ts';
import { type Table, tableNamed } from './tables.ts';
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
const ROUTES = tableNamed('routes');
const LEFT = tableNamed('left_entries');
const SPENT = tableNamed('spent_boxes');
const LISTS = tableNamed('list_members');
const HISTORY = tableNamed('history');

/** What is read with a contact: nearly every operation that needs the contact needs it. */
const OF_CONTACT = [SESSIONS, tableNamed('receiving_chains'), tableNamed('skipped_keys'), ROUTES];
const CONVERSATION: Wanted = { below: OF_CONTACT };
const OPENINGS: Wanted = { below: [LEDGER] };
const WAITING: Wanted = { below: [INBOX] };
const RECEIVED: Wanted = { below: [PARTS] };
const ENVELOPE: Wanted = { below: [tableNamed('outbox_rest')], withContent: true };
const TEXT: Wanted = { below: [tableNamed('inbox_rest')], withContent: true };
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
  const nothing = async () => undefined;
  const both = async (one: () => Promise<void>, other: () => Promise<void>) => {
    await one();
    await other();
  };
  const all =
    (...tables: readonly Table[]) =>
    () =>
      rows.all(...tables);

  const contacts = all(CONTACTS);
  const everyone = all(CONTACTS, ...OF_CONTACT);
  const invites = all(INVITES, LEDGER);
  const contactRow = (id: number) => rows.find(CONTACTS, [[id]]);
  const contact = (id: number) => rows.find(CONTACTS, [[id]], CONVERSATION);
  const contactBy = (column: 'name' | 'identity', value: Value) => rows.findBy(CONTACTS, column, value, CONVERSATION);
  const session = (id: number) => rows.find(SESSIONS, [[id]], CONVERSATION);
  const invite = (id: Uint8Array) => rows.findBy(INVITES, 'id', id, OPENINGS);
  const outboxRows = (ids: readonly number[]) => rows.find(OUTBOX, ids.map(keyOf));
  const inboxRows = (ids: readonly number[]) => rows.find(INBOX, ids.map(keyOf));
  const inboxRow = (id: number) => inboxRows([id]);
  const incomingRow = (id: number) => rows.find(INCOMING, [[id]]);
  const partsOf = (id: number) => rows.find(INCOMING, [[id]], RECEIVED);
  const outgoingRow = (id: number) => rows.find(OUTGOING, [[id]]);
  const leftIn = (box?: Uint8Array) =>
    box === undefined
      ? rows.all(LEFT)
      : rows.once(`left in ${toHex(box)}`, LEFT, { lookup: rows.lookupOf(LEFT, 'box', box) });
  const historyOf = ({ contact: id }: { readonly contact?: number | undefined }) =>
    id === undefined
      ? rows.all(HISTORY)
      : rows.once(`history of ${id}`, HISTORY, { parents: [rows.keyOf(CONTACTS, [id])] });
  const oldDigests = async (id: number, added: number, kept: number) => {
    const row = set.get<{ readonly received: number }>('SELECT received FROM sessions WHERE id = @id', { id });
    const upTo = Math.ceil(((row?.received ?? 0) + added - kept) / DIGESTS) * DIGESTS;
    if (upTo <= 0) return;
    const lookup = rows.lookupOf(ACCEPTED, 'session_id', id);
    await rows.once(`digests of ${id} up to ${upTo}`, ACCEPTED, { lookup, upTo });
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
    lastNumber: before((name) => rows.find(NUMBERS, [[name]]), inner.lastNumber),
    raiseNumber: before((name) => rows.find(NUMBERS, [[name]]), inner.raiseNumber),
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
    addContact: before(
      (added) =>
        both(
          () => contactBy('name', added.name),
          () => contactBy('identity', added.identity),
        ),
      inner.addContact,
    ),
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
          () => rows.find(ACCEPTED, [[id, chain, n]]),
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
    outbox: before(all(OUTBOX), inner.outbox),
    countOutbox: before(all(OUTBOX), inner.countOutbox),
    envelope: before((id) => rows.find(OUTBOX, [[id]], ENVELOPE), inner.envelope),
    dropFromOutbox: before(outboxRows, inner.dropFromOutbox),
    addToInbox: before((entry) => contactRow(entry.contact), inner.addToInbox),
    inbox: before(all(INBOX), inner.inbox),
    countInbox: before(all(INBOX), inner.countInbox),
    inboxEntry: before(inboxRow, inner.inboxEntry),
    inboxContent: before((id) => rows.find(INBOX, [[id]], TEXT), inner.inboxContent),
    handOver: before(inboxRow, inner.handOver),
    noteTry: before(inboxRow, inner.noteTry),
    countTried: before(all(INBOX), inner.countTried),
    waitingOf: before((id) => rows.find(CONTACTS, [[id]], WAITING), inner.waitingOf),
    dropFromInbox: before(inboxRows, inner.dropFromInbox),

    addIncoming: before((added) => both(() => contactRow(added.contact), all(INCOMING)), inner.addIncoming),
    incoming: before(all(INCOMING), inner.incoming),
    receivedParts: before(partsOf, inner.receivedParts),
    addReceivedParts: before(
      (id, parts) =>
        both(
          () => incomingRow(id),
          () =>
            rows.find(
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
    addOutgoing: before((added) => both(() => contactRow(added.contact), all(OUTGOING)), inner.addOutgoing),
    outgoing: before(all(OUTGOING), inner.outgoing),
    advanceOutgoing: before(outgoingRow, inner.advanceOutgoing),
    dropOutgoing: before(outgoingRow, inner.dropOutgoing),
    sweepOutgoing: whenDue('outgoing', all(OUTGOING), inner.sweepOutgoing, []),

    routes: before(all(ROUTES), inner.routes),
    setRoute: before(
      ({ owner }) => both(all(ROUTES), () => ('contact' in owner ? contactRow(owner.contact) : nothing())),
      inner.setRoute,
    ),
    dropRoute: before(all(ROUTES), inner.dropRoute),
    renameRoute: before(all(ROUTES), inner.renameRoute),
    distrustRoutes: before(all(ROUTES), inner.distrustRoutes),
    leftEntries: before(leftIn, inner.leftEntries),
    setLeftEntry: before(({ box, name }) => rows.find(LEFT, [[box, name]]), inner.setLeftEntry),
    dropLeftEntry: before((box, name) => rows.find(LEFT, [[box, name]]), inner.dropLeftEntry),
    sweepLeftEntries: whenDue('left entries', all(LEFT), inner.sweepLeftEntries, undefined),
    spentBoxes: before(all(SPENT), inner.spentBoxes),
    addSpentBox: before(
      (spent) =>
        both(
          () => contactRow(spent.contact),
          () => rows.find(SPENT, [[spent.box]]),
        ),
      inner.addSpentBox,
    ),
    dropSpentBox: before((box) => rows.find(SPENT, [[box]]), inner.dropSpentBox),
    sweepSpentBoxes: whenDue('spent boxes', all(SPENT), inner.sweepSpentBoxes, undefined),

    lists: before(all(LISTS), inner.lists),
    setList: before((_, members) => both(all(LISTS), () => rows.find(CONTACTS, members.map(keyOf))), inner.setList),

    historySetting: inner.historySetting,
    setHistorySetting: inner.setHistorySetting,
    addToHistory: before((entry) => contactRow(entry.contact), inner.addToHistory),
    history: before(historyOf, inner.history),
    countHistory: before(historyOf, inner.countHistory),
    sweepHistory: whenDue('history', all(HISTORY), inner.sweepHistory, 0),

    // Claims are of the server's clock, and of no wrong one where it is ahead of ours.
    correctTimes: async (ownTime, ahead) => {
      const now = ownTime + Math.max(0, clockAhead);
      const row = set.get<{ readonly clock: number | null }>('SELECT clock FROM identity');
      const isRight = row?.clock != null && row.clock <= now + ahead;
      if (!isRight) await rows.all(CONTACTS, INVITES, ...OF_CONTACT, ...WITH_TIMES);
      await inner.correctTimes(now, ahead);
    },
  };
}

/** The tables with times of our own clock, beside those of contacts and invites. */
const WITH_TIMES = [OUTBOX, INBOX, INCOMING, OUTGOING, ROUTES, LEFT, SPENT, HISTORY];

function keyOf(id: number): readonly Value[] {
  return [id];
}
