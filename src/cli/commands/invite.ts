/**
 * `pawl invite`: makes an invite, and writes it to standard output, to a file, or as a QR code; or withdraws open ones.
 */
import { armor, encodeEnvelope } from '../../envelope/index.ts';
import { isPawlError, PawlError } from '../../errors.ts';
import type { OutputFile } from '../../files/index.ts';
import { utf8 } from '../../primitives/index.ts';
import { DAY, discardInvite, invite, inviteHeld, inviteName, type MadeInvite, withdraw } from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { outputFileAt, outputFolderAt } from '../identity/output.ts';
import { folderName, namedFile, outputFile, timeSpan } from '../option-types.ts';
import { drawQrCode, qrCodeOfBytes } from '../show/qr-code.ts';
import { count, instant, iso } from '../terminal/format.ts';

interface InviteOptions {
  readonly output?: string | undefined;
  /** Milliseconds. */
  readonly expires?: number;
  readonly reusable?: true;
  readonly qr?: true;
  readonly force?: true;
  readonly held?: true;
  readonly outDir?: string;
  /** The ID of an invite, or `true` for all. */
  readonly withdraw?: string | true;
}

/** In milliseconds. The secrets of an invite stay in the identity file until it expires. */
const LONGEST_VALIDITY = 365 * DAY;

export const defineInvite: DefineCommand = (program, makeAction) => {
  program
    .command('invite [name]')
    .description('make an invite for the person you call NAME')
    .option('-o, --output <file>', 'write it to a file', outputFile)
    .option('--force', 'with -o, replace the file that is there')
    .option('--expires <time>', 'how long it can be used: 45m, 12h, 8w (30d)', timeSpan(LONGEST_VALIDITY))
    .option('--reusable', 'for many, whom you call NAME-1, NAME-2, ...')
    .option('--held', 'one for each contact that nothing can be sent to')
    .option('--out-dir <dir>', 'with --held, put them there', folderName)
    .option('--withdraw [id]', 'make none, but withdraw the open ones for NAME, or the one with the ID')
    .option('--qr', 'draw it as a QR code, where the terminal is large enough')
    .addHelpText(
      'after',
      `
An invite is text, which can be pasted anywhere: there is no -a. It is used once. Whoever uses it first is NAME to you: hand it over on a channel that you trust.
With --reusable, up to 1,000 use it until it expires. What each of them writes before your first answer is only as safe
as the secrets of this invite, which stay in your identity file until 7 days after that.
With --withdraw, the secrets go at once, and what comes by such an invite is refused; those who are in stay. pawl inspect
has the IDs.

Examples:
  $ pawl invite bob --expires 12h -o for-bob.txt
  $ pawl invite friends --reusable > my-page/pawl.txt
  $ pawl invite --held --out-dir invites       after pawl restore
  $ pawl invite friends --withdraw`,
    )
    .action(
      makeAction(async (context, name: string | undefined, given: InviteOptions) => {
        const options = { ...given, output: namedFile(given.output) };
        const { reporter } = context;
        if (options.held) return inviteAllHeld(context, name, options);
        if (name === undefined)
          throw new PawlError('usage', { problem: 'an invite needs a NAME', hint: 'pawl help invite' });
        checkOptions(options, reporter.json);
        if (options.withdraw !== undefined) return withdrawInvites(context, name, options.withdraw);
        const { output, force, reusable = false } = options;
        const file = output === undefined ? undefined : outputFileAt(context, output, { force });
        const expiresAt = await withIdentity(context, async (identity) => {
          const made = await invite(identity, name, options.expires ?? 30 * DAY, { reusable });
          try {
            await writeInvite(context, made, { ...options, file });
          } catch (error) {
            // Nobody has received the invite, and it cannot be written again.
            await discardInvite(identity, made.id);
            throw error;
          }
          return made.expiresAt;
        });
        const until = instant(expiresAt);
        await reporter.notice(
          reusable
            ? `whoever uses this invite is ${name}-1, ${name}-2, ... to you, until ${until} or pawl invite ${name} --withdraw`
            : `whoever uses this invite first is ${name} to you; it can be used once, until ${until}; they type: pawl add YOUR-NAME FILE`,
        );
        return 0;
      }),
    );
};

/** Writes an invite for each held contact into the folder. One that cannot be written there is written by the next call. */
async function inviteAllHeld(
  context: CommandContext,
  name: string | undefined,
  { outDir, expires = 30 * DAY, force, output, reusable, qr, withdraw: isWithdrawn }: InviteOptions,
): Promise<number> {
  const { reporter } = context;
  if (outDir === undefined || (name ?? output ?? reusable ?? qr ?? isWithdrawn) !== undefined) {
    throw new PawlError('usage', {
      problem: '--held goes with --out-dir, --expires and --force only',
      hint: 'pawl help invite',
    });
  }
  const folder = outputFolderAt(context, outDir);
  return withIdentity(context, async (identity) => {
    const made = await inviteHeld(identity, expires);
    if (made.length === 0) await reporter.notice('no conversation is held: nobody needs a new invite');
    let exit = 0;
    for (const one of made) {
      const file = `for-${one.name}.txt`;
      try {
        folder.put(file, utf8(armor(envelopeOf(one))), { replace: force === true });
        const path = folder.pathOf(file);
        await reporter.result(path, { ...documentOf(one, false), path });
      } catch (error) {
        if (!(error instanceof PawlError)) throw error;
        const told = isPawlError(error, 'exists') ? new PawlError('exists', { ...error.detail, force: true }) : error;
        exit ||= await reporter.error(told, `the invite for ${one.name}`);
      }
    }
    return exit;
  });
}

/** The options that say how an invite is made. */
const MAKING = { output: '-o', force: '--force', expires: '--expires', reusable: '--reusable', qr: '--qr' } as const;

function checkOptions(options: InviteOptions, json: boolean): void {
  const { qr, output, force, outDir } = options;
  const [, given] =
    Object.entries(MAKING).find(([option]) => options[option as keyof typeof MAKING] !== undefined) ?? [];
  if (options.withdraw !== undefined && given !== undefined) {
    throw new PawlError('usage', { problem: `--withdraw and ${given} do not go together` });
  }
  if (outDir !== undefined) throw new PawlError('usage', { problem: '--out-dir goes with --held' });
  if (force && output === undefined) throw new PawlError('usage', { problem: '--force goes with -o FILE' });
  const other = output !== undefined ? '-o' : json ? '--json' : undefined;
  if (qr && other !== undefined) throw new PawlError('usage', { problem: `--qr and ${other} do not go together` });
}

async function withdrawInvites(context: CommandContext, name: string, which: string | true): Promise<number> {
  const { reporter } = context;
  const only = which === true ? undefined : which;
  const ids = await withIdentity(context, (identity) => withdraw(identity, name, only));
  if (reporter.json) await reporter.document({ type: 'withdrawn', for: name, ids });
  else await reporter.notice(`withdrawn: ${count(ids.length, 'open invite')} for ${name}`);
  return 0;
}

async function writeInvite(
  context: CommandContext,
  made: MadeInvite,
  { file, qr, reusable }: InviteOptions & { readonly file: OutputFile | undefined },
): Promise<void> {
  const { io, reporter } = context;
  const envelope = envelopeOf(made);
  if (qr && (await drawQrCode(context, await qrCodeOfBytes(envelope)))) return io.output.flush();
  const text = armor(envelope);
  const document = documentOf(made, reusable === true);
  if (file !== undefined) {
    file.write(utf8(text));
    if (reporter.json) await reporter.document(document);
    return;
  }
  await io.output.write(text);
  await io.output.flush();
  await reporter.documentOnStderr(document);
}

function envelopeOf({ invite: bytes }: MadeInvite): Uint8Array {
  return encodeEnvelope({ kind: 'invite', invite: bytes });
}

function documentOf({ id, name, expiresAt }: MadeInvite, reusable: boolean) {
  return { type: 'invite', for: name, id: inviteName(id), reusable, expires_at: iso(expiresAt) };
}
