/**
 * The operations on an identity, each in one transaction: invite, add, send, receive, inspect, forget.
 * Uses ratchet, handshake and envelope. Knows no database: `store.ts` is the interface that `storage` implements.
 */

export { LARGEST_GAP } from '../ratchet/index.ts';
export { claimTime, LEASE } from './claims.ts';
export {
  acknowledgeForks,
  type Forgotten,
  forget,
  previewForget,
  rename,
  type Verification,
  verification,
  verify,
} from './contacts.ts';
export { HeldTexts } from './held-texts.ts';
export {
  countDeletable,
  type HistoryReport,
  historyReport,
  historySettingFor,
  type Logged,
  log,
  type Retention,
  recentHistory,
  setHistory,
} from './history.ts';
export { checkName, isName, newIdentity } from './identity.ts';
export {
  acknowledgeDelivered,
  type Claim,
  claim,
  claimAgain,
  isGivenUp,
  listLent,
  listWaiting,
  pauseOf,
  QUOTA,
  readClaimed,
  type Settled,
  TRIES,
  untilLeaseEnds,
  type WaitingText,
} from './inbox.ts';
export { type DroppedContent, dropOldIncoming, IncomingContent, incomingContents } from './incoming.ts';
export {
  type Added,
  add,
  discardInvite,
  type InviteView,
  invite,
  inviteHeld,
  inviteName,
  LAST_USER,
  type MadeInvite,
  openInvites,
  viewInvite,
  withdraw,
} from './invites.ts';
export type { ChainOnLadder, Ladder } from './ladder.ts';
export {
  type Addressee,
  changeList,
  deleteList,
  type ListChange,
  type ListReport,
  listNamed,
  listReports,
  namesOf,
} from './lists.ts';
export {
  leftBefore,
  leftIn,
  type Mailbox,
  type Mailboxes,
  MOST_LEFT,
  mailboxes,
  pauseAfter,
  restOf,
  type SettledEntries,
  settleEntries,
} from './mailboxes.ts';
export { DAY, goOnAfterRestore, prune, SECOND, type Swept, TRANSFER_RETENTION } from './maintenance.ts';
export { listOutbox, readEnvelope, selectFromOutbox, type UnsentEnvelope } from './outbox.ts';
export type { Announced, Delivery, Notice, Outcome, Waiting } from './outcome.ts';
export { listUnsent, type NewOutgoing, OutgoingContent, type UnsentContent } from './outgoing.ts';
export { type Arrival, type ReceiveOptions, type Reception, receive } from './receive.ts';
export {
  type ChainReport,
  type ContactReport,
  contactNames,
  contactReports,
  countMissing,
  type HeldContact,
  heldContacts,
  type IdentityReport,
  type InviteReport,
  identityReport,
  type SessionReport,
  sessionReports,
} from './reports.ts';
export {
  checkBoxes,
  distrustRoutes,
  dropRoute,
  hasAnyRoute,
  keyOfRoute,
  listRoutes,
  placeOf,
  type RouteReport,
  type RouteSet,
  routeFor,
  routeTo,
  setRoute,
} from './routes.ts';
export { acknowledgeSent, checkCanSend, checkContact, type Sent, type SentMessage, send, sendAll } from './send.ts';
export { type ForEach, type LeftOut, type Recipients, sendToEach, unreachedOf } from './several.ts';
export { type BoxToEmpty, boxesToEmpty, noteEmptied } from './spent-boxes.ts';
export type * from './store.ts';
export type { Context } from './store.ts';
export { nameOf } from './transfers.ts';
