/**
 * `pawl outbox`: lists the envelopes that were committed and perhaps never written or handed over, and does that again.
 */
import { Argument } from 'commander';
import { armor, armoredLength } from '../../envelope/index.ts';
import { type ErrorCode, isPawlError, PawlError } from '../../errors.ts';
import { formatRoute } from '../../places/index.ts';
import { toHex, utf8 } from '../../primitives/index.ts';
import {
  acknowledgeSent,
  listOutbox,
  listRoutes,
  listUnsent,
  nameOf,
  OutgoingContent,
  readEnvelope,
  selectFromOutbox,
  type UnsentContent,
  type UnsentEnvelope,
} from '../../session/index.ts';
import { Carrier, HandOverQueue, isOfPlace } from '../carrier/hand-over.ts';
import { Places } from '../carrier/places.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { type OpenIdentity, withIdentity } from '../identity/open.ts';
import { wholeNumber } from '../option-types.ts';
import { LARGE, onHost, unsentFields, writtenInWords } from '../show/transfers.ts';
import { acknowledgeOrWarn, checkFitsTerminal } from '../stream/write.ts';
import { explain } from '../terminal/error-messages.ts';
import { count, instant, iso, PAGE_LENGTH, table } from '../terminal/format.ts';
import { hostOfMachine } from '../terminal/process-name.ts';
import { carryParts } from './send/carried-parts.ts';
import { queuedError } from './send/output.ts';
import { leastArmor, writeParts } from './send/parts.ts';
import { fileContent, isSameFile } from './send/source.ts';

interface OutboxOptions {
  readonly all?: true;
  /** Counted from 1. */
  readonly from?: number;
}

const resendId = wholeNumber(1, 999_999_999);

export const defineOutbox: DefineCommand = (program, makeAction) => {
  program
    .command('outbox')
    .description('show, or send again, envelopes that were never fully written or handed over')
    .addArgument(new Argument('[resend]', 'write them again, or hand them over').choices(['resend']))
    .argument('[id]', 'only this one')
    .option('--from <part>', 'with the number of a large content: begin with this part', wholeNumber(1, 999_999_999))
    .option('--all', `list all, not only the newest ${PAGE_LENGTH}; --json always does`)
    .addHelpText(
      'after',
      `
An envelope stays here when its process ended before all of it was written. The same bytes again are the same
message: the other side shows it once. Of a large content, resend goes on in a file with the parts that were not written.
What went into a pipe may be lost with the process at its other end: all of it comes again, and the other side passes over
what it has; --from begins with the part that is missing there (pawl inspect).
What is for a contact with a route is handed over there, and not written (pawl route).

Examples:
  $ pawl outbox
  $ pawl outbox resend > message.pawl
  $ pawl outbox resend L1 >> film.pawl
  $ pawl outbox resend L1 --from 901 | ssh bob@home pawl recv --out-dir films`,
    )
    .action(
      makeAction(async (context, action: string | undefined, id: string | undefined, { all, from }: OutboxOptions) => {
        const isLarge = id?.startsWith(LARGE) === true;
        if (from !== undefined && !isLarge) {
          const hint = `pawl outbox resend ${LARGE}1 --from ${from}`;
          throw new PawlError('usage', { problem: '--from goes with the number of a large content', hint });
        }
        if (action === undefined) await list(context, all === true || context.reporter.json ? undefined : PAGE_LENGTH);
        else if (all) throw new PawlError('usage', { problem: '--all and resend do not go together' });
        else if (isLarge) await resendLarge(context, resendId(id.slice(LARGE.length)), from);
        else return await resend(context, id === undefined ? undefined : resendId(id));
        return 0;
      }),
    );
};

/** @param newest how many to list; without it, all. */
async function list(context: CommandContext, newest: number | undefined): Promise<void> {
  const { envelopes, older, contents, titles } = await withIdentity(
    context,
    async (identity) => ({
      ...(await listOutbox(identity, newest)),
      contents: await listUnsent(identity),
      titles: await titlesOf(identity),
    }),
    'reads',
  );
  const titleFor = (to: string, hasBox: boolean): string | undefined => (hasBox ? titles.get(to) : undefined);
  const { reporter } = context;
  if (reporter.json) {
    for (const envelope of envelopes) {
      const route = titleFor(envelope.to, envelope.box !== undefined);
      await reporter.document({ ...documentOf(envelope), ...(route !== undefined && { route }) });
    }
    for (const content of contents) {
      const route = titleFor(content.to, content.hasBox);
      await reporter.document({ type: 'unfinished', ...unsentFields(content), ...(route !== undefined && { route }) });
    }
    return;
  }
  if (envelopes.length + contents.length === 0) {
    await reporter.notice('nothing is waiting to be written');
    return;
  }
  const way = (to: string, hasBox: boolean): readonly string[] => {
    const title = titleFor(to, hasBox);
    return title === undefined ? [] : [`by ${title}`];
  };
  const rows = [
    ...envelopes.map(({ id, to, createdAt, length, box }) => [
      String(id),
      `for ${to}`,
      instant(createdAt),
      `${length} bytes`,
      ...way(to, box !== undefined),
    ]),
    ...contents.map((content) => [
      `${LARGE}${content.id}`,
      `for ${content.to}`,
      instant(content.createdAt),
      `${nameOf(content)}${onHost(content.source, context.io.host())}, ${writtenInWords(content, titleFor(content.to, content.hasBox))}`,
    ]),
  ];
  await reporter.lines(table(rows).join('\n'));
  if (older > 0) {
    const are = older === 1 ? 'is' : 'are';
    await reporter.notice(`${count(older, 'older one')} ${are} not shown: pawl outbox --all`);
  }
}

/** What is wrong with one content keeps none of the others back. @returns the exit code. */
async function resend(context: CommandContext, id: number | undefined): Promise<number> {
  const { io, reporter } = context;
  let exit = 0;
  await withWays(context, async (identity, wayTo) => {
    const all = await selectFromOutbox(identity, id);
    const entries: UnsentEnvelope[] = [];
    const byId = new Map(all.map((entry) => [entry.id, entry]));
    const byCarrier = new Map<Carrier, UnsentEnvelope[]>();
    for (const entry of all) {
      const carrier = entry.box && (await wayTo(entry.to));
      if (carrier === undefined) entries.push(entry);
      else {
        const carried = byCarrier.get(carrier) ?? [];
        byCarrier.set(carrier, carried);
        carried.push(entry);
      }
    }
    let handedOver = 0;
    for (const [carrier, carried] of byCarrier) {
      const queue = new HandOverQueue(identity);
      queue.addUnsent(carried);
      for await (const { outboxId } of queue.handOver(carrier)) {
        await acknowledgeOrWarn(reporter, () => acknowledgeSent(identity, [outboxId]));
        handedOver += 1;
        const entry = byId.get(outboxId);
        if (entry) await reporter.documentOnStderr({ ...documentOf(entry), handed_to: carrier.title });
      }
      if (queue.failure === undefined) continue;
      const code = await reporter.error(queuedError(carrier, queue.failure), `what waits for ${carrier.to}`);
      exit ||= code;
    }
    if (handedOver > 0) await reporter.notice(`${count(handedOver, 'envelope')} handed over`);
    const characters = entries.reduce((sum, { length }) => sum + armoredLength(length), 0);
    checkFitsTerminal(
      io.output,
      characters,
      'pawl outbox resend > FILE, or one after the other: pawl outbox resend ID',
    );
    for (const entry of entries) {
      const envelope = await readEnvelope(identity, entry.id);
      // Another pawl has written it since, or the contact was forgotten.
      if (envelope === undefined) continue;
      await io.output.write(io.output.isTerminal ? utf8(armor(envelope)) : envelope);
      await io.output.flush();
      await acknowledgeOrWarn(reporter, () => acknowledgeSent(identity, [entry.id]));
      await reporter.documentOnStderr(documentOf(entry));
    }
    const contents = id === undefined ? await listUnsent(identity) : [];
    for (const content of contents) {
      try {
        await resume(context, identity, content, { carrier: content.hasBox ? await wayTo(content.to) : undefined });
      } catch (error) {
        if (!(isOfPlace(error) || (error instanceof PawlError && OF_ONE_CONTENT.has(error.code)))) throw error;
        const about = `${nameOf(content)} for ${content.to}`;
        // That machine goes on with it: nothing is wrong.
        if (isPawlError(error, 'source-elsewhere')) await reporter.notice(`${about}: ${explain(error).message}`);
        else {
          const code = await reporter.error(error, about);
          exit ||= code;
        }
      }
    }
    if (all.length + contents.length === 0) await reporter.notice('nothing is waiting to be written');
  });
  return exit;
}

/** Their reason is what is read or where the route leads, and not where it is written. */
const OF_ONE_CONTENT: ReadonlySet<ErrorCode> = new Set([
  'source-changed',
  'source-elsewhere',
  'cannot-resume',
  'read-failed',
  'not-in-outbox',
  'queued',
]);

async function resendLarge(context: CommandContext, id: number, from: number | undefined): Promise<void> {
  await withWays(context, async (identity, wayTo) => {
    const content = (await listUnsent(identity)).find((one) => one.id === id);
    if (content === undefined) throw new PawlError('not-in-outbox', { id });
    const { total } = content;
    if (from !== undefined && total !== undefined && from > total) {
      throw new PawlError('usage', {
        problem: `--from ${from}: there ${total === 1 ? 'is 1 part' : `are ${total} parts`}`,
      });
    }
    await resume(context, identity, content, { from, carrier: content.hasBox ? await wayTo(content.to) : undefined });
  });
}

/**
 * Goes on with the parts of a large content: behind those that an earlier command has put on a disk, where this one goes to a
 * disk as well; else with the first. Along a route, behind those that were put at this place.
 * @param options.from the part to begin with, counted from 1.
 */
async function resume(
  context: CommandContext,
  identity: OpenIdentity,
  known: UnsentContent,
  { from, carrier }: { readonly from?: number | undefined; readonly carrier: Carrier | undefined },
): Promise<void> {
  const { output } = context.io;
  const { id, size } = known;
  refuseElsewhere(context, known);
  if (carrier === undefined) checkFitsTerminal(output, leastArmor({ size }), 'pawl outbox resend >> FILE');
  const isWhole = from !== undefined || (carrier === undefined && output.isFile !== true);
  const content = await OutgoingContent.resume(identity, id, { isWhole, place: carrier?.place });
  const { source } = content;
  if (source === undefined || size === undefined) return;
  const parts = { large: fileContent(source, size), ...(from !== undefined && { first: from - 1 }) };
  const format = { armored: output.isTerminal, file: undefined };
  if (carrier === undefined) await writeParts(context, content, { ...parts, format });
  else await carryParts(context, identity, content, { ...parts, format: { ...format, carrier } });
}

/** A file of another machine is not taken for one that has changed, which would give the content up. @throws `source-elsewhere`. */
function refuseElsewhere({ io }: CommandContext, { source, size }: UnsentContent): void {
  if (source?.host === undefined || source.host === io.host() || isSameFile(source, size ?? 0)) return;
  throw new PawlError('source-elsewhere', { path: source.path, host: hostOfMachine(source.host) });
}

/** Runs `work` with what gives the carrier to a contact; `undefined` for one without a route. */
async function withWays(
  context: CommandContext,
  work: (identity: OpenIdentity, wayTo: (name: string) => Promise<Carrier | undefined>) => Promise<void>,
): Promise<void> {
  await withIdentity(context, async (identity) => {
    const places = new Places(context);
    const carriers = new Map<string, Promise<Carrier | undefined>>();
    try {
      await work(identity, (name) => {
        const carrier = carriers.get(name) ?? Carrier.for(places, identity, name);
        carriers.set(name, carrier);
        return carrier;
      });
    } finally {
      await places.close();
    }
  });
}

/** What the places of the contacts are called. */
async function titlesOf(identity: OpenIdentity): Promise<ReadonlyMap<string, string>> {
  const routes = (await listRoutes(identity)).filter(({ isForInvite }) => !isForInvite);
  return new Map(routes.map(({ name, route }) => [name, formatRoute(route)]));
}

function documentOf({ id, to, messageId, createdAt, length }: UnsentEnvelope) {
  return {
    type: 'unwritten',
    outbox_id: id,
    to,
    id: toHex(messageId),
    created_at: iso(createdAt),
    bytes: length,
  };
}
