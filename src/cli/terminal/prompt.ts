import { PawlError } from '../../errors.ts';
import { visible } from './format.ts';
import type { Io, Terminal } from './io.ts';

/** A terminal may be opened for a question. */
type Asker = Pick<Io, 'openTerminal'>;

/** Asks for a secret, unseen. `undefined` where there is no terminal. @throws `interrupted` when the person gives up. */
export async function askSecret(io: Asker, message: string): Promise<string | undefined> {
  return ask(io, { type: 'password', message, toggleMask: false, theme: THEME });
}

/** Asks yes or no; no, unless yes is said. `undefined` where there is no terminal. @throws `interrupted`. */
export async function askYes(io: Asker, message: string): Promise<boolean | undefined> {
  return ask(io, { type: 'confirm', message, default: false, theme: THEME });
}

/** In front of each question, answered or not: what the library has there says that an answer is right, and is no ASCII. */
const THEME = { prefix: 'pawl:' };

/** Asks on the terminal itself, so that standard input stays free for data. */
async function ask<Answer>(io: Asker, question: { type: string; message: string } & Record<string, unknown>) {
  const terminal = io.openTerminal();
  if (terminal === undefined) return undefined;
  // Loaded here: it takes longer than all the rest of a command.
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ input: terminal.input, output: terminal.output });
  try {
    const asked = prompt([{ ...question, message: visible(question.message), name: 'answer' }]);
    const { answer } = await Promise.race([asked, endOf(terminal)]);
    return answer as Answer;
  } catch (cause) {
    throw new PawlError('interrupted', {}, { cause });
  } finally {
    terminal.close();
  }
}

/** Writes on the terminal itself, whatever standard output and standard error are. */
export async function showOnTerminal(io: Pick<Io, 'openTerminal'>, text: string): Promise<void> {
  const terminal = io.openTerminal();
  if (terminal === undefined) return;
  await new Promise((resolve) => terminal.output.write(visible(text), resolve));
  terminal.close();
}

/** Ctrl-D, or a terminal that is gone: the library would wait for ever. */
function endOf({ input, output }: Terminal): Promise<never> {
  return new Promise((_, reject) => {
    for (const event of ['end', 'close', 'error'])
      input.once(event, () => reject(new Error('the terminal was closed')));
    input.on('keypress', (_, key: { ctrl?: boolean; name?: string } | undefined) => {
      if (!key?.ctrl || key.name !== 'd') return;
      output.write('\n');
      reject(new Error('Ctrl-D'));
    });
  });
}
