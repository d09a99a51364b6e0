/**
 * The boxes that are read at places, and what is left in them (docs/PROTOCOL.md §4).
 * Does not reach any place, and does not decrypt.
 */
import { inviteBox } from '../handshake/index.ts';
import { toHex } from '../primitives/index.ts';
import type { SessionId } from '../ratchet/index.ts';
import { wipeInvites } from './invites.ts';
import { correctTimes, DAY } from './maintenance.ts';
import { keyOfRoute, routeForInvite, routeOf } from './routes.ts';
import type { Context, LeftEntry, RoutedSession, StoredRoute, Transaction } from './store.ts';

/** For how long the opener of a session may go on to use the box of the invite, in milliseconds. */
const INVITE_BOX_RETENTION = 90 * DAY;
/** How long an entry that is not seen any more is remembered as left: places delete what is older. In milliseconds. */
const LEFT_RETENTION = 31 * DAY;
/** Of one box so many entries are remembered as left: a place that always has others fills no file. */
export const MOST_LEFT = 10_000;

/** What is left in a box, by name. */
export type LeftEntries = ReadonlyMap<string, LeftEntry>;
const NOTHING: LeftEntries = new Map();

/** A box that is read. */
export type Mailbox = {
  /** 16 bytes. */
  readonly box: Uint8Array;
  /** The contact whose messages come into it, or for whom the invite is. */
  readonly name: string;
  readonly left: LeftEntries;
} & (
  | { readonly of: 'invite' }
  /** `newest`: the newest session of the contact. `isNoted`: the box was read empty since there is that one. */
  | { readonly of: 'session'; readonly session: SessionId; readonly newest: SessionId; readonly isNoted: boolean }
);

/** The boxes to read at one place. */
export interface Mailboxes extends Pick<StoredRoute, 'route' | 'isTrusted'> {
  /** Of one contact, the boxes of older sessions come first. */
  readonly boxes: readonly Mailbox[];
}

/**
 * Lists the boxes to read, by place: of each session with a contact that has a route, and of each open invite that there is
 * a route for.
 * @param only of this contact, or of the invites for this name.
 */
export async function mailboxes(
  { store, now }: Pick<Context, 'store' | 'now'>,
  only?: string,
): Promise<readonly Mailboxes[]> {
  return store.snapshot(async (view) => {
    const routes = await view.routes();
    if (routes.length === 0) return [];
    const left = await leftByBox(view);
    const places = new Map<string, { readonly stored: StoredRoute; readonly boxes: Map<string, Mailbox> }>();
    const add = (stored: StoredRoute, mailbox: MailboxIdea): void => {
      if (only !== undefined && mailbox.name !== only) return;
      const key = keyOfRoute(stored.route);
      const place = places.get(key) ?? { stored, boxes: new Map<string, Mailbox>() };
      places.set(key, place);
      const name = toHex(mailbox.box);
      if (!place.boxes.has(name)) place.boxes.set(name, { ...mailbox, left: left.get(name) ?? NOTHING });
    };
    const routeTo = new Map(
      routes.flatMap((stored) => ('contact' in stored.owner ? [[stored.owner.contact, stored]] : [])),
    );
    const sessions = await view.routedSessions();
    // The last one that there is of a contact.
    const newest = new Map(sessions.map(({ contact, id }) => [contact, id]));
    for (const session of sessions) {
      const stored = routeTo.get(session.contact);
      if (stored === undefined) continue;
      for (const mailbox of boxesOf(session, newest.get(session.contact) ?? session.id, now())) add(stored, mailbox);
    }
    const invites = await view.invites();
    for (const { contactName: name, fate } of invites) {
      if (fate.kind !== 'open') continue;
      const contact = await view.contactNamed(name);
      const stored = routeForInvite(routes, name) ?? (contact && routeOf(routes, contact.id));
      if (stored !== undefined) add(stored, { of: 'invite', name, box: inviteBox(fate.bytes) });
    }
    wipeInvites(invites);
    return [...places.values()].map(({ stored: { route, isTrusted }, boxes }) => ({
      route,
      isTrusted,
      boxes: [...boxes.values()],
    }));
  });
}

/** A mailbox of which it is not known yet what is left in it. */
type MailboxIdea = Mailbox extends infer Each ? (Each extends unknown ? Omit<Each, 'left'> : never) : never;

function boxesOf(
  { id: session, name, isTheirs, boxes, createdAt, readWith }: RoutedSession,
  newest: SessionId,
  now: number,
): readonly MailboxIdea[] {
  if (boxes === undefined) return [];
  const own = { of: 'session', name, box: boxes.incoming, session, newest, isNoted: readWith === newest } as const;
  const usesInvite = isTheirs && now - createdAt < INVITE_BOX_RETENTION;
  return usesInvite && boxes.invite !== undefined ? [{ of: 'invite', name, box: boxes.invite }, own] : [own];
}

/** Lists what is left in a box. @param box 16 bytes. */
export async function leftIn({ store }: Pick<Context, 'store'>, box: Uint8Array): Promise<LeftEntries> {
  return store.snapshot((view) => leftEntries(view, box));
}

async function leftEntries(view: Transaction, box: Uint8Array): Promise<Map<string, LeftEntry>> {
  return new Map((await view.leftEntries(box)).map((entry) => [entry.name, entry]));
}

/** What is left in each box in which something is, by the box in hexadecimal. */
async function leftByBox(view: Transaction): Promise<ReadonlyMap<string, LeftEntries>> {
  const boxes = new Map<string, Map<string, LeftEntry>>();
  for (const entry of await view.leftEntries()) {
    const box = toHex(entry.box);
    const left = boxes.get(box) ?? new Map<string, LeftEntry>();
    boxes.set(box, left.set(entry.name, entry));
  }
  return boxes;
}

/** What has become of what was read at a place. */
export interface SettledEntries {
  /** Not taken, and to be read again later. */
  readonly left: readonly Omit<LeftEntry, 'tries' | 'triedAt'>[];
  /** Were left before, and are gone. */
  readonly gone: readonly Pick<LeftEntry, 'box' | 'name'>[];
  /** Sessions in whose boxes nothing is any more. One that was dropped meanwhile is no error. */
  readonly empty: readonly { readonly session: SessionId; readonly newest: SessionId }[];
}

/** Notes what has become of what was read at a place. */
export async function settleEntries(context: Context, { left, gone, empty }: SettledEntries): Promise<void> {
  if (left.length + gone.length + empty.length === 0) return;
  const now = context.now();
  await context.store.transaction(async (transaction) => {
    await correctTimes(transaction, now);
    await transaction.sweepLeftEntries(now - LEFT_RETENTION);
    for (const { box, name } of gone) await transaction.dropLeftEntry(box, name);
    const boxes = new Map<string, Map<string, LeftEntry>>();
    for (const entry of left) {
      const box = toHex(entry.box);
      const known = boxes.get(box) ?? (await leftEntries(transaction, entry.box));
      boxes.set(box, known);
      const before = known.get(entry.name);
      if (before === undefined && known.size >= MOST_LEFT) continue;
      const tried = { ...entry, tries: (before && isSame(entry, before) ? before.tries : 0) + 1, triedAt: now };
      known.set(entry.name, tried);
      await transaction.setLeftEntry(tried);
    }
    for (const { session, newest } of empty) await transaction.setReadWith(session, newest);
  });
}

/** The pauses between the first readings of an entry that is left, in milliseconds; the last one holds for all further ones. */
const PAUSES = [60_000, 600_000, 3_600_000, DAY];

type PlaceEntry = Pick<LeftEntry, 'name' | 'size' | 'version'>;

/** What is known of an entry of a place that was left; `undefined` for one that was not, or has changed since. */
export function leftBefore(entry: PlaceEntry, left: LeftEntries): LeftEntry | undefined {
  const known = left.get(entry.name);
  return known && isSame(entry, known) ? known : undefined;
}

/**
 * For how long an entry of a place still rests, in milliseconds: 0 unless it is one that was left, and whose pause is not
 * over.
 */
export function restOf(entry: PlaceEntry, left: LeftEntries, now: number): number {
  const known = leftBefore(entry, left);
  if (known === undefined) return 0;
  // A clock that was turned back must not make it rest for ever.
  return Math.max(pauseAfter(known.tries) - Math.abs(now - known.triedAt), 0);
}

/** For how long an entry rests that was read so many times, in milliseconds. */
export function pauseAfter(tries: number): number {
  return PAUSES[Math.min(tries, PAUSES.length) - 1] ?? DAY;
}

function isSame(entry: PlaceEntry, { size, version }: PlaceEntry): boolean {
  return entry.size === size && entry.version === version;
}
