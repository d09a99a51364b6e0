/**
 * Moves the identity that a command uses to another home.
 * Knows nothing of what is moved.
 */
import { type Created, type IdentityStore, type Lock, moveIdentity } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { withHome } from './home.ts';
import { tellOfMarks } from './marks.ts';
import { withIdentity } from './open.ts';
import { marksOf } from './path.ts';

interface Moved {
  readonly name: string;
  /** What its former place is called, and the present one. */
  readonly from: string;
  readonly path: string;
  /** The same, where others in a database could be meant. */
  readonly title: string;
  /** See `Created`. */
  readonly mayLose: boolean;
}

/**
 * Moves the identity, or goes on with a move that was stopped.
 * @param to an absolute path of a folder, or the URL of a database.
 * @throws what `moveIdentity`, opening the identity and making one throw.
 */
export async function moveIdentityTo(context: CommandContext, to: string): Promise<Moved> {
  const elsewhere = { ...context, options: { ...context.options, home: to } };
  const { io } = context;
  return withIdentity(
    context,
    ({ name, title: from, store, lock }) =>
      withHome(elsewhere, async (home) => {
        const place = home.at(name);
        let created: Partial<Created> | undefined;
        const destination = {
          path: home.shown,
          exists: () => place.exists(),
          prepare: () => place.prepare(),
          open: (key: Lock) => place.open(key, { peeks: true, onlyLooks: false }),
          createFrom: async (source: IdentityStore, key: Lock, beforeMade: () => Promise<void>) => {
            created = await place.createFrom(source, key, beforeMade);
          },
        };
        await moveIdentity(store, lock, destination, { random: io.random, host: io.host() });
        const { trouble, mayLose = false } = created ?? {};
        const { path, title } = place;
        await tellOfMarks(elsewhere, marksOf(elsewhere), { path, trouble });
        return { name, from, path, title, mayLose };
      }),
    'moves',
  );
}
