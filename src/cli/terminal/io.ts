import { spawnSync } from 'node:child_process';
import { fstatSync, fsyncSync, openSync, type Stats, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { ReadStream, WriteStream } from 'node:tty';
import { PawlError } from '../../errors.ts';
import { codeOf, readAtOnce, reasonOf } from '../../files/index.ts';
import { type Random, systemRandom } from '../../primitives/index.ts';
import { isRunning, processName } from './process-name.ts';

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
  const input = once(() => inputFrom(process));
  const output = once(() => outputTo(() => process.stdout, 1, 'standard output'));
  const errors = once(() => outputTo(() => process.stderr, 2, 'standard error'));
  return {
    arguments: process.argv.slice(2),
    environment: process.env,
    // As homedir() itself does, which takes long to load.
    home: () => process.env.HOME || homedir(),
    userId: process.getuid?.(),
    get input() {
      return input();
    },
    get output() {
      return output();
    },
    get errors() {
      return errors();
    },
    random: systemRandom,
    now: Date.now,
    process: () => processName(process.pid),
    isRunning,
    runCommand: (command, limit) => runCommand(command, limit, process.env),
    openTerminal,
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

// To load Node's streams takes a tenth of a start. They are for terminals, and for what has to be waited for.

function inputFrom(process: NodeJS.Process): Input {
  return { isTerminal: isDevice(0) && process.stdin.isTTY === true, chunks: chunksFrom(process) };
}

async function* chunksFrom(process: NodeJS.Process): AsyncGenerator<Uint8Array, void, undefined> {
  const isAll = yield* readAtOnce(0);
  if (!isAll) yield* process.stdin;
}

function outputTo(stream: () => NodeJS.WriteStream, file: number, path: string): Output {
  const failed = (cause: unknown): PawlError => {
    const isClosed = ['EPIPE', 'ERR_STREAM_DESTROYED', 'EBADF'].includes(codeOf(cause) ?? '');
    return isClosed
      ? new PawlError('closed-pipe', {}, { cause })
      : new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  };
  const open = once(() => {
    // Without a listener a broken pipe would end the process before the write's own callback is asked.
    return stream().on('error', () => undefined);
  });
  const writeToStream = (bytes: Uint8Array | string): Promise<void> =>
    new Promise((resolve, reject) => {
      open().write(bytes, (error) => (error == null ? resolve() : reject(failed(error))));
    });
  if (isDevice(file)) {
    return {
      isTerminal: open().isTTY === true,
      get size() {
        // A terminal that does not know its size says 0.
        const { columns, rows } = open();
        return columns > 0 && rows > 0 ? { columns, rows } : undefined;
      },
      write: writeToStream,
      flush: async () => undefined,
    };
  }
  return {
    isTerminal: false,
    async write(data) {
      const bytes =
        typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      let at = 0;
      try {
        while (at < bytes.length) at += writeSync(file, bytes, at);
      } catch (cause) {
        // A pipe that is full, and that somebody has told not to wait.
        if (codeOf(cause) === 'EAGAIN') return writeToStream(bytes.subarray(at));
        throw failed(cause);
      }
    },
    async flush() {
      try {
        if (statusOf(file)?.isFile()) fsyncSync(file);
      } catch (cause) {
        throw failed(cause);
      }
    },
  };
}

function isDevice(file: number): boolean {
  return statusOf(file)?.isCharacterDevice() ?? true;
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
