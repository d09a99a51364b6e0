/**
 * Routes: how the envelopes for a contact, and from it, are carried (docs/PROTOCOL.md §4).
 * Does not reach any place.
 */
import { PawlError } from '../errors.ts';
import { readInvite } from '../handshake/index.ts';
import type { Route } from '../places/index.ts';
import { requireContact } from './contacts.ts';
import { invitesIn } from './invites.ts';
import { correctTimes } from './maintenance.ts';
import { sendingSession } from './select-session.ts';
import type { ContactId, Context, RouteOwner, StoredRoute, Transaction } from './store.ts';

/** A route, and whom it is for. */
export interface RouteReport extends Pick<StoredRoute, 'route' | 'setAt' | 'isTrusted'> {
  /** The name of a contact, or the one of open invites. */
  readonly name: string;
  /** Whether it is for who comes in by an open invite. */
  readonly isForInvite: boolean;
}

/** What a route for a name is good for. */
export interface RouteSet {
  readonly isForInvite: boolean;
  /** Whether the conversation with the contact is of before there were boxes: it takes a new invite. */
  readonly lacksBoxes: boolean;
}

/**
 * Sets the route for a contact, or for who comes in by an open invite for a name.
 * @throws `unknown-contact` when there is neither.
 */
export async function setRoute(context: Context, name: string, route: Route): Promise<RouteSet> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    await correctTimes(transaction, now);
    const owner = await ownerOf(transaction, name);
    await transaction.setRoute({ owner, route, setAt: now, isTrusted: true });
    if (!('contact' in owner)) return { isForInvite: true, lacksBoxes: false };
    const session = sendingSession(await transaction.sessions(owner.contact));
    return { isForInvite: false, lacksBoxes: session !== undefined && session.boxes === undefined };
  });
}

/**
 * Removes the route for a name.
 * @returns whether there was one.
 * @throws `unknown-contact` when there is neither a contact nor an open invite of that name.
 */
export async function dropRoute({ store }: Pick<Context, 'store'>, name: string): Promise<boolean> {
  return store.transaction(async (transaction) => transaction.dropRoute(await ownerOf(transaction, name)));
}

/** Lists the routes in the order of their names. */
export async function listRoutes({ store }: Pick<Context, 'store'>): Promise<readonly RouteReport[]> {
  return store.snapshot(async (view) => {
    const reports: RouteReport[] = [];
    for (const { owner, ...route } of await view.routes()) {
      const isForInvite = !('contact' in owner);
      reports.push({
        ...route,
        name: isForInvite ? owner.inviteName : (await view.contact(owner.contact)).name,
        isForInvite,
      });
    }
    return reports.sort((a, b) =>
      a.name === b.name ? Number(a.isForInvite) - Number(b.isForInvite) : a.name < b.name ? -1 : 1,
    );
  });
}

/** Whether there is a route, whoever it is for. */
export async function hasAnyRoute({ store }: Pick<Context, 'store'>): Promise<boolean> {
  return store.snapshot(async (view) => (await view.routes()).length > 0);
}

/**
 * Finds the route for a contact, or for who comes in by an open invite for a name.
 * @throws `unknown-contact` when there is neither.
 */
export async function routeFor({ store }: Pick<Context, 'store'>, name: string): Promise<RouteReport | undefined> {
  return store.snapshot(async (view) => {
    const owner = await ownerOf(view, name);
    const routes = await view.routes();
    const isForInvite = !('contact' in owner);
    const route = isForInvite ? routeForInvite(routes, name) : routeOf(routes, owner.contact);
    return route && { ...route, name, isForInvite };
  });
}

/**
 * Finds the route to a contact.
 * @returns `undefined` without one, and for a name that is nobody's.
 */
export async function routeTo({ store }: Pick<Context, 'store'>, name: string): Promise<StoredRoute | undefined> {
  return store.snapshot(async (view) => {
    const contact = await view.contactNamed(name);
    return contact && routeOf(await view.routes(), contact.id);
  });
}

/**
 * Checks that what is sent to a contact next goes on a session with boxes.
 * @throws `no-boxes`.
 */
export async function checkBoxes({ store, now }: Pick<Context, 'store' | 'now'>, name: string): Promise<void> {
  await store.snapshot(async (view) => {
    const contact = await requireContact(view, name);
    if (contact.invite !== undefined && readInvite(contact.invite.bytes).expiresAt > now()) return;
    const session = sendingSession(await view.sessions(contact.id));
    if (session !== undefined && session.boxes === undefined) throw new PawlError('no-boxes', { name });
  });
}

/** No route is used any more before its owner has typed it again: the file comes from another machine. */
export async function distrustRoutes({ store }: Pick<Context, 'store'>): Promise<void> {
  await store.transaction((transaction) => transaction.distrustRoutes());
}

/** Whether a contact is reached by a route. */
export async function hasRoute(view: Pick<Transaction, 'routes'>, contact: ContactId): Promise<boolean> {
  return routeOf(await view.routes(), contact) !== undefined;
}

/** Finds the route of a contact among all. */
export function routeOf(routes: readonly StoredRoute[], contact: ContactId): StoredRoute | undefined {
  return routes.find(({ owner }) => 'contact' in owner && owner.contact === contact);
}

/** Tells one route from another: two that are the same have the same key. */
export function keyOfRoute(route: Route): string {
  return JSON.stringify(route);
}

/** What a place is called where it is stored that something is there. Where a route changes, but not its place, it stays. */
export function placeOf(route: Route): string {
  switch (route.kind) {
    case 'dir':
      return `dir:${route.mark}`;
    case 'exec':
      return `exec:${route.command}`;
    case 'nats':
      return route.url;
  }
}

/** Finds the route for who comes in by an open invite for a name. */
export function routeForInvite(routes: readonly StoredRoute[], inviteName: string): StoredRoute | undefined {
  return routes.find(({ owner }) => 'inviteName' in owner && owner.inviteName === inviteName);
}

/** Gives a contact that came in by an invite the route that was set for the name of the invite. */
export async function takeOverRoute(transaction: Transaction, inviteName: string, contact: ContactId): Promise<void> {
  const route = routeForInvite(await transaction.routes(), inviteName);
  if (route !== undefined) await transaction.setRoute({ ...route, owner: { contact } });
}

/** Deletes the routes for names that no invite is open for any more. */
export async function dropUnusedRoutes(
  transaction: Pick<Transaction, 'routes' | 'dropRoute' | 'invites'>,
): Promise<void> {
  const owners = (await transaction.routes()).flatMap(({ owner }) => ('inviteName' in owner ? owner : []));
  if (owners.length === 0) return;
  const open = (await invitesIn(transaction)).filter(({ fate }) => fate.kind === 'open');
  for (const owner of owners) {
    if (!open.some(({ contactName }) => contactName === owner.inviteName)) await transaction.dropRoute(owner);
  }
}

async function ownerOf(view: Transaction, name: string): Promise<RouteOwner> {
  const contact = await view.contactNamed(name);
  if (contact !== undefined) return { contact: contact.id };
  const invites = await invitesIn(view);
  if (invites.some(({ contactName, fate }) => contactName === name && fate.kind === 'open'))
    return { inviteName: name };
  return { contact: (await requireContact(view, name)).id };
}
