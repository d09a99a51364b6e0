/**
 * `send --lines`: each line of standard input is a message, encrypted as it arrives.
 * Lines that have arrived together share a commit.
 */
import { encodeContent } from '../../../envelope/index.ts';
import type { CommandContext } from '../../context.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import { Batches, BOUND } from '../../stream/batches.ts';
import { chunksOf, linesOf } from '../../stream/read.ts';
import { count } from '../../terminal/format.ts';
import { type ChosenFormat, withCarrier } from './carried.ts';
import { encrypt } from './encrypt.ts';
import { checkAmount, type EnvelopeFormat, EnvelopeOutput } from './output.ts';

export async function sendLines(context: CommandContext, name: string, chosen: ChosenFormat): Promise<void> {
  const { io, reporter } = context;
  const stream = linesOf(chunksOf(io));
  // Read before a passphrase is asked for, so that the two ends of a pipe never ask at the same time. On a terminal the
  // question comes first, as a wrong answer would throw away what was typed.
  const early = io.input.isTerminal ? undefined : await stream.next();
  const send = async (identity: OpenIdentity, format: EnvelopeFormat): Promise<void> => {
    const first = early ?? (await stream.next());
    const output = new EnvelopeOutput(context, identity, format);
    let sentSoFar = 0;
    const sendBatch = async (lines: readonly Uint8Array[]): Promise<void> => {
      const plaintexts = lines.map((bytes) => encodeContent({ type: 'text', sentAt: identity.now(), bytes }));
      checkAmount(context, plaintexts, format);
      const { written } = output;
      const sent = await encrypt(context, identity, { name, plaintexts, written });
      output.markAcknowledged(written);
      await output.write(sent);
      await output.describe(sent);
      sentSoFar += sent.length;
      reporter.progress.update(`encrypting, ${count(sentSoFar, 'message')}`);
    };
    const batches = new Batches(stream, { first, lengthOf: ({ length }) => length });
    try {
      for (let lines = await batches.next(); lines !== undefined; lines = await batches.next()) {
        // One read of the input may give more. After a crash, at most these lines stay in the outbox.
        while (lines.length > 0) await sendBatch(lines.splice(0, BOUND.items));
        if (await batches.isIdle()) await output.acknowledge();
      }
    } finally {
      await output.acknowledge();
    }
    await output.tellOfCarrier();
  };
  await withIdentity(context, (identity) =>
    withCarrier(context, identity, { name, format: chosen }, (format) => send(identity, format)),
  );
}
