/**
 * Places that carry envelopes, and the routes to them: folders, commands, servers.
 * Knows nothing of what is in an envelope, and not whose a box is.
 */
import { PawlError } from '../errors.ts';
import type { MakeOptions, Place, PlaceContext, Route } from './place.ts';
import { type Destination, formatRoute } from './route.ts';

export { boxOf, bytesOfBox, isBox, nameOfEnvelope, nameOfPart } from './box.ts';
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
 * Makes the route to a destination, with what is stored of it. Finds the mark of a folder, or makes one. A command is not
 * run.
 * @throws `unreachable`; `no-folder`, `cannot-create`.
 */
export async function makeRoute(to: Destination, _options: MakeOptions, context: PlaceContext): Promise<Route> {
  switch (to.kind) {
    case 'dir': {
      const { markOf } = await import('./folder-place.ts');
      return { ...to, mark: await markOf(to.path, context) };
    }
    case 'exec':
      return to;
    case 'nats':
      throw notYet(to);
  }
}

/** Opens a place. Whether it can be reached shows at the first operation. */
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
    case 'nats':
      throw notYet(route);
  }
}

function notYet(route: Destination): PawlError {
  return new PawlError('bad-route', { route: formatRoute(route), reason: 'NATS is not built in here' });
}
