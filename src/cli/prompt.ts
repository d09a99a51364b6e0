import { PawlError } from '../errors.ts';
import type { Io } from './io.ts';
import { visible } from './show/visible.ts';

/**
 * Asks for a secret on the terminal itself, so that standard input stays free for data. `undefined` where there is no
 * terminal. @throws `interrupted` when the person gives up.
 */
export async function askSecret(io: Pick<Io, 'openTerminal'>, question: string): Promise<string | undefined> {
  const terminal = io.openTerminal();
  if (terminal === undefined) return undefined;
  // Loaded here: it takes longer than all the rest of a command.
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ input: terminal.input, output: terminal.output });
  try {
    const answer = prompt([{ type: 'password', name: 'secret', message: visible(question), toggleMask: false }]);
    const { secret } = await Promise.race([answer, endOf(terminal.input)]);
    return secret;
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
function endOf(input: NodeJS.ReadableStream): Promise<never> {
  return new Promise((_, reject) => {
    for (const event of ['end', 'close', 'error'])
      input.once(event, () => reject(new Error('the terminal was closed')));
    input.on('keypress', (_, key: { ctrl?: boolean; name?: string } | undefined) => {
      if (key?.ctrl && key.name === 'd') reject(new Error('Ctrl-D'));
    });
  });
}
