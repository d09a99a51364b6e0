import type { Command } from 'commander';
import type { Io } from './terminal/io.ts';
import type { Reporter } from './terminal/reporter.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly identity?: string;
  readonly home?: string;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  /** A number of an open file. */
  readonly passphraseFd?: number;
  readonly passphraseCommand?: string;
  /** Whether questions may be asked on the terminal. */
  readonly input: boolean;
  /** Go on with a file that is older than what this machine wrote last. */
  readonly afterRestore?: true;
  /** Seconds to wait for another pawl that holds the identity. */
  readonly wait: number;
}

/** What a command works with. */
export interface CommandContext {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly reporter: Reporter;
}

/** Adds a command to the program; `act` makes a handler that is given the shell, and whose result is the exit code. */
export type DefineCommand = (program: Command, act: MakeAction) => void;
export type MakeAction = <Arguments extends unknown[]>(
  work: (context: CommandContext, ...parameters: Arguments) => Promise<number>,
) => (...parameters: Arguments) => Promise<void>;
