/**
 * `pawl backup`: copies the identity file.
 */
import { PawlError } from '../../errors.ts';
import { isStream } from '../../files/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { outputFileAt, refusePlaceOfIdentity } from '../identity/output.ts';

export const defineBackup: DefineCommand = (program, makeAction) => {
  program
    .command('backup <file>')
    .description('write a consistent copy of the identity file, under the same key')
    .addHelpText(
      'after',
      `
To put it back, here or on another machine: pawl restore FILE.

Examples:
  $ pawl backup alice-2026.db
  $ pawl -i alice backup /media/stick/alice.db
  $ pawl backup - | ssh host 'cat > alice.db'`,
    )
    .action(
      makeAction(async (context, file: string) => {
        const isStdout = file === '-';
        if (isStdout || isStream(file)) await writeCopy(context, file, isStdout);
        else {
          refusePlaceOfIdentity(context, file);
          await withIdentity(context, async ({ store }) => store.backup(file), 'reads');
          await context.reporter.result(file, { type: 'backup', path: file });
        }
        return 0;
      }),
    );
};

/** Writes the copy to standard output, or to a pipe or device. */
async function writeCopy(context: CommandContext, path: string, isStdout: boolean): Promise<void> {
  const { io, reporter } = context;
  if (isStdout && io.output.isTerminal) {
    const hint = "pawl backup FILE, or through a pipe: pawl backup - | ssh HOST 'cat > alice.db'";
    throw new PawlError('usage', { problem: 'bytes are not written to a terminal', hint });
  }
  const output = isStdout ? undefined : outputFileAt(context, path, {});
  // The file is closed before anything is written: a reader that is slow keeps no other pawl waiting.
  const copy = await withIdentity(context, async ({ store }) => store.copy(), 'reads');
  if (output !== undefined) output.write(copy);
  else {
    await io.output.write(copy);
    await io.output.flush();
  }
  await reporter.documentOnStderr({ type: 'backup', path });
}
