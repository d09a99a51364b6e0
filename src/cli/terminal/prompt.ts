/**
 * Asks questions on the controlling terminal, so that standard input and output stay free for data.
 * Knows nothing of what is asked.
 */
import { PawlError } from '../../errors.ts';
import { escapeInvisible } from './format.ts';
import type { Io, Terminal } from './io.ts';

type TerminalAccess = Pick<Io, 'openTerminal'>;

/**
 * Asks for a secret, without showing what is typed.
 * @returns the answer; `undefined` if there is no terminal.
 * @throws `interrupted` on Ctrl-C, Ctrl-D, or when the terminal is closed.
 */
export async function askSecret(io: TerminalAccess, message: string): Promise<string | undefined> {
  return ask(io, { type: 'password', message, toggleMask: false, theme: THEME });
}

/**
 * Asks a yes-or-no question. Return alone means no.
 * @returns the answer; `undefined` if there is no terminal.
 * @throws `interrupted` on Ctrl-C, Ctrl-D, or when the terminal is closed.
 */
export async function confirm(io: TerminalAccess, message: string): Promise<boolean | undefined> {
  return ask(io, { type: 'confirm', message, default: false, theme: THEME });
}

/**
 * Stands before each question. The default of the library is not ASCII, and marks an answer as right before it has been
 * checked.
 */
const THEME = { prefix: 'pawl:' };

async function ask<Answer>(io: TerminalAccess, question: { type: string; message: string } & Record<string, unknown>) {
  const terminal = io.openTerminal();
  if (terminal === undefined) return undefined;
  // Loading the library takes longer than the rest of a command.
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ input: terminal.input, output: terminal.output });
  try {
    const asked = prompt([{ ...question, message: escapeInvisible(question.message), name: 'answer' }]);
    const { answer } = await Promise.race([asked, rejectOnEnd(terminal)]);
    return answer as Answer;
  } catch (cause) {
    throw new PawlError('interrupted', {}, { cause });
  } finally {
    terminal.close();
  }
}

/** Writes on the controlling terminal, even if the standard streams are redirected. Does nothing if there is none. */
export async function showOnTerminal(io: TerminalAccess, text: string): Promise<void> {
  const terminal = io.openTerminal();
  if (terminal === undefined) return;
  await new Promise((resolve) => terminal.output.write(escapeInvisible(text), resolve));
  terminal.close();
}

/** Rejects on Ctrl-D, or when the terminal is closed. The library would wait forever. */
function rejectOnEnd({ input, output }: Terminal): Promise<never> {
  return new Promise((_, reject) => {
    for (const event of ['end', 'close', 'error'])
      input.once(event, () => reject(new Error('the terminal was closed')));
    input.on('keypress', (_text, key: { ctrl?: boolean; name?: string } | undefined) => {
      if (!key?.ctrl || key.name !== 'd') return;
      output.write('\n');
      reject(new Error('Ctrl-D'));
    });
  });
}
