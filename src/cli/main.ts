import { CommanderError } from 'commander';
import { PawlError } from '../errors.ts';
import { explain } from './explain.ts';
import type { Io } from './io.ts';
import { createProgram } from './program.ts';
import { visible } from './show/visible.ts';
import { Tell } from './tell.ts';

const BUG = 1;

/** One run of pawl. @returns the exit code. Throws nothing. */
export async function main(io: Io): Promise<number> {
  try {
    let exit = 0;
    let help = '';
    const print = (text: string) => {
      help += text;
    };
    const done = (code: number) => {
      exit = code;
    };
    try {
      await createProgram(io, { print, done }).parseAsync([...io.arguments], { from: 'user' });
    } finally {
      if (help !== '') await io.output.write(help);
    }
    return exit;
  } catch (error) {
    try {
      return await report(io, error);
    } catch {
      // Standard error is closed as well: the exit code is all that is left to say.
      return error instanceof PawlError ? explain(error).exit : BUG;
    }
  }
}

async function report(io: Io, error: unknown): Promise<number> {
  const tell = new Tell(io, { json: io.arguments.includes('--json'), quiet: false });
  if (error instanceof PawlError) return tell.error(error);
  if (error instanceof CommanderError) {
    // Help and version were asked for and have been given.
    if (error.exitCode === 0) return 0;
    return tell.error(new PawlError('usage', usageOf(error)));
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  await io.errors.write(`pawl: this is a bug in pawl, please report it\n${visible(trace)}\n`);
  return BUG;
}

/** Commander's sentence in our form: `error: unknown command 'sned'\n(Did you mean send?)`. */
function usageOf({ code, message }: CommanderError): { problem: string; hint?: string } {
  if (code === 'commander.help') return { problem: 'no command was given' };
  const [problem = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const meant = suggestion?.match(/Did you mean (.*)\?/)?.[1];
  return { problem: problem.replace(/\.$/, ''), ...(meant !== undefined && { hint: `did you mean ${meant}?` }) };
}
