import type { PawlError } from '../../errors.ts';
import { explain } from './error-messages.ts';
import { replaceInvisible, visible } from './format.ts';
import type { Io } from './io.ts';
import { Progress } from './progress.ts';

/** A JSON document of the contract: `"v":1` first, then its type. */
export type Document = { readonly type: string } & Readonly<Record<string, unknown>>;

/** How pawl speaks: results on standard output, everything else on standard error, and JSON where it was asked for. */
export class Reporter {
  readonly json: boolean;
  /** What keeps a person waiting; it is gone before anything else is told. */
  readonly progress: Progress;
  readonly #io: Pick<Io, 'output' | 'errors'>;
  readonly #quiet: boolean;

  constructor(io: Pick<Io, 'output' | 'errors' | 'now'>, { json, quiet }: { json: boolean; quiet: boolean }) {
    this.#io = io;
    this.json = json;
    this.#quiet = quiet;
    this.progress = new Progress(io, !json && !quiet);
  }

  /** A result: lines for a person, or one JSON document. */
  async result(lines: string, document: Document): Promise<void> {
    this.progress.clear();
    const text = this.#io.output.isTerminal ? visible(lines) : lines;
    await this.#io.output.write(this.json ? asLine(document) : `${text}\n`);
  }

  /** A result that has no lines: where JSON was asked for. */
  async document(document: Document): Promise<void> {
    await this.#io.output.write(asLine(document));
  }

  /** What a script may want to know of a result whose bytes went to standard output. */
  async aside(document: Document): Promise<void> {
    if (this.json) await this.#say(asLine(document));
  }

  /** Something worth knowing, unless silence was asked for. */
  async notice(message: string): Promise<void> {
    if (!this.#quiet) await this.warn(message);
  }

  /** Something that must be known. */
  async warn(message: string): Promise<void> {
    await this.#say(this.json ? asLine({ type: 'notice', message }) : `pawl: ${visible(message)}\n`);
  }

  /** A known error, in words and with what to type; gives its exit code. `about` stands in front. */
  async error(error: PawlError, about?: string): Promise<number> {
    const { message, hint, exit } = explain(error);
    const document = { type: 'error', code: error.code, exit, message, ...(hint !== undefined && { hint }) };
    const text = `error: ${about === undefined ? '' : `${about}: `}${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`;
    await this.#say(this.json ? asLine(document) : visible(text));
    return exit;
  }

  /** Nothing that was done is undone because it cannot be told. */
  async #say(text: string): Promise<void> {
    this.progress.clear();
    await this.#io.errors.write(text).catch(() => undefined);
  }
}

/** One line of JSON. Control characters are escaped by JSON itself, but not DEL, C1 and bidi controls. */
export function asLine(document: Document): string {
  const json = JSON.stringify({ v: 1, ...document });
  return `${replaceInvisible(json, (code) => `\\u${code.padStart(4, '0')}`)}\n`;
}
