/**
 * `pawl inspect`: shows the identity, the sessions with a contact, or an envelope, and checks the identity file.
 * Changes nothing.
 */
import { existsSync } from 'node:fs';
import { isPawlError, PawlError } from '../../errors.ts';
import { utf8 } from '../../primitives/index.ts';
import { identityReport, incomingContents, listUnsent, sessionReports } from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { type OpenIdentity, withIdentity } from '../identity/open.ts';
import { outputFileAt } from '../identity/output.ts';
import { namedFile, outputFile } from '../option-types.ts';
import { envelopeDocument, envelopePage } from '../show/envelope.ts';
import { identityDocument, identityPage } from '../show/identity.ts';
import { ladderSvg } from '../show/ladder-svg.ts';
import { sessionDocument, sessionPage } from '../show/session.ts';
import { readIntactEnvelopes } from '../stream/envelopes.ts';
import { PAGE_LENGTH } from '../terminal/format.ts';
import { columnsOf, showsUnicode } from '../terminal/screen.ts';

interface InspectOptions {
  readonly envelope?: string;
  readonly all?: true;
  readonly check?: true;
  readonly svg?: string;
  readonly force?: true;
}

export const defineInspect: DefineCommand = (program, makeAction) => {
  program
    .command('inspect [name]')
    .description('show the identity, the stored session with NAME, or an envelope')
    .option('--check', 'read every page and row of the identity file')
    .option('--all', 'every session with NAME, not only the one that you send on')
    .option('--svg <file>', 'draw the ratchet with NAME into a file', outputFile)
    .option('--force', 'with --svg, replace the file that is there')
    .option('--envelope <file>', 'what an envelope shows to anybody; needs no identity')
    .addHelpText(
      'after',
      `
The drawing of a conversation goes from its first message down. Each arrow is a chain of messages one way, and a DH step
stands in front of it: a new key, which heals what a thief has seen. Of the messages received, ■ was read and · is
missing. The key of a missing one is kept (skipped) until it comes or grows old. A step that is marked KEM mixes in a
post-quantum secret as well. A fork is a contradiction: one of the two files was copied or restored. No secret is ever
shown.

Examples:
  $ pawl inspect
  $ pawl inspect bob --json`,
    )
    .action(
      makeAction(
        async (context, name: string | undefined, options: InspectOptions) => {
          checkOptions(name, options);
          if (options.check) return checkFile(context);
          if (options.envelope !== undefined) await inspectEnvelope(context, options.envelope);
          else if (name === undefined) await inspectIdentity(context);
          else await inspectSessions(context, name, options);
          return 0;
        },
        (command) => command.opts<InspectOptions>().envelope === undefined,
      ),
    );
};

function checkOptions(name: string | undefined, { envelope, check, all, svg, force }: InspectOptions): void {
  if (force && namedFile(svg) === undefined) throw new PawlError('usage', { problem: '--force goes with --svg FILE' });
  const subjects = [name !== undefined && 'a name', envelope !== undefined && '--envelope', check && '--check'];
  const given = subjects.filter(Boolean);
  if (given.length > 1) throw new PawlError('usage', { problem: `${given.join(' and ')} do not go together` });
  for (const [option, isGiven] of [
    ['--all', all],
    ['--svg', svg !== undefined],
  ] as const) {
    if (isGiven && name === undefined) throw new PawlError('usage', { problem: `${option} goes with a name` });
  }
}

async function checkFile(context: CommandContext): Promise<number> {
  const check = async ({ store, path, title }: OpenIdentity) => {
    const problems = await store.check();
    if (problems.length === 0) {
      await context.reporter.result(`${title}: ok`, { type: 'check', path, ok: true });
      return 0;
    }
    await context.reporter.result([`${title}: damaged`, ...problems].join('\n'), {
      type: 'check',
      path,
      ok: false,
      problems,
    });
    return context.reporter.error(new PawlError('damaged', { path: title }));
  };
  return withIdentity(context, check, 'reads');
}

async function inspectIdentity(context: CommandContext): Promise<void> {
  await withIdentity(
    context,
    async (identity) => {
      const { name, path, store } = identity;
      const report = await identityReport(identity, context.reporter.json ? undefined : PAGE_LENGTH);
      const incoming = await incomingContents(identity);
      for (const content of incoming) content.wipe();
      const page = {
        name,
        path,
        schema: store.schema,
        report,
        incoming,
        unsent: await listUnsent(identity),
        now: identity.now(),
        host: context.io.host(),
      };
      // With thousands of contacts, it takes time to make either.
      if (context.reporter.json) await context.reporter.document(identityDocument(page));
      else await context.reporter.lines(identityPage(page));
    },
    'reads',
  );
}

async function inspectSessions(
  context: CommandContext,
  name: string,
  { all, svg, force }: InspectOptions,
): Promise<void> {
  const file = namedFile(svg);
  const drawing = file === undefined ? undefined : outputFileAt(context, file, { force });
  const isAlone = svg !== undefined && file === undefined;
  await withIdentity(
    context,
    async (identity) => {
      const now = identity.now();
      const canvas = { columns: columnsOf(context.io.output), unicode: showsUnicode(context.io) };
      const [current, ...others] = await sessionReports(identity, name).catch((error) => {
        if (!isPawlError(error, 'unknown-contact') || !existsSync(name)) throw error;
        throw new PawlError('unknown-contact', { ...error.detail, isFile: true });
      });
      if (isAlone) await context.io.output.write(ladderSvg(current.ladder, name));
      drawing?.write(utf8(ladderSvg(current.ladder, name)));
      for (const report of all ? [current, ...others] : [current]) {
        if (isAlone) await context.reporter.documentOnStderr(sessionDocument(report));
        else await context.reporter.result(sessionPage(report, now, canvas), sessionDocument(report));
      }
      if (!all && others.length > 0) {
        await context.reporter.notice(`${others.length} more sessions with ${name}: pawl inspect ${name} --all`);
      }
    },
    'reads',
  );
}

async function inspectEnvelope(context: CommandContext, file: string): Promise<void> {
  for (const { source, envelope } of await readIntactEnvelopes(context, file)) {
    await context.reporter.result(envelopePage(source, envelope), envelopeDocument(source, envelope));
  }
}
