/**
 * Sends to several contacts: an envelope for each, along its route or into a file of its own. One output for all of them would
 * show each how many others there are. What fails for one keeps nothing back from the others.
 * Does not know the options of the command.
 */
import { PawlError } from '../../../errors.ts';
import {
  type Addressee,
  type ForEach,
  type LeftOut,
  listRoutes,
  namesOf,
  OutgoingContent,
  type SentMessage,
  sendToEach,
  unreachedOf,
} from '../../../session/index.ts';
import { Places } from '../../carrier/places.ts';
import type { CommandContext } from '../../context.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import { explain } from '../../terminal/error-messages.ts';
import { bytesInWords } from '../../terminal/format.ts';
import { type Contents, type Item, inspect, type Prepared, prepare } from './contents.ts';
import { TAKES_TIME, tellOfExpiredInvite } from './encrypt.ts';
import { FilesForEach } from './files-for-each.ts';
import { RoutesToEach } from './routes-to-each.ts';
import type { LargeContent } from './source.ts';

/** Whom it is for, and how it gets there. */
export interface Several {
  /** As it was typed. */
  readonly to: string;
  readonly addressees: readonly Addressee[];
  /** A folder for the envelopes; without it, they go along the routes. */
  readonly outDir: string | undefined;
  readonly armored: boolean;
  readonly force: boolean;
  readonly allOrNone: boolean;
}

/** What one contact gets, in the order in which it was given. */
export type Parcel =
  | { readonly message: SentMessage }
  | { readonly content: OutgoingContent; readonly large: LargeContent };

/** What each contact gets, by their names and in their order. */
export type Parcels = ReadonlyMap<string, readonly Parcel[]>;

/** Where the envelopes for several contacts go. */
export interface Ways {
  /** @returns the exit code of the first that did not get there. */
  deliver(parcels: Parcels): Promise<number>;
  /**
   * A content behind these has failed, which is told afterwards: says what becomes of these.
   * @param paths of those that were encrypted.
   */
  endEarly(parcels: Parcels, paths: readonly string[]): Promise<void>;
}

/** @returns the exit code of the first contact that was left out; else of the first that did not get everything. */
export async function sendToSeveral(context: CommandContext, contents: Contents, several: Several): Promise<number> {
  const { items, isWritten } = contents;
  const [item] = items;
  const early = item === undefined || isWritten || items.length > 1 ? undefined : await prepare(item);
  return withIdentity(context, async (identity) => {
    const names = await namesOf(identity, several.addressees);
    const places = new Places(context);
    const parcels = new Map<string, Parcel[]>();
    try {
      const ways = await waysTo(context, identity, { ...several, names, places, items });
      const check = (prepared: Prepared) => refuseReadOnce(prepared, names);
      if (early !== undefined) check(early);
      const left = new LeftOutOnce(context, several.allOrNone);
      if (isWritten) {
        const unreached = await unreachedOf(identity, { names, byRoute: several.outDir === undefined });
        await left.tell(unreached, 'nothing');
        if (unreached.length > 0 && (several.allOrNone || unreached.length === names.length)) return left.exit;
      }
      const inspected = early === undefined ? await inspect(items, several.to, check) : [async () => early];
      let done = 0;
      try {
        for (const next of inspected) {
          await seal(context, identity, { several, names, left, parcels }, await next());
          if (several.allOrNone && left.exit > 0) break;
          done += 1;
        }
      } catch (error) {
        if (parcels.size > 0)
          await ways.endEarly(
            parcels,
            items.slice(0, done).flatMap(({ path }) => path ?? []),
          );
        throw error;
      }
      const exit = await ways.deliver(parcels);
      return left.exit || exit;
    } finally {
      await places.close();
    }
  });
}

/**
 * Chooses the files, or sees that there are routes, before anything is encrypted.
 * @throws `usage` where none of the contacts is reached by a route; `no-folder`, `exists` and the like.
 */
async function waysTo(
  context: CommandContext,
  identity: OpenIdentity,
  {
    to,
    names,
    outDir,
    armored,
    force,
    places,
    items,
  }: Several & { readonly names: readonly string[]; readonly places: Places; readonly items: readonly Item[] },
): Promise<Ways> {
  if (outDir !== undefined) {
    const inputs = items.flatMap(({ path }) => path ?? []);
    return new FilesForEach(context, identity, { names, folder: outDir, armored, force, inputs });
  }
  const routed = new Set(
    (await listRoutes(identity)).filter(({ isForInvite }) => !isForInvite).map(({ name }) => name),
  );
  if (names.some((name) => routed.has(name))) return new RoutesToEach(context, identity, places);
  throw new PawlError('usage', {
    problem: `${to} is reached by no route, and one output for several would show each how many others there are`,
    hint: `a file for each: pawl send ${to} --out-dir DIR; or set routes: pawl route NAME ROUTE`,
  });
}

interface Sealing {
  readonly several: Several;
  readonly names: readonly string[];
  readonly left: LeftOutOnce;
  readonly parcels: Map<string, Parcel[]>;
}

/** Encrypts a content for each, in one transaction. */
async function seal(
  context: CommandContext,
  identity: OpenIdentity,
  { several, names, left, parcels }: Sealing,
  prepared: Prepared,
): Promise<void> {
  const recipients = { names, byRoute: several.outDir === undefined, allOrNone: several.allOrNone };
  const { made, leftOut } = await parcelsOf(context, identity, recipients, prepared);
  for (const [to, parcel] of made) {
    const parcelsOfOne = parcels.get(to) ?? [];
    parcels.set(to, parcelsOfOne);
    parcelsOfOne.push(parcel);
    await tellOfExpiredInvite(context, 'message' in parcel ? parcel.message : parcel.content);
  }
  await left.tell(leftOut, parcels.size > 0 ? 'the rest' : 'nothing');
}

async function parcelsOf(
  { reporter }: CommandContext,
  identity: OpenIdentity,
  recipients: Parameters<typeof sendToEach>[1],
  prepared: Prepared,
): Promise<ForEach<readonly [to: string, parcel: Parcel]>> {
  if ('large' in prepared) {
    refuseReadOnce(prepared, recipients.names);
    const { large } = prepared;
    const { made, leftOut } = await OutgoingContent.beginForEach(identity, recipients, large);
    return { leftOut, made: made.map((content) => [content.to, { content, large }] as const) };
  }
  const { plaintext, onSealed } = prepared;
  if (plaintext.length > TAKES_TIME) reporter.progress.update(`encrypting ${bytesInWords(plaintext.length)} for each`);
  const { made, leftOut } = await sendToEach(identity, recipients, plaintext);
  reporter.progress.clear();
  if (made.length > 0) onSealed?.();
  return { leftOut, made: made.map((message) => [message.to, { message }] as const) };
}

/** @throws `usage`. */
function refuseReadOnce(prepared: Prepared, names: readonly string[]): void {
  if (!('large' in prepared) || !prepared.large.isReadOnce || names.length < 2) return;
  throw new PawlError('usage', {
    problem: 'what is larger than 16 MiB and comes from a pipe can be read once, and so goes to one contact only',
    hint: 'save it to a file, and send that: pawl send NAMES FILE',
  });
}

const IS_NOT_SENT = { 'the rest': 'the rest is not sent', nothing: 'nothing is sent' };

/** Tells who was left out, of several contents once. */
class LeftOutOnce {
  readonly #context: CommandContext;
  readonly #allOrNone: boolean;
  readonly #told = new Set<string>();
  /** The exit code of the first. */
  exit = 0;

  constructor(context: CommandContext, allOrNone: boolean) {
    this.#context = context;
    this.#allOrNone = allOrNone;
  }

  /** @param what is not sent with `--all-or-none`. */
  async tell(leftOut: readonly LeftOut[], what: 'the rest' | 'nothing'): Promise<void> {
    const { reporter } = this.#context;
    for (const { name, error } of leftOut) {
      if (this.#told.has(name)) continue;
      this.#told.add(name);
      const { message, hint, exit } = explain(error);
      this.exit ||= exit;
      if (reporter.json) {
        const document = { type: 'left-out', to: name, code: error.code, message };
        await reporter.document({ ...document, ...(hint !== undefined && { hint }) });
      } else {
        await reporter.error(
          error,
          this.#allOrNone ? `${IS_NOT_SENT[what]}, because of ${name}` : `${name} is left out`,
        );
      }
    }
  }
}
