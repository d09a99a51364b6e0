/**
 * `pawl outbox`: lists the envelopes that were committed and perhaps never written, and writes them again.
 */
import { Argument } from 'commander';
import { armor } from '../../envelope/index.ts';
import { toHex, utf8 } from '../../primitives/index.ts';
import { acknowledgeSent, listOutbox, selectFromOutbox, type UnsentEnvelope } from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { wholeNumber } from '../option-types.ts';
import { acknowledgeOrWarn } from '../stream/write.ts';
import { instant, iso, table } from '../terminal/format.ts';

const resendId = wholeNumber(1, 999_999_999);

export const defineOutbox: DefineCommand = (program, makeAction) => {
  program
    .command('outbox')
    .description('show, or write again, envelopes that were never fully written')
    .addArgument(new Argument('[resend]', 'write them again').choices(['resend']))
    .argument('[id]', 'only this one')
    .addHelpText(
      'after',
      `
An envelope stays here when its process ended before all of it was written. The same bytes again are the same
message: the other side shows it once.

Examples:
  $ pawl outbox
  $ pawl outbox resend > message.pawl`,
    )
    .action(
      makeAction(async (context, action: string | undefined, id: string | undefined) => {
        if (action === undefined) await list(context);
        else await resend(context, id === undefined ? undefined : resendId(id));
        return 0;
      }),
    );
};

async function list(context: CommandContext): Promise<void> {
  const entries = await withIdentity(context, listOutbox, 'reads');
  const { reporter } = context;
  if (reporter.json) {
    for (const entry of entries) await reporter.document(documentOf(entry));
    return;
  }
  if (entries.length === 0) {
    await reporter.notice('nothing is waiting to be written');
    return;
  }
  const rows = entries.map(({ id, to, createdAt, envelope }) => [
    String(id),
    `for ${to}`,
    instant(createdAt),
    `${envelope.length} bytes`,
  ]);
  await reporter.result(table(rows).join('\n'), { type: 'outbox' });
}

async function resend(context: CommandContext, id: number | undefined): Promise<void> {
  const { io, reporter } = context;
  await withIdentity(context, async (identity) => {
    const entries = await selectFromOutbox(identity, id);
    for (const entry of entries) {
      await io.output.write(io.output.isTerminal ? utf8(armor(entry.envelope)) : entry.envelope);
      await io.output.flush();
      await acknowledgeOrWarn(reporter, () => acknowledgeSent(identity, [entry.id]));
      await reporter.documentOnStderr(documentOf(entry));
    }
    if (entries.length === 0) await reporter.notice('nothing is waiting to be written');
  });
}

function documentOf({ id, to, messageId, createdAt, envelope }: UnsentEnvelope) {
  return {
    type: 'unwritten',
    outbox_id: id,
    to,
    id: toHex(messageId),
    created_at: iso(createdAt),
    bytes: envelope.length,
  };
}
