/**
 * Asks questions on the controlling terminal, so that standard input and output stay free for data.
 * Knows nothing of what is asked.
 */
import { PassThrough, Writable } from 'node:stream';
import { PawlError } from '../../errors.ts';
import { escapeInLine, escapeInvisible } from './format.ts';
import type { Io, Terminal } from './io.ts';
import { bytesTyped, TypedKeys } from './typed-keys.ts';

type TerminalAccess = Pick<Io, 'openTerminal'>;

/**
 * Asks for a secret, without showing what is typed. What was typed before the question is not part of the answer, and what
 * came behind the answer is of nothing: both are dropped, and that is told on the terminal.
 * @returns the bytes of the answer, as the terminal sent them; `undefined` if there is no terminal.
 * @throws `interrupted` on Ctrl-C, Ctrl-D, or when the terminal is closed.
 */
export async function askSecret(io: TerminalAccess, message: string): Promise<Uint8Array | undefined> {
  const answer = await ask<string>(io, { type: 'password', message, toggleMask: false });
  return answer === undefined ? undefined : bytesTyped(answer);
}

/**
 * Asks a yes-or-no question. Return alone means no.
 * @returns the answer; `undefined` if there is no terminal.
 * @throws `interrupted` on Ctrl-C, Ctrl-D, or when the terminal is closed.
 */
export async function confirm(io: TerminalAccess, message: string): Promise<boolean | undefined> {
  return ask(io, { type: 'confirm', message, default: false });
}

/** Writes on the controlling terminal, even if the standard streams are redirected. Does nothing if there is none. */
export async function showOnTerminal(io: TerminalAccess, text: string): Promise<void> {
  const terminal = io.openTerminal();
  if (terminal === undefined) return;
  await new Promise((resolve) => terminal.output.write(escapeInvisible(text), resolve));
  terminal.close();
}

/**
 * Stands before each question. The default of the library is not ASCII, and marks an answer as right before it has been
 * checked.
 */
const THEME = { prefix: 'pawl:' };

interface Question {
  readonly type: 'password' | 'confirm';
  readonly message: string;
  readonly [option: string]: unknown;
}

async function ask<Answer>(io: TerminalAccess, question: Question): Promise<Answer | undefined> {
  const terminal = io.openTerminal();
  if (terminal === undefined) return undefined;
  try {
    // Loading the library takes longer than the rest of a command.
    const { default: inquirer } = await import('inquirer');
    const shown = { ...question, message: escapeInLine(question.message), theme: THEME, name: 'answer' };
    await dropBefore(terminal);
    for (;;) {
      const keys = new Keys(terminal);
      const prompt = inquirer.createPromptModule({
        input: keys.input,
        output: screenOf(terminal),
        signal: keys.stopped,
      });
      try {
        const { answer } = await Promise.race([prompt([shown]), keys.ended]);
        await dropBehind(terminal, keys);
        return answer as Answer;
      } catch (error) {
        // After a stop it is asked anew: whoever comes back does not know how far they had come.
        if (!keys.stopped.aborted) throw error;
      } finally {
        keys.close();
      }
    }
  } catch (cause) {
    throw new PawlError('interrupted', {}, { cause });
  } finally {
    terminal.close();
  }
}

/** Drops what was typed before a question, and tells it. */
async function dropBefore(terminal: Terminal): Promise<void> {
  const { isBlank, isMidLine } = terminal.hideKeys();
  if (isMidLine) terminal.output.write('\n');
  if (isBlank) return;
  await untilQuiet(() => !terminal.dropTyped().isBlank);
  terminal.output.write(DROPPED_BEFORE);
}

/** Drops what has come behind an answer, and tells it. */
async function dropBehind(terminal: Terminal, keys: Keys): Promise<void> {
  const hasMore = () => {
    // Called first: what has come meanwhile is dropped in any case.
    const { isBlank } = terminal.dropTyped();
    return keys.takeMore() || !isBlank;
  };
  if (!hasMore()) return;
  await untilQuiet(hasMore);
  terminal.output.write(DROPPED_BEHIND);
}

/** What is pasted comes in pieces, of which no part must get into what is read next. */
async function untilQuiet(hasMore: () => boolean): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, BETWEEN_PIECES));
  while (hasMore());
}

/** In milliseconds. */
const BETWEEN_PIECES = 50;
const DROPPED_BEFORE = 'pawl: what was typed before this question was dropped: type it again once it is asked for\n';
const DROPPED_BEHIND = 'pawl: what came behind the answer was dropped: type or paste it again\n';

/** A stream to the terminal that the library may end after each question. It breaks lines by its `columns`. */
function screenOf({ output }: Terminal): Writable {
  const columns = 'columns' in output ? output.columns : undefined;
  const screen = new Writable({
    write: (bytes, _, done) => {
      // A terminal takes them at once. Nothing is left to be written when it is closed.
      output.write(bytes);
      done();
    },
  });
  return Object.assign(screen, { columns });
}

const STOP = '\x1a';
const INTERRUPT = '\x03';
/** Ctrl-C, Ctrl-D and Ctrl-Z. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const SPECIAL = /[\x03\x04\x1a]/;
/** Either key ends the answer. */
const ENTER = /[\r\n]/;

/** The keys for one question. The library gets neither those that end or stop it, which it does not handle, nor bytes. */
class Keys {
  readonly input = new PassThrough({ objectMode: true });
  /** Rejects on Ctrl-C, on Ctrl-D, or when the terminal is closed. The library would wait for ever. */
  readonly ended: Promise<never>;
  readonly #terminal: Terminal;
  readonly #typed = new TypedKeys();
  readonly #stopped = new AbortController();
  #isAnswered = false;
  #hasMore = false;
  #end: () => void = () => undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.ended = new Promise((_, reject) => {
      this.#end = () => reject(new Error('the terminal was closed, or Ctrl-C or Ctrl-D was typed'));
    });
    // When nobody waits for it any more, it says nothing.
    this.ended.catch(() => undefined);
    for (const event of ENDS) terminal.input.on(event, this.#end);
    terminal.input.on('data', this.#take);
    terminal.onContinue(() => this.#stopped.abort());
  }

  /** Aborted when the process goes on after it was stopped. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Whether something came behind the answer since the last call, other than blanks. */
  takeMore(): boolean {
    const hasMore = this.#hasMore;
    this.#hasMore = false;
    return hasMore;
  }

  /** Takes no more keys. */
  close(): void {
    for (const event of ENDS) this.#terminal.input.removeListener(event, this.#end);
    this.#terminal.input.removeListener('data', this.#take);
    this.input.destroy();
  }

  readonly #take = (bytes: Uint8Array): void => {
    const text = this.#typed.textOf(bytes);
    const enter = this.#isAnswered ? 0 : text.search(ENTER) + 1;
    const isAnswered = this.#isAnswered || enter > 0;
    const answer = isAnswered ? text.slice(0, enter) : text;
    const more = text.slice(answer.length);
    const at = more.includes(INTERRUPT) ? text.indexOf(INTERRUPT) : answer.search(SPECIAL);
    if (at === -1) {
      this.#isAnswered = isAnswered;
      this.#hasMore ||= more.trim() !== '';
      if (answer !== '') this.input.write(answer);
      return;
    }
    this.#terminal.output.write('\n');
    if (text[at] === STOP) this.#terminal.stop();
    else this.#end();
  };
}

const ENDS = ['end', 'close', 'error'] as const;
