/**
 * Writes results to standard output, and notices, warnings and errors to standard error: as text for a person, or as JSON
 * documents with `--json`. Knows no command, and no type of document.
 */
import type { PawlError } from '../../errors.ts';
import { explain } from './error-messages.ts';
import { escapeInLine, escapeInvisible, replaceInvisible } from './format.ts';
import type { Io, Output } from './io.ts';
import { Progress } from './progress.ts';
import { columnsOf } from './screen.ts';
import { wrap } from './wrap.ts';

/** A document of the JSON output (docs/schemas). `"v":1` is added when it is written. */
export type Document = { readonly type: string } & Readonly<Record<string, unknown>>;

export class Reporter {
  readonly json: boolean;
  /** Whether notices are left out. */
  readonly quiet: boolean;
  /** Cleared before anything else is written. */
  readonly progress: Progress;
  readonly #io: Pick<Io, 'output' | 'errors'>;

  constructor(io: Pick<Io, 'output' | 'errors' | 'now'>, { json, quiet }: { json: boolean; quiet: boolean }) {
    this.#io = io;
    this.json = json;
    this.quiet = quiet;
    this.progress = new Progress(io, !json && !quiet);
  }

  /** Writes a result to standard output: the lines, or with `--json` the document. */
  async result(lines: string, document: Document): Promise<void> {
    await (this.json ? this.document(document) : this.lines(lines));
  }

  /** Writes lines to standard output. To be called only without `--json`. */
  async lines(lines: string): Promise<void> {
    this.progress.clear();
    const { output } = this.#io;
    await output.write(`${output.isTerminal ? fitToTerminal(escapeInvisible(lines), output) : lines}\n`);
  }

  /** Writes a document to standard output. To be called only with `--json`. */
  async document(document: Document): Promise<void> {
    this.progress.clear();
    await this.#io.output.write(jsonLine(document));
  }

  /** With `--json`, writes a document to standard error, because standard output has the bytes it describes. */
  async documentOnStderr(document: Document): Promise<void> {
    if (this.json) await this.#writeError(jsonLine(document));
  }

  /** Writes a message to standard error, unless `--quiet` is given. */
  async notice(message: string): Promise<void> {
    if (!this.quiet) await this.warn(message);
  }

  /** Writes a message to standard error, even with `--quiet`. */
  async warn(message: string): Promise<void> {
    await this.#writeError(this.json ? jsonLine({ type: 'notice', message }) : this.#errorLine('pawl', message));
  }

  /**
   * Writes an error and its hint to standard error.
   * @param about precedes the message, if given: what the error is about.
   * @returns the exit code of the error.
   */
  async error(error: PawlError, about?: string): Promise<number> {
    const { message, hint, exit } = explain(error);
    const document = { type: 'error', code: error.code, exit, message, ...(hint !== undefined && { hint }) };
    const text =
      this.#errorLine('error', about === undefined ? message : `${about}: ${message}`) +
      (hint === undefined ? '' : this.#errorLine('hint', hint));
    await this.#writeError(this.json ? jsonLine(document) : text);
    return exit;
  }

  /** A line for a person on standard error. What it quotes cannot begin a line of its own. */
  #errorLine(label: string, words: string): string {
    const { errors } = this.#io;
    const line = `${label}: ${escapeInLine(words)}`;
    return `${errors.isTerminal ? fitToTerminal(line, errors) : line}\n`;
  }

  /** Ignores errors: if standard error is closed, the work that has been done is still valid. */
  async #writeError(text: string): Promise<void> {
    this.progress.clear();
    await this.#io.errors.write(text).catch(() => undefined);
  }
}

/** The blanks in front of a piece of a line that is wider than the terminal: more than those of a text. */
const CONTINUED = 6;

function fitToTerminal(lines: string, output: Output): string {
  return wrap(lines, columnsOf(output), CONTINUED);
}

/** A document as one line of JSON. `JSON.stringify` escapes C0 controls, but not DEL, C1 and bidirectional controls. */
export function jsonLine(document: Document): string {
  const json = JSON.stringify({ v: 1, ...document });
  return `${replaceInvisible(json, (code) => `\\u${code.padStart(4, '0')}`)}\n`;
}
