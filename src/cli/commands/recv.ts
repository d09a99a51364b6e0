import { PawlError } from '../../errors.ts';
import { concat, utf8 } from '../../primitives/index.ts';
import {
  type Arrival,
  type Delivery,
  delivered,
  type InboxId,
  LARGEST_GAP,
  type Outcome,
  type ReceiveOptions,
  receive,
} from '../../session/index.ts';
import { writeFile } from '../files.ts';
import { wholeNumber } from '../parse.ts';
import { type Read, readMessages } from '../read-envelopes.ts';
import type { Define, Shell } from '../shell.ts';
import { count } from '../show/page.ts';
import { documentOf, forTerminal, isText, tellNotices, tellOutcome } from '../show/received.ts';
import { type Unlocked, withIdentity } from '../unlock.ts';

interface RecvOptions {
  readonly output?: string;
  readonly lines?: true;
  readonly maxGap?: number;
  readonly from?: string;
}

const NEWLINE = utf8('\n');

export const defineRecv: Define = (program, act) => {
  program
    .command('recv [files...]')
    .description('decrypt every message in files or standard input')
    .option('-o, --output <file>', 'write the texts to a file')
    .option('--lines', 'a newline after each text')
    .option('--max-gap <n>', 'skip up to N missing messages', wholeNumber(1, LARGEST_GAP))
    .option('--from <name>', 'accept from NAME only; leave the others for later')
    .addHelpText(
      'after',
      `
Messages may come in any order, and more than once. A pipe or a file gets the exact bytes.

Examples:
  $ pawl recv message.pawl
  $ cat inbox/*.pawl | pawl recv --json`,
    )
    .action(
      act(async (shell, files: string[], options: RecvOptions) => {
        const reads = await readMessages(shell, files);
        const arrivals = reads.filter((read): read is Arrival => 'envelope' in read);
        if (reads.length > 0 && arrivals.length === 0) return tellRefused(shell, reads);

        return withIdentity(shell, async (identity) => {
          const { earlier, outcomes, waiting, missing } = await receive(identity, arrivals, receiveOptions(options));
          if (reads.length === 0 && earlier.length === 0) {
            throw new PawlError('no-input', { source: files.join(', ') || 'standard input' });
          }
          const ofArrivals = outcomes.values();
          const all = reads.flatMap((read) => ('error' in read ? refused(read) : (ofArrivals.next().value ?? [])));
          const exit = await deliver(shell, identity, [...earlier, ...all], options);
          for (const one of missing) await shell.tell.notice(missingFrom(one.from, one.count));
          if (waiting > 0) await shell.tell.notice(`${waiting} earlier texts are waiting: pawl recv < /dev/null`);
          return exit;
        });
      }),
    );
};

function missingFrom(from: string, messages: number): string {
  return `${count(messages, 'message')} of ${from} ${messages === 1 ? 'is' : 'are'} missing: they may come yet (pawl inspect ${from})`;
}

function receiveOptions({ output, maxGap, from }: RecvOptions): ReceiveOptions {
  return {
    waiting: output === undefined,
    ...(maxGap !== undefined && { gap: maxGap }),
    ...(from !== undefined && { from }),
  };
}

async function tellRefused(shell: Shell, reads: readonly Read<Arrival>[]): Promise<number> {
  let exit = 0;
  for (const read of reads) if ('error' in read) exit ||= await tellOutcome(shell, refused(read));
  return exit;
}

function refused({ source, error }: { source: string; error: PawlError }): Exclude<Outcome, Delivery> {
  return { type: 'refused', from: undefined, error, source };
}

/** Writes the texts out, then drops from the inbox those that were written; gives the exit code. */
async function deliver(
  shell: Shell,
  identity: Unlocked,
  outcomes: readonly Outcome[],
  options: RecvOptions,
): Promise<number> {
  const written: InboxId[] = [];
  const held: InboxId[] = [];
  let exit = 0;
  try {
    for (const outcome of outcomes) {
      if (outcome.type !== 'message') exit ||= await tellOutcome(shell, outcome);
      else if (options.output !== undefined) await tellNotices(shell, outcome);
      else (await write(shell, outcome, options)) ? written.push(outcome.inboxId) : held.push(outcome.inboxId);
    }
    if (options.output !== undefined) written.push(...(await writeAll(shell, options.output, outcomes, options)));
  } finally {
    await delivered(identity, { written, held });
  }
  return exit;
}

/** Writes one text to standard output; or not, where that is a terminal and the text is none. */
async function write(shell: Shell, delivery: Delivery, { lines }: RecvOptions): Promise<boolean> {
  const { io, tell } = shell;
  const { content } = delivery;
  await tellNotices(shell, delivery);
  if (tell.json) {
    await tell.result('', documentOf(delivery));
  } else if (!io.output.isTerminal) {
    await io.output.write(lines ? concat(content.bytes, NEWLINE) : content.bytes);
  } else if (isText(content.bytes)) {
    await io.output.write(forTerminal(delivery));
  } else {
    await tell.warn(
      `a message from ${delivery.from} is no text (${content.bytes.length} bytes): pawl recv < /dev/null > FILE`,
    );
    return false;
  }
  return true;
}

/** Writes all the texts to a file, which takes the place of what was there. */
async function writeAll(
  { io, tell }: Shell,
  path: string,
  outcomes: readonly Outcome[],
  { lines }: RecvOptions,
): Promise<readonly InboxId[]> {
  const deliveries = outcomes.filter((outcome) => outcome.type === 'message');
  if (deliveries.length === 0) return [];
  writeFile(
    io,
    path,
    concat(...deliveries.flatMap(({ content }) => (lines ? [content.bytes, NEWLINE] : [content.bytes]))),
  );
  for (const delivery of tell.json ? deliveries : []) await tell.result('', documentOf(delivery, false));
  return deliveries.map(({ inboxId }) => inboxId);
}
