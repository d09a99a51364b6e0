import type { Context } from './context.ts';

/** How many messages of a contact are missing, and can still be read when they come. */
export async function missing({ store }: Pick<Context, 'store'>, name: string): Promise<number> {
  return store.snapshot(async (view) => {
    const contact = await view.contactNamed(name);
    let count = 0;
    for (const { id } of contact === undefined ? [] : await view.sessions(contact.id)) {
      count += (await view.missingMessages(id)).length;
    }
    return count;
  });
}
