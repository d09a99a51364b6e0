/** The command line: arguments in, exit code out. */
import { systemIo } from './io.ts';
import { main } from './main.ts';

/** Runs pawl as the process that it was started as. */
export async function run(process: NodeJS.Process): Promise<void> {
  process.exitCode = await main(systemIo(process));
}
