/**
 * The terminal of `pawl chat`: everything that is said comes above the line that is typed.
 * Knows nothing of who says it.
 */
import type { PawlError } from '../../../errors.ts';
import type { CommandContext } from '../../context.ts';
import { explain } from '../../terminal/error-messages.ts';
import type { Output, Terminal } from '../../terminal/io.ts';
import { LineEditor } from '../../terminal/line-editor.ts';
import { Reporter } from '../../terminal/reporter.ts';
import { columnsOf } from '../../terminal/screen.ts';
import { wrap } from '../../terminal/wrap.ts';

/** The blanks in front of a piece of a line that is wider than the terminal: more than those of a text. */
const CONTINUED = 6;

export class ChatScreen {
  /** The same, but with what is reported above the line. */
  readonly context: CommandContext & { readonly reporter: ChatReporter };
  readonly #outside: CommandContext['io'];
  #lines: LineEditor | undefined;

  constructor(context: CommandContext) {
    const { io, options, reporter } = context;
    this.#outside = io;
    const { quiet } = reporter;
    // Progress is drawn on terminals only: there is no room for it.
    const errors: Output = {
      isTerminal: false,
      write: async (text) => this.#write(wrap(String(text), this.columns, CONTINUED), io.errors),
      flush: async () => undefined,
    };
    this.context = { io, options, reporter: new ChatReporter({ output: io.output, errors, now: io.now }, { quiet }) };
  }

  get columns(): number {
    return columnsOf(this.#outside.output);
  }

  /** The rows of the terminal, if they are known. */
  get rows(): number | undefined {
    return this.#outside.output.size?.rows;
  }

  /** Opens the line to type. */
  open(terminal: Terminal, prompt: string, onLine: (line: string) => void): LineEditor {
    this.#lines = new LineEditor(terminal, { prompt, onLine, columns: () => this.columns });
    return this.#lines;
  }

  /** Shows lines of text, each of which ends with a newline and is not wider than the terminal. */
  async show(lines: string): Promise<void> {
    await this.#write(lines, this.#outside.output);
  }

  /** Closes the line. What is shown from now on comes below it. */
  close(): void {
    this.#lines?.close();
  }

  async #write(lines: string, otherwise: Output): Promise<void> {
    // Standard error may be a file.
    if (this.#lines?.isOpen && otherwise.isTerminal) this.#lines.show(lines);
    else await otherwise.write(lines);
  }
}

/** Says nothing of what fails once the conversation is over. */
export class ChatReporter extends Reporter {
  #isOver = false;

  constructor(io: ConstructorParameters<typeof Reporter>[0], { quiet }: { readonly quiet: boolean }) {
    super(io, { json: false, quiet });
  }

  override async error(error: PawlError, about?: string): Promise<number> {
    return this.#isOver ? explain(error).exit : super.error(error, about);
  }

  /** What fails from now on fails because it was ended. */
  end(): void {
    this.#isOver = true;
  }
}
