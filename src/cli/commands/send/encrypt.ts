/**
 * Encrypts what `send` was given, and tells at once what its sender has to know of it.
 * Writes no envelope: see output.ts and parts.ts.
 */
import { type OutboxId, OutgoingContent, type Sent, sendAll } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { day } from '../../terminal/format.ts';
import type { LargeContent } from './source.ts';

/** Bytes whose encryption takes a noticeable time. */
export const TAKES_TIME = 2 ** 20;

/** Each in one envelope. */
export interface Plaintexts {
  /** Of the contact. */
  readonly name: string;
  /** Padded. */
  readonly plaintexts: readonly Uint8Array[];
  /** Envelopes that have been written out, and leave the outbox. */
  readonly written?: readonly OutboxId[];
}

/** @throws as `sendAll`. */
export async function encrypt(
  context: CommandContext,
  identity: OpenIdentity,
  { name, plaintexts, written }: Plaintexts,
): Promise<readonly Sent[]> {
  const sent = await sendAll(identity, name, plaintexts, written);
  for (const one of sent) await tellOfExpiredInvite(context, one);
  return sent;
}

/**
 * Encrypts the descriptor of a large content.
 * @param place where its parts are put, if along a route.
 * @throws as `sendAll`.
 */
export async function encryptLarge(
  context: CommandContext,
  identity: OpenIdentity,
  { name, large, place }: { readonly name: string; readonly large: LargeContent; readonly place?: string | undefined },
): Promise<OutgoingContent> {
  const content = await OutgoingContent.begin(identity, name, large, place);
  await tellOfExpiredInvite(context, content);
  return content;
}

/** It is dropped already, so it is told also if nothing can be written. */
export async function tellOfExpiredInvite(
  { reporter }: CommandContext,
  { to, expiredInvite }: Pick<Sent, 'to' | 'expiredInvite'>,
): Promise<void> {
  if (expiredInvite === undefined) return;
  await reporter.warn(
    `the invite of ${to} that you added expired on ${day(expiredInvite)}, and is dropped: this goes on the conversation of before; for a new one, ask ${to} for a new invite`,
  );
}
