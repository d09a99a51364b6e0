import { armor, encodeContent } from '../../../envelope/index.ts';
import { utf8 } from '../../../primitives/index.ts';
import { acknowledgeSent, type OutboxId, type Sent, sendAll } from '../../../session/index.ts';
import type { Shell } from '../../context.ts';
import { withIdentity } from '../../identity/open.ts';
import { asItComes } from '../../stream/batches.ts';
import { chunksOf, linesOf } from '../../stream/read.ts';
import { afterwards, GatheredOutput } from '../../stream/write.ts';
import { count as inWords } from '../../terminal/format.ts';
import { sentDocument } from './output.ts';

/** So many lines may share a commit: what a crash leaves in the outbox is not more. */
const TOGETHER = 256;

/** Sends each line of standard input, as it comes. Commits, then speaks; and only what has been written goes from the outbox. */
export async function sendLines(shell: Shell, name: string, armored: boolean): Promise<void> {
  const { io, tell } = shell;
  const stream = linesOf(chunksOf(io));
  // Read before any passphrase is asked, so that two ends of a pipe never ask at once.
  const first = await stream.next();
  await withIdentity(shell, async (identity) => {
    const output = new GatheredOutput<OutboxId>(tell.progress.before(io.output));
    let count = 0;
    const sendTogether = async (lines: readonly Uint8Array[]): Promise<void> => {
      const plaintexts = lines.map((bytes) => encodeContent({ type: 'text', sentAt: identity.now(), bytes }));
      const sent = await output.noting((written) => sendAll(identity, name, plaintexts, written));
      for (const one of sent) await output.write(bytesOf(one, armored), one.outboxId);
      await output.flush();
      for (const one of sent) await tell.aside(sentDocument(one));
      count += sent.length;
      tell.progress.at(`encrypting, ${inWords(count, 'message')}`);
    };
    await asItComes(first, stream, {
      most: TOGETHER,
      async work(lines) {
        for (let at = 0; at < lines.length; at += TOGETHER) await sendTogether(lines.slice(at, at + TOGETHER));
      },
      async pause() {
        tell.progress.clear();
        // Where writing has failed, what was written before has been all the same.
        await output.flush().catch(() => undefined);
        await output.noting((ids) => afterwards(tell, () => acknowledgeSent(identity, ids)));
      },
    });
  });
}

function bytesOf({ envelope }: Sent, armored: boolean): Uint8Array {
  return armored ? utf8(armor(envelope)) : envelope;
}
