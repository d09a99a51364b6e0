import { PawlError } from '../../../errors.ts';
import { Folder } from '../../../files/index.ts';
import { type Arrival, countMissing, LARGEST_GAP } from '../../../session/index.ts';
import type { Define } from '../../context.ts';
import { withIdentity } from '../../identity/open.ts';
import { folderName, outputFile, wholeNumber } from '../../option-types.ts';
import { asItComes } from '../../stream/batches.ts';
import { type Read, readMessages } from '../../stream/envelopes.ts';
import { count } from '../../terminal/format.ts';
import { Deliveries, isArrival, Receiving, refused, TOGETHER } from './delivery.ts';
import { tellOutcome } from './report.ts';

interface RecvOptions {
  readonly output?: string;
  readonly outDir?: string;
  readonly force?: true;
  readonly waiting?: true;
  readonly lines?: true;
  readonly maxGap?: number;
  readonly from?: string;
}

export const defineRecv: Define = (program, act) => {
  program
    .command('recv [files...]')
    .description('decrypt every message in files or standard input')
    .option('-o, --output <file>', 'write the texts to a file', outputFile)
    .option('--out-dir <dir>', 'put files there, under their own names', folderName)
    .option('--force', 'with --out-dir, replace what is there')
    .option('--waiting', 'read no input: only what still waits')
    .option('--lines', 'a newline after each text')
    .option('--max-gap <n>', 'skip up to N missing messages', wholeNumber(1, LARGEST_GAP))
    .option('--from <name>', 'accept from NAME only; leave the others for later')
    .addHelpText(
      'after',
      `
Messages may come in any order, and more than once. A pipe or a file gets the exact bytes.
With --out-dir, a file that cannot be put there waits, and nothing that is there is replaced.

Examples:
  $ pawl recv message.pawl
  $ cat inbox/*.pawl | pawl recv --json
  $ pawl recv photo.pawl --out-dir ~/Downloads
  $ pawl recv --waiting --out-dir /tmp/new`,
    )
    .action(
      act(async (shell, files: string[], options: RecvOptions) => {
        checkOptions(files, options);
        // Before anything is read or asked.
        const folder = options.outDir === undefined ? undefined : new Folder(options.outDir);
        const batches = options.waiting ? nothing() : readMessages(shell, files);
        let exit = 0;
        let first = await batches.next();
        // Broken envelopes alone are no reason to ask for a passphrase.
        for (; !first.done && !first.value.some(isArrival); first = await batches.next()) {
          for (const read of first.value) {
            const code = 'error' in read ? await tellOutcome(shell, refused(read)) : 0;
            exit ||= code;
          }
        }
        if (first.done && exit !== 0) return exit;

        return withIdentity(shell, async (identity) => {
          const deliveries = new Deliveries(shell, identity, { ...options, ...(folder && { folder }) });
          const receiving = new Receiving(identity, deliveries, options);
          // Where there are none, earlier texts may wait.
          const begun = first.done ? { done: false, value: [] } : first;
          await asItComes(begun, batches, {
            most: TOGETHER,
            work: (reads) => receiving.receive(reads),
            pause: () => deliveries.note(),
          });
          const { waiting } = receiving;
          if (first.done && deliveries.isEmpty && waiting === 0) {
            if (!options.waiting) throw new PawlError('no-input', { source: files.join(', ') || 'standard input' });
            await shell.tell.notice('nothing waits');
          }
          await deliveries.finish();
          for (const name of receiving.gaps) {
            const messages = await countMissing(identity, name);
            if (messages > 0) {
              await shell.tell.notice(`${count(messages, 'message')} of ${name} missing so far: pawl inspect ${name}`);
            }
          }
          if (waiting > 0 && options.output !== undefined) {
            await shell.tell.notice(
              `${count(waiting, 'earlier text')} ${waiting === 1 ? 'is' : 'are'} waiting: pawl recv --waiting`,
            );
          }
          return exit || deliveries.exit;
        });
      }),
    );
};

async function* nothing(): AsyncGenerator<readonly Read<Arrival>[], void, undefined> {}

function checkOptions(files: readonly string[], { output, outDir, force, waiting }: RecvOptions): void {
  if (waiting && files.length > 0) {
    throw new PawlError('usage', { problem: 'a file and --waiting do not go together', hint: 'give one of them' });
  }
  if (output !== undefined && outDir !== undefined) {
    throw new PawlError('usage', {
      problem: '-o and --out-dir do not go together',
      hint: 'pawl recv --out-dir DIR > FILE puts files into DIR, and texts into FILE',
    });
  }
  if (force && outDir === undefined) {
    throw new PawlError('usage', { problem: '--force goes with --out-dir', hint: '-o FILE replaces FILE as it is' });
  }
}
