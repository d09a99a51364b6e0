import { openSync } from 'node:fs';
import { homedir } from 'node:os';
import { ReadStream, WriteStream } from 'node:tty';
import { PawlError } from '../errors.ts';
import { type Random, systemRandom } from '../primitives/index.ts';
import { reasonOf } from './files.ts';
import { isRunning, processName } from './running.ts';

/** Everything outside of pawl that a command may touch. Tests hand in their own. */
export interface Io {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly userId: number | undefined;
  readonly input: Input;
  readonly output: Output;
  readonly errors: Output;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly process: string;
  readonly isRunning: (process: string) => boolean;
  /** The terminal itself, whatever standard input and output are; `undefined` where there is none. */
  readonly openTerminal: () => Terminal | undefined;
}

export interface Input {
  readonly isTerminal: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Output {
  readonly isTerminal: boolean;
  /** Resolves once the bytes have been handed to the operating system. @throws `closed-pipe`, `write-failed`. */
  write(bytes: Uint8Array | string): Promise<void>;
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  close(): void;
}

/** The world of a real process. With `bin/pawl.js` the only place that touches it. */
export function systemIo(process: NodeJS.Process): Io {
  return {
    arguments: process.argv.slice(2),
    environment: process.env,
    home: homedir(),
    userId: process.getuid?.(),
    input: { isTerminal: process.stdin.isTTY === true, chunks: process.stdin },
    output: outputTo(process.stdout, 'standard output'),
    errors: outputTo(process.stderr, 'standard error'),
    random: systemRandom,
    now: Date.now,
    process: processName(process.pid),
    isRunning,
    openTerminal,
  };
}

function outputTo(stream: NodeJS.WriteStream, path: string): Output {
  // Without a listener a broken pipe would end the process before the write's own callback is asked.
  stream.on('error', () => undefined);
  return {
    isTerminal: stream.isTTY === true,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => {
          if (error == null) return resolve();
          const closed = 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
          reject(
            closed
              ? new PawlError('closed-pipe', {}, { cause: error })
              : new PawlError('write-failed', { path, reason: reasonOf(error) }, { cause: error }),
          );
        });
      }),
  };
}

function openTerminal(): Terminal | undefined {
  try {
    const input = new ReadStream(openSync('/dev/tty', 'r'));
    const output = new WriteStream(openSync('/dev/tty', 'w'));
    return {
      input,
      output,
      close: () => {
        input.destroy();
        output.destroy();
      },
    };
  } catch {
    return undefined;
  }
}
