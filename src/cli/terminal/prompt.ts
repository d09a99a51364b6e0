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
 * Asks for a secret, without showing what is typed. What was typed before the question is not part of the answer.
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
    terminal.hideKeys();
    for (;;) {
      const keys = new Keys(terminal);
      const prompt = inquirer.createPromptModule({
        input: keys.input,
        output: screenOf(terminal),
        signal: keys.stopped,
      });
      try {
        const { answer } = await Promise.race([prompt([shown]), keys.ended]);
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
/** Ctrl-C, Ctrl-D and Ctrl-Z. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const SPECIAL = /[\x03\x04\x1a]/;

/** The keys for one question. The library gets neither those that end or stop it, which it does not handle, nor bytes. */
class Keys {
  readonly input = new PassThrough({ objectMode: true });
  /** Rejects on Ctrl-C, on Ctrl-D, or when the terminal is closed. The library would wait for ever. */
  readonly ended: Promise<never>;
  readonly #terminal: Terminal;
  readonly #typed = new TypedKeys();
  readonly #stopped = new AbortController();
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

  /** Takes no more keys. */
  close(): void {
    for (const event of ENDS) this.#terminal.input.removeListener(event, this.#end);
    this.#terminal.input.removeListener('data', this.#take);
    this.input.destroy();
  }

  readonly #take = (bytes: Uint8Array): void => {
    const text = this.#typed.textOf(bytes);
    const at = text.search(SPECIAL);
    if (at === -1) {
      this.input.write(text);
      return;
    }
    this.#terminal.output.write('\n');
    if (text[at] === STOP) this.#terminal.stop();
    else this.#end();
  };
}

const ENDS = ['end', 'close', 'error'] as const;
