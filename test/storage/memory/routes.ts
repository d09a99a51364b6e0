import { equal } from '../../../src/primitives/index.ts';
import type { LeftEntry, RouteOwner, Routes } from '../../../src/session/store.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type MemoryTransaction } from './data.ts';

export function routesOf(transaction: MemoryTransaction): Routes {
  const without = (owner: RouteOwner) => transaction.data.routes.filter((route) => !isSame(route.owner, owner));
  const others = (box: Uint8Array, name: string) =>
    transaction.data.leftEntries.filter((entry) => !(equal(entry.box, box) && entry.name === name));
  const spentWithout = (box: Uint8Array) => transaction.data.spentBoxes.filter((one) => !equal(one.box, box));
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
      return copyOf(transaction.data.leftEntries.filter((entry) => box === undefined || equal(entry.box, box)));
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

    async spentBoxes() {
      const { spentBoxes } = transaction.data;
      return copyOf(spentBoxes.toSorted((a, b) => a.spentAt - b.spentAt || Buffer.compare(a.box, b.box)));
    },

    async addSpentBox(spent) {
      requireContact(transaction, spent.contact);
      transaction.change({ spentBoxes: [...spentWithout(spent.box), copyOf(spent)] });
    },

    async dropSpentBox(box) {
      transaction.change({ spentBoxes: spentWithout(box) });
    },

    async sweepSpentBoxes(before) {
      transaction.change({ spentBoxes: transaction.data.spentBoxes.filter(({ spentAt }) => spentAt >= before) });
    },
  };
}

function isSame(one: RouteOwner, other: RouteOwner): boolean {
  if ('contact' in one) return 'contact' in other && one.contact === other.contact;
  return 'inviteName' in other && one.inviteName === other.inviteName;
}
