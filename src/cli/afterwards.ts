import { PawlError } from '../errors.ts';
import { explain } from './explain.ts';
import type { Tell } from './tell.ts';

/**
 * Notes in the identity file that something has been written out. That it cannot be noted is no failure of what was done:
 * who did it again would do it twice. It stays in its box, and may come once more.
 */
export async function afterwards(tell: Tell, note: () => Promise<void>): Promise<void> {
  try {
    await note();
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    await tell.warn(`this is done, but could not be noted, and may come once more: ${explain(error).message}`);
  }
}
