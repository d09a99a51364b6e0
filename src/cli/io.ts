import { spawnSync } from 'node:child_process';
import { fstatSync, fsyncSync, openSync, type Stats, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { ReadStream, WriteStream } from 'node:tty';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf } from '../files/index.ts';
import { type Random, systemRandom } from '../primitives/index.ts';
import { isRunning, processName } from './running.ts';

/** Everything outside of pawl that a command may touch. Tests hand in their own. */
export interface Io {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The person's home folder. Throws where the system knows of none. */
  readonly home: () => string;
  readonly userId: number | undefined;
  readonly input: Input;
  readonly output: Output;
  readonly errors: Output;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly process: () => string;
  readonly isRunning: (process: string) => boolean;
  /** Runs a line of the shell and gives what it printed; or in words, why it failed. `limit` is in bytes. */
  readonly runCommand: (command: string, limit: number) => { output: Uint8Array; failure: string | undefined };
  /** The terminal itself, whatever standard input and output are; `undefined` where there is none. */
  readonly openTerminal: () => Terminal | undefined;
}

export interface Input {
  readonly isTerminal: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Output {
  readonly isTerminal: boolean;
  /** How large the terminal is, in characters. */
  readonly size?: { readonly columns: number; readonly rows: number } | undefined;
  /** Resolves once the bytes have been handed to the operating system. @throws `closed-pipe`, `write-failed`. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Resolves once what was written to a file is on the disk; a pipe is its reader's. @throws `write-failed`. */
  flush(): Promise<void>;
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
    home: homedir,
    userId: process.getuid?.(),
    input: { isTerminal: process.stdin.isTTY === true, chunks: inputFrom(process) },
    output: outputTo(process.stdout, 1, 'standard output'),
    errors: outputTo(process.stderr, 2, 'standard error'),
    random: systemRandom,
    now: Date.now,
    process: () => processName(process.pid),
    isRunning,
    runCommand: (command, limit) => runCommand(command, limit, process.env),
    openTerminal,
  };
}

async function* inputFrom({ stdin }: NodeJS.Process): AsyncGenerator<Uint8Array, void, undefined> {
  // Node takes a folder for an empty file.
  if (statusOf(0)?.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  yield* stdin;
}

function outputTo(stream: NodeJS.WriteStream, file: number, path: string): Output {
  // Without a listener a broken pipe would end the process before the write's own callback is asked.
  stream.on('error', () => undefined);
  const failed = (cause: unknown): PawlError => {
    const isClosed = ['EPIPE', 'ERR_STREAM_DESTROYED', 'EBADF'].includes(codeOf(cause) ?? '');
    return isClosed
      ? new PawlError('closed-pipe', {}, { cause })
      : new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  };
  if (statusOf(file)?.isFile()) {
    return {
      isTerminal: false,
      // Not the stream: Node takes a write that a full disk cut short for a whole one.
      async write(data) {
        const bytes =
          typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        try {
          for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
        } catch (cause) {
          throw failed(cause);
        }
      },
      async flush() {
        try {
          fsyncSync(file);
        } catch (cause) {
          throw failed(cause);
        }
      },
    };
  }
  return {
    isTerminal: stream.isTTY === true,
    get size() {
      // A terminal that does not know its size says 0.
      const { columns, rows } = stream;
      return columns > 0 && rows > 0 ? { columns, rows } : undefined;
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error == null ? resolve() : reject(failed(error))));
      }),
    flush: async () => undefined,
  };
}

/** `undefined` for one that is closed. */
function statusOf(file: number): Stats | undefined {
  try {
    return fstatSync(file);
  } catch {
    return undefined;
  }
}

/** Its standard input is empty: ours is data. What it says on standard error is for the person. */
function runCommand(command: string, limit: number, { PAWL_PASSPHRASE, ...env }: NodeJS.ProcessEnv) {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const { error, status, signal, stdout } = spawnSync(command, {
    shell: true,
    stdio: [...stdio],
    maxBuffer: limit,
    env,
  });
  const end = signal === null ? (status === 0 ? undefined : `exit ${status}`) : signal;
  return {
    output: new Uint8Array(stdout ?? []),
    failure:
      error === undefined ? end : codeOf(error) === 'ENOBUFS' ? `it prints more than ${limit} bytes` : reasonOf(error),
  };
}

function openTerminal(): Terminal | undefined {
  let input: ReadStream;
  let output: WriteStream;
  let screen: number;
  try {
    screen = openSync('/dev/tty', 'w');
    input = new ReadStream(openSync('/dev/tty', 'r'));
    output = new WriteStream(screen);
  } catch {
    return undefined;
  }
  const forget = () => {
    for (const signal of SIGNALS) process.removeListener(signal, end);
  };
  // Whoever is asked types unseen: a signal must not leave the terminal like that.
  const end = (signal: NodeJS.Signals) => {
    forget();
    input.setRawMode(false);
    writeSync(screen, SHOW_CURSOR);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.prependListener(signal, end);
  return {
    input,
    output,
    close: () => {
      forget();
      input.destroy();
      output.destroy();
    },
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SHOW_CURSOR = '\u001b[?25h';
