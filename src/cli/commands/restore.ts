/**
 * `pawl restore`: puts a backup in its place as an identity file.
 */
import { PawlError, type Release } from '../../errors.ts';
import type { DefineCommand } from '../context.ts';
import { restoreIdentity } from '../identity/make.ts';
import { STANDARD_INPUT } from '../stream/read.ts';
import { HOLDS } from '../terminal/error-messages.ts';

export const defineRestore: DefineCommand = (program, makeAction) => {
  program
    .command('restore <file> [name]')
    .description('put a backup of an identity in its place')
    .addHelpText(
      'after',
      `
For a new machine, or an identity file that is lost or damaged. The backup may be older than what was sent since, so
each conversation is held: it receives, but nothing is sent before the other side has answered, or has a new invite.
Invites that were open are withdrawn. An identity file that is in the way is not replaced: move it aside first.

pawl invite --held makes an invite for each.

Examples:
  $ pawl restore /media/stick/alice.db
  $ pawl restore alice-2026.db alice --key-file alice.key`,
    )
    .action(
      makeAction(async (context, file: string, name: string | undefined) => {
        const { reporter } = context;
        if (file === STANDARD_INPUT) {
          const problem = 'a backup is restored from a file, and not from standard input';
          throw new PawlError('usage', { problem, hint: 'cat > FILE, then: pawl restore FILE' });
        }
        const restored = await restoreIdentity(context, file, name);
        const { title, held, ...where } = restored;
        await reporter.result(title, { type: 'restored', ...where, held });
        for (const release of Object.keys(HOLDS) as Release[]) {
          const names = held.filter(({ until }) => until === release).map(({ name: contact }) => contact);
          if (names.length > 0)
            await reporter.notice(`nothing is sent to ${names.join(', ')} before ${HOLDS[release]}`);
        }
        if (held.length > 0) await reporter.notice('a new invite for each of them: pawl invite --held --out-dir DIR');
        return 0;
      }),
    );
};
