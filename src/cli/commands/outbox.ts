import { Argument } from 'commander';
import { armor } from '../../envelope/index.ts';
import { toHex, utf8 } from '../../primitives/index.ts';
import { acknowledgeSent, listOutbox, selectFromOutbox, type UnsentEnvelope } from '../../session/index.ts';
import type { Define, Shell } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { wholeNumber } from '../option-types.ts';
import { afterwards } from '../stream/write.ts';
import { instant, iso, table } from '../terminal/format.ts';

const resendId = wholeNumber(1, 999_999_999);

export const defineOutbox: Define = (program, act) => {
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
      act(async (shell, action: string | undefined, id: string | undefined) => {
        if (action === undefined) await list(shell);
        else await resend(shell, id === undefined ? undefined : resendId(id));
        return 0;
      }),
    );
};

async function list(shell: Shell): Promise<void> {
  const entries = await withIdentity(shell, listOutbox, 'reads');
  const { tell } = shell;
  if (!tell.json) {
    const rows = entries.map(({ id, to, createdAt, envelope }) => [
      String(id),
      `for ${to}`,
      instant(createdAt),
      `${envelope.length} bytes`,
    ]);
    if (rows.length > 0) await tell.result(table(rows).join('\n'), { type: 'outbox' });
    else await tell.notice('nothing is waiting to be written');
  }
  for (const entry of tell.json ? entries : []) await tell.document(documentOf(entry));
}

async function resend(shell: Shell, id: number | undefined): Promise<void> {
  const { io, tell } = shell;
  await withIdentity(shell, async (identity) => {
    const entries = await selectFromOutbox(identity, id);
    for (const entry of entries) {
      await io.output.write(io.output.isTerminal ? utf8(armor(entry.envelope)) : entry.envelope);
      await io.output.flush();
      await afterwards(tell, () => acknowledgeSent(identity, [entry.id]));
      await tell.aside(documentOf(entry));
    }
    if (entries.length === 0) await tell.notice('nothing is waiting to be written');
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
