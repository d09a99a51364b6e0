/** The command line: arguments in, exit code out. */
import { systemIo } from './io.ts';
import { main } from './main.ts';

/** Runs pawl as the process that it was started as; gives the exit code. */
export function run(process: NodeJS.Process): Promise<number> {
  return main(systemIo(process));
}
