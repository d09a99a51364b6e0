import type { Box, Call } from './box.ts';
import type { Laws } from './laws.ts';
import type { Ran } from './start.ts';

/** One command in one situation, which is ended at each of its steps. */
export interface Scene {
  /** The command, then what is special. */
  readonly name: string;
  /** Texts of some MiB, and thousands of steps. */
  readonly large?: true;
  /** Brings a new box to where the command can be run. */
  prepare(box: Box): Promise<void>;
  call(box: Box): Call;
  /** What must hold of the box after the command, however it ended. May go on with it as people would. */
  check(box: Box, ran: Ran, laws: Laws): Promise<void>;
}
