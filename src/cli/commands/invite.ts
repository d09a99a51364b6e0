import { armor, encodeEnvelope } from '../../envelope/index.ts';
import { utf8 } from '../../primitives/index.ts';
import { DAY, invite } from '../../session/index.ts';
import { writeFile } from '../files.ts';
import { timeSpan } from '../parse.ts';
import type { Define } from '../shell.ts';
import { day } from '../show/time.ts';
import { withIdentity } from '../unlock.ts';

interface InviteOptions {
  readonly output?: string;
  /** Milliseconds. */
  readonly expires: number;
}

/** Its secrets lie in the identity file for as long. */
const LONGEST = 365 * DAY;

export const defineInvite: Define = (program, act) => {
  program
    .command('invite <name>')
    .description('make an invite for the person you call NAME')
    .option('-o, --output <file>', 'write it to a file')
    .option('--expires <time>', 'how long it can be used: 45m, 12h, 30d, 8w', timeSpan(LONGEST), 30 * DAY)
    .addHelpText(
      'after',
      `
An invite is used once. Whoever uses it first is NAME to you: hand it over on a channel that you trust.

Examples:
  $ pawl invite bob
  $ pawl invite bob --expires 12h -o for-bob.txt`,
    )
    .action(
      act(async (shell, name: string, options: InviteOptions) => {
        const { io, tell } = shell;
        const made = await withIdentity(shell, (identity) => invite(identity, name, options.expires));
        const text = armor(encodeEnvelope({ kind: 'invite', invite: made.invite }));
        const document = { type: 'invite', for: name, expires_at: new Date(made.expires * 1_000).toISOString() };
        if (options.output === undefined) {
          await io.output.write(text);
          await tell.aside(document);
        } else {
          writeFile(io, options.output, utf8(text));
          if (tell.json) await tell.result('', document);
        }
        await tell.notice(
          `this invite is for ${name} alone, can be used once, and expires on ${day(made.expires * 1_000)}`,
        );
        return 0;
      }),
    );
};
