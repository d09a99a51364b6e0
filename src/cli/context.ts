/**
 * What every command is given: the outside world, the global options, and the reporter.
 * Knows no command and no option of a single command.
 */
import type { Command } from 'commander';
import type { Io } from './terminal/io.ts';
import type { Reporter } from './terminal/reporter.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  /** The name of an identity. */
  readonly identity?: string;
  /** The path of the folder of the identity files. */
  readonly home?: string;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  /** A file descriptor. */
  readonly passphraseFd?: number;
  /** A command line for the shell. */
  readonly passphraseCommand?: string;
  /** `false` if the terminal must not be used for questions. */
  readonly input: boolean;
  /** The identity file was restored: hold every session. */
  readonly afterRestore?: true;
  /** The identity file has no mark on this machine, and is the newest copy. */
  readonly moved?: true;
  /** Seconds to wait for another pawl that holds the lock of the identity file. */
  readonly wait: number;
}

export interface CommandContext {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly reporter: Reporter;
}

/** Runs a command on its operands and options, and resolves to the exit code. */
export type CommandHandler<Parameters extends unknown[]> = (
  context: CommandContext,
  ...parameters: Parameters
) => Promise<number>;

/**
 * Turns a handler into the action that commander calls, which has no context and no exit code.
 * @param opens whether the command opens an identity file: then the native parts are loaded before the handler reads or
 * asks anything.
 */
export type MakeAction = <Parameters extends unknown[]>(
  handler: CommandHandler<Parameters>,
  opens?: (command: Command) => boolean,
) => (...parameters: Parameters) => Promise<void>;

/** Adds a command to the program. */
export type DefineCommand = (program: Command, makeAction: MakeAction) => void;
