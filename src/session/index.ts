/** Units of work on an identity: one for each thing a person does. It knows ratchet, handshake and envelope; never storage. */
export { type Added, add } from './add.ts';
export type { Context } from './context.ts';
export { DAY, SECOND } from './housekeeping.ts';
export { invite } from './invite.ts';
export { checkName } from './names.ts';
export { type Arrival, delivered, putBack, type ReceiveOptions, receive } from './receive.ts';
export type { Delivery, Notice, Outcome } from './received.ts';
export {
  type ChainReport,
  type ContactReport,
  type IdentityReport,
  type InviteReport,
  identityReport,
  type SessionReport,
  sessionReports,
} from './report.ts';
export { type Sent, send, written } from './send.ts';
export type * from './store.ts';
