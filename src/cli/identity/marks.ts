/**
 * Says so where nothing would notice that an identity is restored, because its mark is not kept.
 * Reads and writes no mark itself.
 */
import type { CommandContext } from '../context.ts';
import { isDatabase } from '../terminal/format.ts';
import type { Marks } from './path.ts';

/** Of a server that confirms what no standby has yet. */
export const MAY_LOSE =
  'commits do not wait for a standby of this server (synchronous_standby_names): where one takes over, the last of them may be missing, which pawl notices';

/** Where an identity is, and why its mark cannot be read or written, if so. */
interface Marked {
  readonly path: string;
  readonly trouble: string | undefined;
}

export async function tellOfMarks(context: CommandContext, marks: Marks, marked: Marked): Promise<void> {
  if (marks.folder === undefined) {
    const what = isDatabase(marked.path) ? 'database' : 'identity file';
    const words = `no mark is kept (${marks.why}): pawl would not notice a restored ${what}`;
    await (marks.isChosen ? context.reporter.notice(words) : context.reporter.warn(words));
  } else await warnOfMark(context, marked);
}

export async function warnOfMark({ reporter }: CommandContext, { path, trouble }: Marked): Promise<void> {
  if (trouble === undefined) return;
  await reporter.warn(
    isDatabase(path)
      ? `the mark of the identity cannot be read or written (${trouble}): pawl would not notice a restored database`
      : `the mark of the identity file cannot be read or written (${trouble}): pawl would not notice a restored file`,
  );
}
