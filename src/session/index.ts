/** Units of work on an identity: one for each thing a person does. It knows ratchet, handshake and envelope; never storage. */

export { LARGEST_GAP } from '../ratchet/index.ts';
export { type Forgotten, forget, forgettable, rename, type Verification, verification, verify } from './contacts.ts';
export {
  deletable,
  type HistoryReport,
  historyReport,
  keepingOf,
  type Logged,
  log,
  type Retention,
  setHistory,
} from './history.ts';
export { checkName, isName, newIdentity } from './identity.ts';
export { delivered } from './inbox.ts';
export {
  type Added,
  add,
  type InviteView,
  invite,
  LAST_USER,
  type MadeInvite,
  viewInvite,
  withdrawInvite,
} from './invites.ts';
export type { ChainOnLadder, Ladder } from './ladder.ts';
export { DAY, goOnAfterRestore, prune, SECOND, type Swept } from './maintenance.ts';
export { type Unwritten, unwritten, unwrittenAs } from './outbox.ts';
export type { Delivery, Notice, Outcome } from './outcome.ts';
export { type Arrival, type ReceiveOptions, type Reception, receive } from './receive.ts';
export {
  type ChainReport,
  type ContactReport,
  contactNames,
  contactReports,
  type IdentityReport,
  type InviteReport,
  identityReport,
  missing,
  type SessionReport,
  sessionReports,
} from './reports.ts';
export { checkContact, type Sent, send, sendAll, written } from './send.ts';
export type * from './store.ts';
export type { Context } from './store.ts';
