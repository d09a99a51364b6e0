import { PawlError } from '../../errors.ts';
import { type Arrival, type Delivery, LARGEST_GAP, type Outcome, receive } from '../../session/index.ts';
import { Deliveries } from '../deliveries.ts';
import { outputFile, wholeNumber } from '../parse.ts';
import { type Read, readMessages } from '../read-envelopes.ts';
import type { Define } from '../shell.ts';
import { count } from '../show/page.ts';
import { tellOutcome } from '../tell-received.ts';
import { type Unlocked, withIdentity } from '../unlock.ts';

interface RecvOptions {
  readonly output?: string;
  readonly lines?: true;
  readonly maxGap?: number;
  readonly from?: string;
}

export const defineRecv: Define = (program, act) => {
  program
    .command('recv [files...]')
    .description('decrypt every message in files or standard input')
    .option('-o, --output <file>', 'write the texts to a file', outputFile)
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
        const slices = slicesOf(readMessages(shell, files));
        let exit = 0;
        let slice = await slices.next();
        // Broken envelopes alone are no reason to ask for a passphrase.
        for (; !slice.done && !slice.value.some(isArrival); slice = await slices.next()) {
          for (const read of slice.value) {
            const code = 'error' in read ? await tellOutcome(shell, refused(read)) : 0;
            exit ||= code;
          }
        }
        if (slice.done && exit !== 0) return exit;

        return withIdentity(shell, async (identity) => {
          const deliveries = new Deliveries(shell, identity, options);
          let { waiting } = await receiveSlice(identity, slice.done ? [] : slice.value, deliveries, options);
          if (slice.done && deliveries.isEmpty && waiting === 0) {
            throw new PawlError('no-input', { source: files.join(', ') || 'standard input' });
          }
          for await (const later of slices) {
            ({ waiting } = await receiveSlice(identity, later, deliveries, options));
          }
          await deliveries.finish();
          if (waiting > 0 && options.output !== undefined) {
            await shell.tell.notice(
              `${count(waiting, 'earlier text')} ${waiting === 1 ? 'is' : 'are'} waiting: pawl recv < /dev/null`,
            );
          }
          return exit || deliveries.exit;
        });
      }),
    );
};

type Item = Read<Arrival>;

/** So many messages share a commit: the next command need not wait for long, whatever they cost. */
const SLICE = 64;

async function* slicesOf(reads: AsyncIterable<Item>): AsyncGenerator<readonly Item[], void, undefined> {
  let slice: Item[] = [];
  for await (const read of reads) {
    slice.push(read);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

/** Receives one slice, and hands its texts out. Earlier texts come with the first. */
async function receiveSlice(
  identity: Unlocked,
  slice: readonly Item[],
  deliveries: Deliveries,
  { output, maxGap, from }: RecvOptions,
): Promise<{ waiting: number }> {
  const { earlier, outcomes, missing, waiting } = await receive(identity, slice.filter(isArrival), {
    waiting: output === undefined,
    ...(maxGap !== undefined && { gap: maxGap }),
    ...(from !== undefined && { from }),
  });
  const ofArrivals = outcomes.values();
  const inOrder = slice.flatMap((read) => ('error' in read ? refused(read) : (ofArrivals.next().value ?? [])));
  await deliveries.deliver([...earlier, ...inOrder], missing);
  return { waiting };
}

function isArrival(read: Item): read is Arrival {
  return 'envelope' in read;
}

function refused({ source, error }: { source: string; error: PawlError }): Exclude<Outcome, Delivery> {
  return { type: 'refused', from: undefined, error, source };
}
