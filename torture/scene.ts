/** The interface of a scene. */
import type { Box, Call } from './box.ts';
import type { Laws } from './laws.ts';
import type { Ran } from './start.ts';

/** One command in one situation, into which faults are injected step by step. */
export interface Scene {
  /** The command, then what is special about the situation. */
  readonly name: string;
  /** It has texts of some MiB, and thousands of steps. */
  readonly large?: true;
  /** Prepares a new box for the command. */
  prepare(box: Box): Promise<void>;
  call(box: Box): Call;
  /** Checks the box after the command, however it ended. May run further commands in it. */
  check(box: Box, ran: Ran, laws: Laws): Promise<void>;
}
