/**
 * `pawl route`: shows, sets and removes how the envelopes for a contact, and from it, are carried.
 */
import { isPawlError, PawlError } from '../../errors.ts';
import { boxOf, formatRoute, makeRoute, parseRoute, type Route } from '../../places/index.ts';
import {
  dropRoute,
  listRoutes,
  mailboxes,
  placeOf,
  type RouteReport,
  routeFor,
  setRoute,
} from '../../session/index.ts';
import { isOfPlace } from '../carrier/hand-over.ts';
import { Places, placeContext } from '../carrier/places.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { type OpenIdentity, withIdentity } from '../identity/open.ts';
import { count, instant, iso, shellWord, table } from '../terminal/format.ts';

interface RouteOptions {
  readonly off?: true;
  readonly create?: true;
  readonly anyStream?: true;
}

export const defineRoute: DefineCommand = (program, makeAction) => {
  program
    .command('route [name] [route]')
    .description('show or set how messages for NAME, and from NAME, are carried')
    .option('--off', 'carry them by hand again')
    .option('--create', 'nats: make the stream that the server lacks')
    .option('--any-stream', 'nats: take a stream with other settings')
    .addHelpText(
      'after',
      `
Both sides type it once, each for the other; nobody exchanges addresses. ROUTE is
one of:

  dir:FOLDER           a folder that both see: synchronized, mounted, on a stick
  exec:COMMAND         a command of four verbs, as ssh RELAY pawl-box FOLDER
  nats://HOST[:PORT]   a NATS server with JetStream; ?creds=FILE behind it

NAME is a contact, or the name of an open invite: who comes in by it takes the route over.
Then pawl send hands over by itself, and pawl recv fetches.

Examples:
  $ pawl route bob dir:~/Sync/us
  $ pawl route bob exec:'ssh relay pawl-box /srv/pawl'
  $ pawl route
  $ pawl route bob --off`,
    )
    .action(
      makeAction(async (context, name: string | undefined, text: string | undefined, options: RouteOptions) => {
        if (name === undefined) await show(context);
        else if (options.off) await turnOff(context, name, text);
        else if (text === undefined) await show(context, name);
        else await set(context, name, text, options);
        return 0;
      }),
    );
};

async function set(context: CommandContext, name: string, text: string, options: RouteOptions): Promise<void> {
  const { io, reporter } = context;
  const destination = parseRoute(text, io.home());
  await withIdentity(context, async (identity) => {
    const former = await routeFor(identity, name);
    const make = { create: options.create === true, anyStream: options.anyStream === true };
    const route = await makeRoute(destination, make, placeContext(context)).catch((error) => {
      throw isPawlError(error, 'unreachable') ? new PawlError('unreachable', { ...error.detail, isNew: true }) : error;
    });
    const wasEmptied = former !== undefined && isEmptied(former.route, route);
    const isElsewhere = former !== undefined && placeOf(former.route) !== placeOf(route);
    const strands = isElsewhere && !wasEmptied ? await strandedAt(context, identity, former) : undefined;
    const { isForInvite, lacksBoxes } = await setRoute(identity, name, route);
    if (reporter.json) {
      await reporter.document(documentOf({ name, route, setAt: io.now(), isTrusted: true, isForInvite }));
    } else {
      const who = isForInvite ? `who comes in by the invite for ${name}` : name;
      await reporter.notice(`messages for ${who}, and from there, go by ${formatRoute(route)}${markOf(route)}`);
    }
    if (wasEmptied) {
      await reporter.warn(
        `${formatRoute(route)} was marked ${shortMark(former.route)} before: it was emptied, or is another folder; the other side has to type its route again, too`,
      );
    }
    if (strands !== undefined) await reporter.warn(strands);
    if (lacksBoxes) {
      await reporter.warn(
        `the conversation with ${name} is older than routes: it takes one new invite, in either direction, and an answer to it (pawl invite ${name} -o invite.txt)`,
      );
    } else if (!reporter.json) await tellNext(context, { name, route, isForInvite });
  });
}

async function tellNext(
  { reporter }: CommandContext,
  { name, route, isForInvite }: Pick<RouteReport, 'name' | 'route' | 'isForInvite'>,
): Promise<void> {
  const same = route.kind === 'dir' ? `: it says marked ${shortMark(route)} there if it is the same folder` : '';
  await reporter.notice(`${isForInvite ? 'they type' : `${name} types`} a route to the same place, for you${same}`);
  await reporter.notice(`then: ${isForInvite ? '' : `pawl send ${name} -m hi, or `}pawl recv`);
}

/** Whether a route leads to the same path as before, but not to the same folder. */
function isEmptied(former: Route, route: Route): boolean {
  return former.kind === 'dir' && route.kind === 'dir' && former.path === route.path && former.mark !== route.mark;
}

/** Looks what still lies at the place of a route that is given up. @returns what is to be told of it. */
async function strandedAt(
  context: CommandContext,
  identity: OpenIdentity,
  { name, route }: RouteReport,
): Promise<string | undefined> {
  const way = `(pawl route ${name} ${shellWord(formatRoute(route))}, and pawl recv)`;
  const places = new Places(context);
  try {
    let there = 0;
    for (const { boxes, ...known } of await mailboxes(identity, name)) {
      const place = await places.at(known);
      const listed = place.list(
        boxes.map(({ box }) => boxOf(box)),
        LOOK,
      );
      for await (const _ of listed) there += 1;
    }
    if (there === 0) return undefined;
    return `${count(there, 'envelope')} of ${name} ${there === 1 ? 'lies' : 'lie'} at ${formatRoute(route)}, where nothing is fetched any more: take them with the route of before ${way}`;
  } catch (error) {
    if (!isOfPlace(error)) throw error;
    return `what ${name} has put to ${formatRoute(route)} by now is not fetched any more: it cannot be reached; take it later with the route of before ${way}`;
  } finally {
    await places.close();
  }
}

const LOOK = { entries: 1_000, bytes: Number.MAX_SAFE_INTEGER };

async function turnOff(context: CommandContext, name: string, text: string | undefined): Promise<void> {
  if (text !== undefined) {
    throw new PawlError('usage', { problem: 'a route and --off do not go together', hint: 'give one of them' });
  }
  const { reporter } = context;
  await withIdentity(context, async (identity) => {
    const former = await routeFor(identity, name);
    const strands = former && (await strandedAt(context, identity, former));
    const wasSet = await dropRoute(identity, name);
    await reporter.notice(wasSet ? `messages for ${name} are carried by hand again` : `there is no route for ${name}`);
    if (strands !== undefined) await reporter.warn(strands);
  });
}

async function show(context: CommandContext, name?: string): Promise<void> {
  const { reporter } = context;
  const routes = await withIdentity(
    context,
    async (identity) => {
      if (name === undefined) return listRoutes(identity);
      const route = await routeFor(identity, name);
      return route === undefined ? [] : [route];
    },
    'reads',
  );
  if (reporter.json) {
    for (const route of routes) await reporter.document(documentOf(route));
    return;
  }
  if (routes.length === 0) {
    await reporter.notice(
      name === undefined ? 'there are no routes: pawl route NAME dir:FOLDER' : `there is no route for ${name}`,
    );
    return;
  }
  const rows = routes.map(({ name: who, isForInvite, route, setAt, isTrusted }) => [
    isForInvite ? `${who} (invite)` : who,
    `${formatRoute(route)}${markOf(route)}`,
    instant(setAt),
    ...(isTrusted || route.kind === 'dir' ? [] : ['not used: it was not typed on this machine']),
  ]);
  await reporter.lines(table(rows).join('\n'));
}

/** The mark of a folder, by which both sides see that they mean the same. */
function markOf(route: Route): string {
  return route.kind === 'dir' ? ` (marked ${shortMark(route)})` : '';
}

function shortMark(route: Route): string {
  return route.kind === 'dir' ? route.mark.slice(0, MARK_SHOWN) : '';
}

const MARK_SHOWN = 8;

function documentOf({ name, route, setAt, isTrusted, isForInvite }: RouteReport) {
  return {
    type: 'route',
    name,
    invite: isForInvite,
    route: formatRoute(route),
    ...(route.kind === 'dir' && { mark: route.mark }),
    set_at: iso(setAt),
    trusted: isTrusted,
  };
}
