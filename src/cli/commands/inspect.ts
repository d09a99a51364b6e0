import { PawlError } from '../../errors.ts';
import { identityReport, sessionReports } from '../../session/index.ts';
import { readIntactEnvelopes } from '../read-envelopes.ts';
import type { Define, Shell } from '../shell.ts';
import { envelopeDocument, envelopePage } from '../show/envelope.ts';
import { identityDocument, identityPage } from '../show/identity.ts';
import { sessionDocument, sessionPage } from '../show/session.ts';
import { type Unlocked, withIdentity } from '../unlock.ts';

interface InspectOptions {
  readonly envelope?: string;
  readonly all?: true;
  readonly check?: true;
}

export const defineInspect: Define = (program, act) => {
  program
    .command('inspect [name]')
    .description('show the identity, the stored session with NAME, or an envelope')
    .option('--check', 'read every page and row of the identity file')
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
        checkOptions(name, options);
        if (options.check) return checkFile(shell);
        if (options.envelope !== undefined) await inspectEnvelope(shell, options.envelope);
        else if (name === undefined) await inspectIdentity(shell);
        else await inspectSessions(shell, name, options.all === true);
        return 0;
      }),
    );
};

function checkOptions(name: string | undefined, { envelope, check, all }: InspectOptions): void {
  const subjects = [name !== undefined && 'a name', envelope !== undefined && '--envelope', check && '--check'];
  const given = subjects.filter(Boolean);
  if (given.length > 1) throw new PawlError('usage', { problem: `${given.join(' and ')} do not go together` });
  if (all && name === undefined) throw new PawlError('usage', { problem: '--all goes with a name' });
}

async function checkFile(shell: Shell): Promise<number> {
  const check = async ({ store, path }: Unlocked) => {
    const problems = await store.check();
    if (problems.length === 0) {
      await shell.tell.result(`${path}: ok`, { type: 'check', path, ok: true });
      return 0;
    }
    await shell.tell.result([`${path}: damaged`, ...problems].join('\n'), { type: 'check', path, ok: false, problems });
    return shell.tell.error(new PawlError('damaged', { path }));
  };
  return withIdentity(shell, check, 'reads');
}

async function inspectIdentity(shell: Shell): Promise<void> {
  await withIdentity(
    shell,
    async (identity) => {
      const { name, path, store } = identity;
      const page = { name, path, schema: store.schema, report: await identityReport(identity), now: identity.now() };
      await shell.tell.result(identityPage(page), identityDocument(page));
    },
    'reads',
  );
}

async function inspectSessions(shell: Shell, name: string, all: boolean): Promise<void> {
  await withIdentity(
    shell,
    async (identity) => {
      const now = identity.now();
      const [current, ...others] = await sessionReports(identity, name);
      for (const report of all ? [current, ...others] : [current]) {
        await shell.tell.result(sessionPage(report, now), sessionDocument(report));
      }
      if (!all && others.length > 0) {
        await shell.tell.notice(`${others.length} more sessions with ${name}: pawl inspect ${name} --all`);
      }
    },
    'reads',
  );
}

async function inspectEnvelope(shell: Shell, file: string): Promise<void> {
  for (const { source, envelope } of await readIntactEnvelopes(shell, file)) {
    await shell.tell.result(envelopePage(source, envelope), envelopeDocument(source, envelope));
  }
}
