/**
 * `pawl route`: shows, sets and removes how the envelopes for a contact, and from it, are carried.
 */
import { PawlError } from '../../errors.ts';
import { formatRoute, makeRoute, parseRoute, type Route } from '../../places/index.ts';
import { dropRoute, listRoutes, type RouteReport, setRoute } from '../../session/index.ts';
import { placeContext } from '../carrier/places.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { instant, iso, table } from '../terminal/format.ts';

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
  exec:COMMAND         a command with four verbs, such as ssh RELAY pawl-box
  nats://HOST[:PORT]   a NATS server with JetStream; ?creds=FILE behind it

NAME is a contact, or the name of an open invite: who comes in by it takes the route over.
Then pawl send hands over by itself, and pawl recv fetches.

Examples:
  $ pawl route bob dir:~/Sync/us
  $ pawl route bob exec:'ssh relay pawl-box'
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
    const make = { create: options.create === true, anyStream: options.anyStream === true };
    const route = await makeRoute(destination, make, placeContext(context));
    const { isForInvite, lacksBoxes } = await setRoute(identity, name, route);
    if (reporter.json) {
      await reporter.document(documentOf({ name, route, setAt: io.now(), isTrusted: true, isForInvite }));
      return;
    }
    const who = isForInvite ? `who comes in by the invite for ${name}` : name;
    await reporter.notice(`messages for ${who}, and from there, go by ${formatRoute(route)}${markOf(route)}`);
    if (lacksBoxes) {
      await reporter.warn(
        `the conversation with ${name} is older than routes: it takes one new invite, in either direction, and an answer to it (pawl invite ${name} -o invite.txt)`,
      );
    } else await reporter.notice(`next: ${name === who ? `pawl send ${name} -m hi, or ` : ''}pawl recv`);
  });
}

async function turnOff(context: CommandContext, name: string, text: string | undefined): Promise<void> {
  if (text !== undefined) {
    throw new PawlError('usage', { problem: 'a route and --off do not go together', hint: 'give one of them' });
  }
  const wasSet = await withIdentity(context, (identity) => dropRoute(identity, name));
  await context.reporter.notice(
    wasSet ? `messages for ${name} are carried by hand again` : `there is no route for ${name}`,
  );
}

async function show(context: CommandContext, name?: string): Promise<void> {
  const { reporter } = context;
  const all = await withIdentity(context, listRoutes, 'reads');
  const routes = all.filter((one) => name === undefined || one.name === name);
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
    ...(isTrusted || route.kind !== 'exec' ? [] : ['not used: it was not typed on this machine']),
  ]);
  await reporter.lines(table(rows).join('\n'));
}

/** The mark of a folder, by which both sides see that they mean the same. */
function markOf(route: Route): string {
  return route.kind === 'dir' ? ` (marked ${route.mark.slice(0, MARK_SHOWN)})` : '';
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
