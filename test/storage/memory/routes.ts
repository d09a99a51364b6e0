import { equal } from '../../../src/primitives/index.ts';
import type { LeftEntry, RouteOwner, Routes } from '../../../src/session/store.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type MemoryTransaction } from './data.ts';

export function routesOf(transaction: MemoryTransaction): Routes {
  const without = (owner: RouteOwner) => transaction.data.routes.filter((route) => !isSame(route.owner, owner));
  const others = (box: Uint8Array, name: string) =>
    transaction.data.leftEntries.filter((entry) => !(equal(entry.box, box) && entry.name === name));
  return {
    async routes() {
      return copyOf(transaction.data.routes);
    },

    async setRoute(route) {
      if ('contact' in route.owner) requireContact(transaction, route.owner.contact);
      transaction.change({ routes: [...without(route.owner), copyOf(route)] });
    },

    async dropRoute(owner) {
      const routes = without(owner);
      const isThere = routes.length < transaction.data.routes.length;
      transaction.change({ routes });
      return isThere;
    },

    async renameRoute(inviteName, newName) {
      const route = transaction.data.routes.find(({ owner }) => isSame(owner, { inviteName }));
      if (route === undefined) return;
      const rest = without({ inviteName }).filter(({ owner }) => !isSame(owner, { inviteName: newName }));
      transaction.change({ routes: [...rest, { ...route, owner: { inviteName: newName } }] });
    },

    async distrustRoutes() {
      transaction.change({ routes: transaction.data.routes.map((route) => ({ ...route, isTrusted: false })) });
    },

    async leftEntries(box) {
      return copyOf(transaction.data.leftEntries.filter((entry) => equal(entry.box, box)));
    },

    async setLeftEntry(entry: LeftEntry) {
      transaction.change({ leftEntries: [...others(entry.box, entry.name), copyOf(entry)] });
    },

    async sweepLeftEntries(before) {
      transaction.change({ leftEntries: transaction.data.leftEntries.filter(({ triedAt }) => triedAt >= before) });
    },

    async dropLeftEntry(box, name) {
      transaction.change({ leftEntries: others(box, name) });
    },
  };
}

function isSame(one: RouteOwner, other: RouteOwner): boolean {
  if ('contact' in one) return 'contact' in other && one.contact === other.contact;
  return 'inviteName' in other && one.inviteName === other.inviteName;
}
