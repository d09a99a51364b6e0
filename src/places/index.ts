/**
 * Places that carry envelopes, and the routes to them: folders, commands, servers.
 * Knows nothing of what is in an envelope, and not whose a box is.
 */
import type { MakeOptions, Place, PlaceContext, Route } from './place.ts';
import type { Destination } from './route.ts';

export { boxOf, indexOfPart, isBox, isCalledAfter, nameOfEnvelope, nameOfPart } from './box.ts';
export { pause } from './patience.ts';
export type {
  Box,
  Delivery,
  Entry,
  ListLimits,
  MakeOptions,
  Place,
  PlaceContext,
  Refusal,
  Route,
} from './place.ts';
export { type Destination, formatRoute, parseRoute } from './route.ts';
export { type ShellCommand, startInShell } from './shell.ts';

/**
 * Makes the route to a destination, with what is stored of it. Finds the mark of a folder, or makes one. Has a command list
 * a box in which there is nothing. Asks a server for its stream, and makes one where that is wished.
 * @throws `unreachable`; `no-folder`, `cannot-create`; `unsuited-stream`, `no-addon`, `missing-file`, `read-failed`.
 */
export async function makeRoute(to: Destination, options: MakeOptions, context: PlaceContext): Promise<Route> {
  switch (to.kind) {
    case 'dir': {
      const { markOf } = await import('./folder-place.ts');
      return { ...to, mark: await markOf(to.path, context) };
    }
    case 'exec': {
      const { CommandPlace } = await import('./command-place.ts');
      await new CommandPlace(to, context).try();
      return to;
    }
    case 'nats': {
      const { makeNats } = await import('./nats-place.ts');
      await makeNats(to, options, context);
      return to;
    }
  }
}

/**
 * Opens a place. Whether it can be reached shows at the first operation.
 * @throws `no-addon` without the package that a server needs; `unreachable` without its credentials.
 */
export async function openPlace(route: Route, context: PlaceContext): Promise<Place> {
  switch (route.kind) {
    case 'dir': {
      const { FolderPlace } = await import('./folder-place.ts');
      return new FolderPlace(route, context);
    }
    case 'exec': {
      const { CommandPlace } = await import('./command-place.ts');
      return new CommandPlace(route, context);
    }
    case 'nats': {
      const { openNats } = await import('./nats-place.ts');
      return await openNats(route, context);
    }
  }
}
