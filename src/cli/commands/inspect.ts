import { identityReport, sessionReports } from '../../session/index.ts';
import { readIntactEnvelopes } from '../read-envelopes.ts';
import type { Define, Shell } from '../shell.ts';
import { envelopeDocument, envelopePage } from '../show/envelope.ts';
import { identityDocument, identityPage } from '../show/identity.ts';
import { sessionDocument, sessionPage } from '../show/session.ts';
import { withIdentity } from '../unlock.ts';

interface InspectOptions {
  readonly envelope?: string;
  readonly all?: true;
}

export const defineInspect: Define = (program, act) => {
  program
    .command('inspect [name]')
    .description('show the identity, the stored session with NAME, or an envelope')
    .option('--all', 'every session with NAME, not only the one that you send on')
    .option('--envelope <file>', 'what an envelope shows to anybody; needs no identity')
    .addHelpText(
      'after',
      `
No secret is ever shown.

Examples:
  $ pawl inspect
  $ pawl inspect bob --json`,
    )
    .action(
      act(async (shell, name: string | undefined, options: InspectOptions) => {
        if (options.envelope !== undefined) await inspectEnvelope(shell, options.envelope);
        else if (name === undefined) await inspectIdentity(shell);
        else await inspectSessions(shell, name, options.all === true);
        return 0;
      }),
    );
};

async function inspectIdentity(shell: Shell): Promise<void> {
  await withIdentity(shell, async (identity) => {
    const { name, path, schema } = identity;
    const page = { name, path, schema, report: await identityReport(identity), now: identity.now() };
    await shell.tell.result(identityPage(page), identityDocument(page));
  });
}

async function inspectSessions(shell: Shell, name: string, all: boolean): Promise<void> {
  await withIdentity(shell, async (identity) => {
    const now = identity.now();
    const [current, ...others] = await sessionReports(identity, name);
    for (const report of all ? [current, ...others] : [current]) {
      await shell.tell.result(sessionPage(report, now), sessionDocument(report));
    }
    if (!all && others.length > 0) {
      await shell.tell.notice(`${others.length} more sessions with ${name}: pawl inspect ${name} --all`);
    }
  });
}

async function inspectEnvelope(shell: Shell, file: string): Promise<void> {
  for (const { source, envelope } of await readIntactEnvelopes(shell, file)) {
    await shell.tell.result(envelopePage(source, envelope), envelopeDocument(source, envelope));
  }
}
