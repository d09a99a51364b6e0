/**
 * Says so where nothing would notice that an identity file is restored, because its mark is not kept.
 * Reads and writes no mark itself.
 */
import type { CommandContext } from '../context.ts';
import type { Marks } from './path.ts';

/** @param trouble why the mark of a file cannot be read or written, if so. */
export async function tellOfMarks(context: CommandContext, marks: Marks, trouble: string | undefined): Promise<void> {
  if (marks.folder === undefined) {
    const words = `no mark is kept (${marks.why}): pawl would not notice a restored identity file`;
    await (marks.isChosen ? context.reporter.notice(words) : context.reporter.warn(words));
  } else await warnOfMark(context, trouble);
}

/** @param trouble `undefined`: none, and nothing is said. */
export async function warnOfMark({ reporter }: CommandContext, trouble: string | undefined): Promise<void> {
  if (trouble === undefined) return;
  await reporter.warn(
    `the mark of the identity file cannot be read or written (${trouble}): pawl would not notice a restored file`,
  );
}
