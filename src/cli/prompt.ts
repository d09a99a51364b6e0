import { PawlError } from '../errors.ts';
import type { Io } from './io.ts';

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
    const { secret } = await prompt([{ type: 'password', name: 'secret', message: question }]);
    return secret;
  } catch (cause) {
    throw new PawlError('interrupted', {}, { cause });
  } finally {
    terminal.close();
  }
}
