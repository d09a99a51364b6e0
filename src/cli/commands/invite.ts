import { armor, encodeEnvelope } from '../../envelope/index.ts';
import { replaceFile } from '../../files/index.ts';
import { utf8 } from '../../primitives/index.ts';
import { DAY, invite, type MadeInvite, withdrawInvite } from '../../session/index.ts';
import { outputFile, timeSpan } from '../parse.ts';
import type { Define, Shell } from '../shell.ts';
import { instant, iso } from '../show/time.ts';
import { withIdentity } from '../unlock.ts';

interface InviteOptions {
  readonly output?: string;
  /** Milliseconds. */
  readonly expires?: number;
}

/** Its secrets lie in the identity file for as long. */
const LONGEST = 365 * DAY;

export const defineInvite: Define = (program, act) => {
  program
    .command('invite <name>')
    .description('make an invite for the person you call NAME')
    .option('-o, --output <file>', 'write it to a file', outputFile)
    .option('--expires <time>', 'how long it can be used: 45m, 12h, 8w (30d)', timeSpan(LONGEST))
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
        const { tell } = shell;
        const expires = await withIdentity(shell, async (identity) => {
          const made = await invite(identity, name, options.expires ?? 30 * DAY);
          try {
            await writeInvite(shell, name, made, options.output);
          } catch (error) {
            // Nobody can use it, and nothing could show it again.
            await withdrawInvite(identity, made.id);
            throw error;
          }
          return made.expires;
        });
        await tell.notice(
          `whoever uses this invite first is ${name} to you; it can be used once, until ${instant(expires * 1_000)}`,
        );
        return 0;
      }),
    );
};

async function writeInvite(
  { io, tell }: Shell,
  name: string,
  { invite, expires }: MadeInvite,
  output: string | undefined,
): Promise<void> {
  const text = armor(encodeEnvelope({ kind: 'invite', invite }));
  const document = { type: 'invite', for: name, expires_at: iso(expires * 1_000) };
  if (output !== undefined) {
    replaceFile(output, utf8(text));
    if (tell.json) await tell.document(document);
    return;
  }
  await io.output.write(text);
  await io.output.flush();
  await tell.aside(document);
}
