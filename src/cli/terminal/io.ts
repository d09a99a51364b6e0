/**
 * Everything outside of pawl that a command uses: the process, its standard streams, the terminal, randomness and the
 * clock. Knows nothing of commands; tests hand in an `Io` of their own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, type Stats, writeSync } from 'node:fs';
import { homedir, constants as osConstants } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ReadStream, WriteStream } from 'node:tty';
import { PawlError } from '../../errors.ts';
import { codeOf, REPLACEMENT, readAtOnce, reasonOf } from '../../files/index.ts';
import { type Random, systemRandom } from '../../primitives/index.ts';
import { isAddress } from './format.ts';
import { isRunning, machineName, processName } from './process-name.ts';

export interface Io {
  readonly arguments: readonly string[];
  /** What starts this program: the paths of Node and of the launcher. */
  readonly program: readonly [node: string, launcher: string];
  /** Reading a variable throws `not-utf8`, or for a passphrase `bad-passphrase`, where bytes of it were replaced. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The absolute path of the user's home folder; `undefined` if there is none, as in some containers. */
  readonly home: () => string | undefined;
  readonly userId: number | undefined;
  readonly input: Input;
  readonly output: Output;
  readonly errors: Output;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Names this process (`processName`). */
  readonly process: () => string;
  /** Names this machine (`machineName`). */
  readonly host: () => string;
  /** `undefined` for a process of another machine or container. */
  readonly isRunning: (process: string) => boolean | undefined;
  /**
   * Runs a command line in the shell.
   * @param limit the most bytes of output to accept.
   * @returns its standard output, and the reason if it failed.
   */
  readonly runCommand: (command: string, limit: number) => { output: Uint8Array; failure: string | undefined };
  /** The variables of the environment of these names, for a program that pawl runs. Those that are no UTF-8 are left out. */
  readonly variables: (isMeant: (name: string) => boolean) => Readonly<Record<string, string>>;
  /** Sends a signal to every process of a group; 0 is none. @returns whether there is one of one's own. */
  readonly killGroup: (leader: number, signal: NodeJS.Signals | 0) => boolean;
  /**
   * Has `work` done when a signal is to end the process, which ends by that signal once it is done. A second signal ends it
   * at once.
   * @returns `remove` takes the work back.
   */
  readonly beforeEnd: (work: (signal: NodeJS.Signals) => Promise<void>) => { remove: () => void };
  /**
   * Packs a folder by tar, whose standard error is that of pawl.
   * @param parent the folder that it is in.
   * @returns the archive, in chunks.
   * @throws `read-failed`, at the end also if tar has failed.
   */
  readonly runTar: (parent: string, name: string) => AsyncGenerator<Uint8Array, void, undefined>;
  /**
   * Runs an editor on a file, on the controlling terminal where there is one, and waits for its end. Ctrl-C is for the editor
   * meanwhile. A signal that ends pawl ends the editor first; what is to be done `beforeEnd` is not done then.
   * @param command a line for the shell, to which the path is added.
   * @param clear is called before a signal ends the process while the editor runs.
   * @returns the reason if it failed.
   */
  readonly runEditor: (command: string, path: string, clear: () => void) => Promise<string | undefined>;
  /** Opens the controlling terminal, even if the standard streams are redirected; `undefined` if there is none. */
  readonly openTerminal: () => Terminal | undefined;
}

export interface Input {
  readonly isTerminal: boolean;
  /** On a terminal: the bytes of the longest line that it passes on. It cuts longer ones, and says nothing. */
  readonly longestLine?: number;
  /** The bytes of the file that it is; `undefined` for anything else. */
  readonly size?: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Output {
  readonly isTerminal: boolean;
  /** Whether it is a file, so that what is flushed is on the disk. */
  readonly isFile?: boolean;
  /** The size of the terminal in characters, if known. */
  readonly size?: { readonly columns: number; readonly rows: number } | undefined;
  /**
   * Resolves once the bytes have been handed to the operating system.
   * @throws `closed-pipe`, `write-failed`.
   */
  write(bytes: Uint8Array | string): Promise<void>;
  /**
   * Resolves once everything written to a file is on the disk. Does nothing for a pipe or a terminal.
   * @throws `write-failed`.
   */
  flush(): Promise<void>;
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /**
   * Passes on each key as it is pressed, and shows none. What was typed before is dropped: see `dropTyped`.
   * @param options.marksPastes has the terminal put what is pasted between `ESC [200~` and `ESC [201~`.
   */
  hideKeys(options?: { readonly marksPastes?: boolean }): Dropped;
  /** Drops what was typed and nobody has read. */
  dropTyped(): Dropped;
  /** Stops the whole job, as the terminal itself does at Ctrl-Z where it does not pass on each key. */
  stop(): void;
  /** Has `redraw` called when the process goes on after it was stopped. */
  onContinue(redraw: () => void): void;
  /** Has `redraw` called when the terminal has got another size, which the standard streams know by then. */
  onResize(redraw: () => void): void;
  close(): void;
}

/** What was typed and dropped: whether it was blank, and whether it ended in the midst of a line. */
export interface Dropped {
  readonly isBlank: boolean;
  readonly isMidLine: boolean;
}

/** The `Io` of a real process. Only this file and `bin/pawl.js` use the process itself. */
export function systemIo(process: NodeJS.Process): Io {
  const input = lazy(() => inputFrom(process));
  const output = lazy(() => outputTo(() => process.stdout, 1, 'standard output'));
  const errors = lazy(() => outputTo(() => process.stderr, 2, 'standard error'));
  const environment = textsOf(process.env);
  return {
    arguments: process.argv.slice(2),
    program: [process.execPath, process.argv[1] ?? ''],
    environment,
    home: () => homeFolder(environment),
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
    host: lazy(machineName),
    isRunning,
    variables: (isMeant) =>
      Object.fromEntries(
        Object.entries(process.env).flatMap(([name, value]) =>
          value !== undefined && !value.includes(REPLACEMENT) && isMeant(name) ? [[name, value]] : [],
        ),
      ),
    killGroup: (leader, signal) => {
      try {
        return process.kill(-leader, signal);
      } catch (error) {
        if (!['ESRCH', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
        return false;
      }
    },
    beforeEnd: endings(process),
    runCommand: (command, limit) => runCommand(command, limit, process.env),
    runTar: (parent, name) => runTar(parent, name, process),
    runEditor: (command, path, clear) => runEditor(process, { command, path, clear }),
    openTerminal,
  };
}

/**
 * The work that is done when a signal ends the process. Node passes a signal on at its next turn, and not at all where its
 * listener is removed in between: so the listeners stay until then, also where there is nothing left to do.
 */
function endings(process: NodeJS.Process): Io['beforeEnd'] {
  const works = new Set<(signal: NodeJS.Signals) => Promise<void>>();
  const end = (signal: NodeJS.Signals) => {
    for (const one of SIGNALS) process.removeListener(one, end);
    const die = () => endBy(process, signal);
    Promise.all([...works].map((work) => work(signal))).then(die, die);
  };
  const listen = lazy(() => {
    for (const signal of SIGNALS) process.on(signal, end);
  });
  return (work) => {
    listen();
    works.add(work);
    return { remove: () => works.delete(work) };
  };
}

/** The kernel ends the first process of a container by no signal. */
function endBy(process: NodeJS.Process, signal: NodeJS.Signals): void {
  if (process.pid === 1) process.exit(128 + osConstants.signals[signal]);
  process.kill(process.pid, signal);
}

/** The variables of the environment, none of which can be read where Node has replaced bytes that are no UTF-8. */
function textsOf(environment: NodeJS.ProcessEnv): Io['environment'] {
  return new Proxy(environment, {
    get(variables, name: string) {
      const value = variables[name];
      // A locale decides only how something is shown.
      if (!value?.includes(REPLACEMENT) || /^(LC_|LANG)/.test(name)) return value;
      throw name === 'PAWL_PASSPHRASE'
        ? new PawlError('bad-passphrase', { source: name, flaw: 'replaced' })
        : new PawlError('not-utf8', { what: `the variable ${name}` });
    },
  });
}

/**
 * The home folder by the environment, where an empty or relative one is none; else by the list of users.
 * @throws `not-utf8`.
 */
function homeFolder({ HOME }: Io['environment']): string | undefined {
  // homedir() returns the variable, too, but loading node:os slows the start down.
  if (HOME !== undefined) return isAbsolute(HOME) ? HOME : undefined;
  let home: string;
  try {
    home = homedir();
  } catch {
    // Nor has the list of users an entry.
    return undefined;
  }
  if (home.includes(REPLACEMENT)) throw new PawlError('not-utf8', { what: 'the name of the home folder' });
  return home;
}

/** Calls `make` when the value is first needed, and never again. */
function lazy<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

// Loading Node's streams takes a tenth of the start. They are used only for terminals, and where reading or writing would
// block. Otherwise the file descriptors are read and written directly.

function inputFrom(process: NodeJS.Process): Input {
  return {
    isTerminal: isDevice(0) && process.stdin.isTTY === true,
    longestLine: process.platform === 'darwin' ? LONGEST_LINE_OF_MACOS : LONGEST_LINE_OF_LINUX,
    size: sizeOf(0),
    chunks: chunksFrom(process),
  };
}

/** Linux keeps 4,095 bytes of a line, besides its newline. */
const LONGEST_LINE_OF_LINUX = 4_094;
/** macOS takes nothing more, not even the newline, once 1,024 bytes wait (TTYHOG). */
const LONGEST_LINE_OF_MACOS = 1_021;

async function* chunksFrom(process: NodeJS.Process): AsyncGenerator<Uint8Array, void, undefined> {
  const isComplete = yield* readAtOnce(0);
  if (!isComplete) yield* process.stdin;
}

/**
 * @param descriptor the file descriptor of the same output as `stream`.
 * @param path what error messages call it.
 */
function outputTo(stream: () => NodeJS.WriteStream, descriptor: number, path: string): Output {
  const toPawlError = (cause: unknown): PawlError => {
    const isClosed = ['EPIPE', 'ERR_STREAM_DESTROYED', 'EBADF'].includes(codeOf(cause) ?? '');
    return isClosed
      ? new PawlError('closed-pipe', {}, { cause })
      : new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  };
  const openStream = lazy(() => {
    // Without a listener a broken pipe would end the process before the callback of the write is called.
    return stream().on('error', () => undefined);
  });
  const writeToStream = (bytes: Uint8Array | string): Promise<void> =>
    new Promise((resolve, reject) => {
      openStream().write(bytes, (error) => (error == null ? resolve() : reject(toPawlError(error))));
    });
  if (isDevice(descriptor)) {
    return {
      isTerminal: openStream().isTTY === true,
      get size() {
        // A terminal that does not know its size reports 0.
        const { columns, rows } = openStream();
        return columns > 0 && rows > 0 ? { columns, rows } : undefined;
      },
      write: writeToStream,
      flush: async () => undefined,
    };
  }
  return {
    isTerminal: false,
    isFile: sizeOf(descriptor) !== undefined,
    async write(data) {
      const bytes =
        typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      let at = 0;
      try {
        while (at < bytes.length) at += writeSync(descriptor, bytes, at);
      } catch (cause) {
        // A full pipe that another process has made non-blocking.
        if (codeOf(cause) === 'EAGAIN') return writeToStream(bytes.subarray(at));
        throw toPawlError(cause);
      }
    },
    async flush() {
      try {
        if (statusOf(descriptor)?.isFile()) fsyncSync(descriptor);
      } catch (cause) {
        throw toPawlError(cause);
      }
    },
  };
}

/** Whether a file descriptor is a terminal or another character device. A closed one counts as one. */
function isDevice(descriptor: number): boolean {
  return statusOf(descriptor)?.isCharacterDevice() ?? true;
}

/** The size in bytes of a regular file. */
function sizeOf(descriptor: number): number | undefined {
  const status = statusOf(descriptor);
  return status?.isFile() ? status.size : undefined;
}

/** The status of a file descriptor; `undefined` if it is closed. */
function statusOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}

/**
 * Runs a command line in the shell. Its standard input is empty, because that of pawl is data. Its standard error is that
 * of pawl.
 */
function runCommand(command: string, limit: number, environment: NodeJS.ProcessEnv) {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const { error, status, signal, stdout } = spawnSync(command, {
    shell: true,
    stdio: [...stdio],
    maxBuffer: limit,
    env: withoutSecrets(environment),
  });
  const end = signal === null ? (status === 0 ? undefined : `exit ${status}`) : signal;
  return {
    output: new Uint8Array(stdout ?? []),
    failure:
      error === undefined ? end : codeOf(error) === 'ENOBUFS' ? `it prints more than ${limit} bytes` : reasonOf(error),
  };
}

/** The environment for a program that pawl runs. The address of a database, in PAWL_HOME, may have a password in it. */
function withoutSecrets({ PAWL_PASSPHRASE, PGPASSWORD, PAWL_HOME, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return PAWL_HOME === undefined || isAddress(PAWL_HOME) ? env : { ...env, PAWL_HOME };
}

async function* runTar(parent: string, name: string, { env: environment, stderr }: NodeJS.Process) {
  const path = join(parent, name);
  const fail = (reason: string): never => {
    throw new PawlError('read-failed', { path, reason });
  };
  const env = withoutSecrets(environment);
  const tar = spawn('tar', ['-C', parent, '-cf', '-', '--', name], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const pass = (words: Uint8Array) => stderr.write(words);
  tar.stderr.on('data', pass);
  const end = new Promise<string | undefined>((resolve) => {
    tar.once('error', (error) => resolve(codeOf(error) === 'ENOENT' ? 'there is no tar here' : reasonOf(error)));
    tar.once('close', (code, signal) => resolve(code === 0 ? undefined : `tar: ${signal ?? `exit ${code}`}`));
  });
  try {
    for await (const chunk of tar.stdout) yield chunk as Uint8Array;
    const failure = await end;
    if (failure !== undefined) fail(failure);
  } finally {
    // What it says of a pipe that nobody reads any more is not for the person.
    tar.stderr.off('data', pass).resume();
    tar.kill();
  }
}

/** What an editor has no use for, and may hold a passphrase or a password. */
const OURS = /^(PAWL_.*|PGPASSWORD)$/i;

async function runEditor(
  process: NodeJS.Process,
  { command, path, clear }: { readonly command: string; readonly path: string; readonly clear: () => void },
): Promise<string | undefined> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name)));
  let end: (signal: NodeJS.Signals) => void = () => undefined;
  const release = takeSignals(process, [
    ...OF_EDITOR.map((signal) => [signal, () => undefined] as const),
    ...ENDING.map((signal) => [signal, (given: NodeJS.Signals) => end(given)] as const),
  ]);
  const terminal = terminalDescriptor();
  try {
    const stdio = terminal === undefined ? (['ignore', 2, 2] as const) : ([terminal, terminal, terminal] as const);
    const editor = spawn('/bin/sh', ['-c', `${command} "$1"`, command, path], { stdio: [...stdio], env });
    let endedBy: NodeJS.Signals | undefined;
    end = (signal) => {
      endedBy = signal;
      editor.kill(signal);
      setTimeout(() => editor.kill('SIGKILL'), GRACE).unref();
    };
    const failure = await new Promise<string | undefined>((resolve) => {
      editor.once('error', (error) => resolve(reasonOf(error)));
      editor.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit ${code}`)));
    });
    if (endedBy !== undefined) {
      clear();
      for (const signal of ENDING) process.removeAllListeners(signal);
      endBy(process, endedBy);
    }
    return failure;
  } finally {
    release();
    if (terminal !== undefined) closeSync(terminal);
  }
}

/**
 * Has signals go to other listeners for a while, instead of those that they have. Node drops a signal that comes while nobody
 * listens, or is killed by it: so the new ones are there before the old ones go, and the other way round.
 * @returns gives them back.
 */
function takeSignals(
  process: NodeJS.Process,
  taken: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[],
): () => void {
  const given = taken.map(([signal, listener]) => {
    const before = process.listeners(signal);
    process.on(signal, listener);
    for (const one of before) process.removeListener(signal, one);
    return () => {
      for (const one of before) process.on(signal, one);
      process.removeListener(signal, listener);
    };
  });
  return () => {
    for (const giveBack of given) giveBack();
  };
}

/** Signals that the terminal sends to the editor as well, which does with them what it likes. */
const OF_EDITOR = ['SIGINT', 'SIGQUIT'] as const;
/** Those that end pawl while an editor runs. */
const ENDING = ['SIGTERM', 'SIGHUP'] as const;
/** Milliseconds that an editor has to end by itself. */
const GRACE = 5_000;

function terminalDescriptor(): number | undefined {
  try {
    return openSync('/dev/tty', 'r+');
  } catch {
    return undefined;
  }
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
  let hidesKeys = false;
  let marksPastes = false;
  let isStopped = false;
  let redraw: () => void = () => undefined;
  let resized: () => void = () => undefined;
  const showKeys = () => {
    input.setRawMode(false);
    writeSync(screen, (marksPastes ? PASTES_UNMARKED : '') + SHOW_CURSOR);
  };
  // A question hides the keys, and may hide the cursor. A signal must not leave the terminal in that state.
  const restoreAndEnd = (signal: NodeJS.Signals) => {
    removeHandlers();
    showKeys();
    endBy(process, signal);
  };
  const stop = (target: number) => {
    isStopped = true;
    showKeys();
    process.removeListener('SIGTSTP', stopMyself);
    process.kill(target, 'SIGTSTP');
    // The system stops nobody whom no shell could continue. Who was stopped hears of SIGCONT first.
    setTimeout(() => setImmediate(goOn), SOON);
  };
  const stopMyself = () => stop(process.pid);
  const goOn = () => {
    if (!isStopped) return;
    isStopped = false;
    if (hidesKeys) hideKeys();
    redraw();
  };
  // It may also have been stopped by SIGSTOP, which cannot be handled.
  const onContinue = () => {
    isStopped = true;
    goOn();
  };
  const hideKeys = () => {
    hidesKeys = true;
    process.removeListener('SIGTSTP', stopMyself).on('SIGTSTP', stopMyself);
    // The shell may have changed the mode meanwhile, and the stream does nothing where it believes to be in a mode.
    input.setRawMode(false);
    input.setRawMode(true);
    if (marksPastes) writeSync(screen, PASTES_MARKED);
    return dropTyped();
  };
  const removeHandlers = () => {
    for (const signal of SIGNALS) process.removeListener(signal, restoreAndEnd);
    process.removeListener('SIGTSTP', stopMyself).removeListener('SIGCONT', onContinue);
    process.removeListener('SIGWINCH', resized);
  };
  for (const signal of SIGNALS) process.prependListener(signal, restoreAndEnd);
  return {
    input,
    output,
    hideKeys: (options) => {
      marksPastes = options?.marksPastes === true;
      return hideKeys();
    },
    dropTyped,
    // Every process of the group, as the other end of a pipe.
    stop: () => stop(0),
    onContinue: (given) => {
      redraw = given;
      process.on('SIGCONT', onContinue);
    },
    onResize: (given) => {
      resized = given;
      process.on('SIGWINCH', resized);
    },
    close: () => {
      isStopped = false;
      removeHandlers();
      if (hidesKeys) showKeys();
      hidesKeys = false;
      input.destroy();
      output.destroy();
    },
  };
}

function dropTyped(): Dropped {
  let terminal: number | undefined;
  let isBlank = true;
  let last: number | undefined;
  try {
    terminal = openSync('/dev/tty', constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const typed = new Uint8Array(4_096);
    for (let length = readSync(terminal, typed); length > 0; length = readSync(terminal, typed)) {
      isBlank &&= typed.subarray(0, length).every((byte) => byte <= BLANK);
      last = typed[length - 1];
      typed.fill(0);
    }
  } catch {
    // There is nothing more.
  } finally {
    if (terminal !== undefined) closeSync(terminal);
  }
  return { isBlank, isMidLine: last !== undefined && last !== NEWLINE };
}

/** The blank, and above all controls. */
const BLANK = 0x20;
const NEWLINE = 0x0a;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SHOW_CURSOR = '\u001b[?25h';
const PASTES_MARKED = '\u001b[?2004h';
const PASTES_UNMARKED = '\u001b[?2004l';
/** In milliseconds. */
const SOON = 50;
