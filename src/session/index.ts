/** Units of work on an identity: one for each thing a person does. It knows ratchet, handshake and envelope; never storage. */

export { LARGEST_GAP } from '../ratchet/index.ts';
export { type Added, add } from './add.ts';
export { goOnAfterRestore } from './after-restore.ts';
export type { Context } from './context.ts';
export { type Forgotten, forget, forgettable } from './forget.ts';
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
export { DAY, SECOND, type Swept } from './housekeeping.ts';
export { delivered } from './inbox.ts';
export { invite, type MadeInvite, withdrawInvite } from './invite.ts';
export type { ChainOnLadder, Ladder } from './ladder.ts';
export { missing } from './missing.ts';
export { checkName, isName } from './names.ts';
export { newIdentity } from './new-identity.ts';
export { type Unwritten, unwritten, unwrittenAs } from './outbox.ts';
export { prune } from './prune.ts';
export { type Arrival, type ReceiveOptions, type Reception, receive } from './receive.ts';
export type { Delivery, Notice, Outcome } from './received.ts';
export { rename } from './rename.ts';
export {
  type ChainReport,
  type ContactReport,
  contactNames,
  contactReports,
  type IdentityReport,
  type InviteReport,
  identityReport,
  type SessionReport,
  sessionReports,
} from './report.ts';
export { checkContact, type Sent, send, sendAll, written } from './send.ts';
export type * from './store.ts';
export { LAST_USER } from './user.ts';
export { type Verification, verification, verify } from './verify.ts';
export { type InviteView, viewInvite } from './view-invite.ts';
