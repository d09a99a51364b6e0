/**
 * Hands a large content over: its parts into a box of its own, then the message with its descriptor, so that nobody looks for
 * parts before they are there.
 * Does not know where the content is read from.
 */
import { PawlError } from '../../../errors.ts';
import { nameOf, type OutgoingContent } from '../../../session/index.ts';
import { type Carrier, isOfPlace } from '../../carrier/hand-over.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { explain, queuedInWords } from '../../terminal/error-messages.ts';
import { describe, type EnvelopeFormat, EnvelopeOutput, queuedError } from './output.ts';
import { giveUpStream, type PartsToWrite, sealedParts } from './parts.ts';

/**
 * Puts the parts that are not at the place yet, and the message with the descriptor.
 * @throws `queued` where the place fails, and a later command can go on; `stream-lost` where none can; what reading throws.
 */
export async function carryParts(
  context: CommandContext,
  identity: OpenIdentity,
  content: OutgoingContent,
  parts: PartsToWrite,
): Promise<void> {
  const { reporter } = context;
  const { format } = parts;
  const { carrier } = format;
  if (carrier === undefined) throw new Error('there is a route');
  const onEnd = context.io.beforeEnd(() => tellEnd(context, content, carrier));
  try {
    await putParts(context, content, { ...parts, carrier });
  } catch (error) {
    if (isOfPlace(error)) throw await interrupted(context, content, { ...format, carrier }, error);
    await giveUpStream(content);
    throw error;
  } finally {
    onEnd.remove();
    reporter.progress.clear();
  }
  const sent = await content.handIn();
  content.wipe();
  // The contact was forgotten meanwhile.
  if (sent === undefined) return;
  const output = new EnvelopeOutput(context, identity, format);
  await output.write([sent]);
  await output.acknowledge();
  await tell(context, content, { format, fate: output.fateOf(sent.outboxId) });
  await output.tellOfCarrier();
}

async function putParts(
  context: CommandContext,
  content: OutgoingContent,
  { carrier, ...parts }: PartsToWrite & { readonly carrier: Carrier },
): Promise<void> {
  const box = content.partBox;
  for await (const { envelope, isDue } of sealedParts(context, content, parts)) {
    await carrier.putPart(box, content.parts - 1, envelope);
    content.keep();
    if (isDue()) await content.save();
  }
}

/** A signal ends pawl in the midst of a content. */
async function tellEnd({ reporter }: CommandContext, content: OutgoingContent, { title }: Carrier): Promise<void> {
  const { source, to, outgoingId: id } = content;
  reporter.progress.clear();
  await reporter.notice(
    source === undefined
      ? `${nameOf(content)} for ${to} is not all at ${title}: send it again`
      : `${nameOf(content)} for ${to} is not all at ${title}: pawl outbox resend L${id} hands over the rest`,
  );
}

/** The place fails: what is there is noted, so that a later command goes on behind it. A stream is given up. */
async function interrupted(
  context: CommandContext,
  content: OutgoingContent,
  format: EnvelopeFormat & { readonly carrier: Carrier },
  cause: PawlError,
): Promise<PawlError> {
  const { carrier } = format;
  const { to, source, kept: parts, total, outgoingId: id } = content;
  if (source === undefined) {
    await content.abandon();
    content.wipe();
    return new PawlError('stream-lost', { to, why: explain(cause).message }, { cause });
  }
  await content.save();
  content.wipe();
  await tell(context, content, { format, fate: { queued: true } });
  const large = { what: nameOf(content), id, parts, total };
  const error = queuedError(carrier, cause, large);
  if (error === cause) await context.reporter.notice(`${queuedInWords(to, large)}: pawl outbox resend L${id}`);
  return error;
}

/** Describes a content. @param fate what became of it. */
async function tell(
  context: CommandContext,
  content: OutgoingContent,
  { format, fate }: { readonly format: EnvelopeFormat; readonly fate: Readonly<Record<string, unknown>> },
): Promise<void> {
  const { to, id, n, size, opening, expiredInvite, total, partSize } = content;
  const bytes = size ?? content.bytes;
  const parts = total ?? content.parts;
  await describe(context, format, { to, id, n, bytes, opening, expiredInvite, parts, partSize, fate });
}
