/**
 * A line to type at the bottom of the terminal, while other lines come above it. What is pasted is one line, however many it
 * has.
 * Knows nothing of what is typed, nor of what is shown.
 */
import { createInterface, type Interface } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import type { Terminal } from './io.ts';
import { TypedKeys } from './typed-keys.ts';

const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';
const BACKSPACE = '\x7f';
/** What a key sends: an escape sequence, a control character, or text, of which several characters may have come at once. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const KEYS = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)|[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+/gsu;
/** The beginning of an escape sequence, at the end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const BEGUN = /\x1b(?:\[[0-9;?]*[ -/]*|O)?$/;
const ERASE_BELOW = '\x1b[J';
const ENDS = ['end', 'close', 'error'] as const;

export interface LineEditorOptions {
  readonly prompt: string;
  /** The present width of the terminal. */
  readonly columns: () => number;
  /**
   * Gets each line, without its end: text as `TypedKeys` gives it, with the newlines of what was pasted. It is called one
   * after the other, and not waited for.
   */
  readonly onLine: (line: string) => void;
}

export class LineEditor {
  /** `done` after Ctrl-D on an empty line; `interrupted` after Ctrl-C, or when the terminal is closed. */
  readonly ended: Promise<'done' | 'interrupted'>;
  readonly #terminal: Terminal;
  readonly #options: LineEditorOptions;
  readonly #keys = new Readable({ read: () => undefined });
  readonly #lines: Interface;
  readonly #typed = new TypedKeys();
  /** The beginning of an escape sequence, until the rest comes. */
  #held = '';
  /** What has come of a paste. */
  #pasted: string | undefined;
  #columns: number;
  #isOpen = true;
  /** Whether it takes keys: not any more once one of them has ended it. */
  #isTyped = true;
  #resolve: (how: 'done' | 'interrupted') => void = () => undefined;

  /** @param terminal is closed by the caller. */
  constructor(terminal: Terminal, options: LineEditorOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#columns = options.columns();
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    terminal.hideKeys({ marksPastes: true });
    this.#lines = createInterface({
      input: this.#keys,
      output: this.#screen(),
      terminal: true,
      prompt: options.prompt,
    });
    this.#lines.on('line', (line) => {
      options.onLine(reveal(line));
      if (this.#isOpen) this.#lines.prompt();
    });
    for (const event of ENDS) terminal.input.on(event, this.#hangUp);
    terminal.output.on('error', this.#hangUp);
    terminal.input.on('data', this.#take);
    terminal.onContinue(() => this.#redraw(this.#rows(), 0));
    terminal.onResize(this.#resize);
    this.#lines.prompt();
  }

  /** Whether there is a line to type. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Shows lines above the one that is typed. @param lines end with a newline, and are not wider than the terminal. */
  show(lines: string): void {
    const rows = this.#rows();
    this.#redraw(rows, rows, lines);
  }

  /** Leaves what was typed where it stands, and takes no more keys. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const event of ENDS) this.#terminal.input.removeListener(event, this.#hangUp);
    this.#terminal.input.removeListener('data', this.#take);
    this.#lines.close();
    this.#write('\n');
  }

  /** The rows between the one where the line begins and the cursor. */
  #rows(): number {
    return this.#lines.getCursorPos().rows;
  }

  /**
   * Draws the line anew, below `lines`.
   * @param rows from its beginning to the cursor, as the line editor has drawn it last.
   * @param up the rows that are erased first, above the one with the cursor.
   */
  #redraw(rows: number, up: number, lines = ''): void {
    if (!this.#isOpen) return;
    // The line editor goes as many rows up as it believes to have drawn, and erases what is below.
    this.#write(`${up > 0 ? `\x1b[${up}A` : ''}\r${ERASE_BELOW}${lines}${'\n'.repeat(rows)}`);
    this.#lines.prompt(true);
  }

  /** Terminals differ in whether they break long lines anew. Rather a piece of the line is left than one above it erased. */
  readonly #resize = (): void => {
    const before = this.#rows();
    this.#columns = this.#options.columns();
    const after = this.#rows();
    this.#redraw(before, Math.min(before, after));
  };

  /** What the line editor writes to. */
  #screen(): Writable {
    const screen = new Writable({
      decodeStrings: false,
      write: (text, _, done) => {
        // A terminal takes it at once.
        this.#write(text);
        done();
      },
    });
    return Object.defineProperty(screen, 'columns', { get: () => this.#columns });
  }

  #write(text: string): void {
    this.#terminal.output.write(text);
  }

  readonly #hangUp = (): void => this.#end('interrupted');

  #end(how: 'done' | 'interrupted'): void {
    this.#isTyped = false;
    this.#resolve(how);
  }

  readonly #take = (bytes: Uint8Array): void => {
    let text = this.#held + this.#typed.textOf(bytes);
    this.#held = '';
    while (text !== '' && this.#isTyped) {
      const mark = this.#pasted === undefined ? PASTE_BEGIN : PASTE_END;
      const at = text.indexOf(mark);
      const end = at === -1 ? text.length - (BEGUN.exec(text)?.[0].length ?? 0) : at;
      this.#takeUntil(text.slice(0, end), at !== -1);
      if (at === -1) {
        this.#held = text.slice(end);
        return;
      }
      text = text.slice(at + mark.length);
    }
  };

  /** Takes what comes before the next mark, and the mark, if it is there. */
  #takeUntil(text: string, hasMark: boolean): void {
    if (this.#pasted === undefined) {
      this.#press(text);
      if (hasMark) this.#pasted = '';
      return;
    }
    this.#pasted += text;
    if (!hasMark) return;
    const pasted = this.#pasted.replace(/\r\n?/g, '\n').replace(/\n$/, '');
    this.#pasted = undefined;
    this.#lines.write(hide(pasted));
  }

  #press(keys: string): void {
    for (const [key] of keys.matchAll(KEYS)) {
      if (!this.#isTyped) return;
      if (key === CTRL_C) this.#end('interrupted');
      else if (key === CTRL_D && this.#lines.line === '') this.#end('done');
      else if (key === CTRL_Z) this.#stop();
      // The line is to be as it is after this key, before the next one is looked at.
      else if (key < ' ' || key === BACKSPACE) this.#keys.emit('data', key);
      // At once, whatever its length: character by character, Node loses count of the rows.
      else this.#lines.write(hide(key));
    }
  }

  #stop(): void {
    this.#write('\n');
    this.#terminal.stop();
  }
}

/** Stands for a newline in the line. */
const NEWLINE = '\u2424';
/** What stands there for a character that the line editor, or the terminal, would act on: no text has it. See `TypedKeys`. */
const FIRST_HIDDEN = 0xde00;
const HIDDEN = hiddenCharacters();
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u2424\ufeff]/g;

function hiddenCharacters(): readonly string[] {
  const ranges = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x061c, 0x061c],
    [0x200e, 0x200f],
    [0x2028, 0x202e],
    [0x2066, 0x2069],
    [0x2424, 0x2424],
    [0xfeff, 0xfeff],
  ] as const;
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index)),
  );
}

/** A pasted text as the line editor has it, in one line. */
function hide(text: string): string {
  return text
    .replace(ACTING, (character) => String.fromCharCode(FIRST_HIDDEN + HIDDEN.indexOf(character)))
    .replaceAll('\n', NEWLINE);
}

/** The inverse of `hide`. */
function reveal(line: string): string {
  return line.replaceAll(NEWLINE, '\n').replace(/[\ude00-\udeff]/gu, (character) => {
    const index = character.charCodeAt(0) - FIRST_HIDDEN;
    return HIDDEN[index] ?? character;
  });
}
