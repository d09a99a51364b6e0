/**
 * `send -e`: has the text written in an editor, in a file that is in memory where there is such a place, and is overwritten
 * and removed once the text is encrypted.
 * Sends nothing.
 */
import { PawlError } from '../../../errors.ts';
import { ScratchFolder } from '../../../files/index.ts';
import { fromUtf8 } from '../../../primitives/index.ts';
import type { CommandContext } from '../../context.ts';

/** What POSIX has everywhere. */
const USUAL = 'vi';
const FILE = 'message.txt';

/** A text that is written in an editor. It is the work of its owner: what cannot be sent stays in its file. */
export class Draft {
  readonly #context: CommandContext;
  #folder: ScratchFolder | undefined;
  #onEnd: { readonly remove: () => void } | undefined;
  /** Where the text is, once there is one. */
  #path: string | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /**
   * Runs the editor of the user on an empty file.
   * @returns the text, without the newline at its end.
   * @throws `editor-failed`; `no-input` where the text is empty; `not-utf8`; `cannot-create`.
   */
  async write(): Promise<string> {
    const { io, reporter } = this.#context;
    const { VISUAL, EDITOR, XDG_RUNTIME_DIR } = io.environment;
    const command = VISUAL || EDITOR || USUAL;
    // From before the folder is there until it is gone, so that no signal comes in between.
    this.#onEnd = io.beforeEnd(async () => this.remove());
    try {
      const folder = new ScratchFolder(XDG_RUNTIME_DIR);
      this.#folder = folder;
      if (!folder.isInMemory) {
        await reporter.notice(`no folder is in memory here: while the editor has the text, it is in ${folder.path}`);
      }
      const path = folder.makeFile(FILE);
      const failure = await io.runEditor(command, path, () => this.remove());
      if (failure !== undefined) throw new PawlError('editor-failed', { command, reason: failure });
      const written = folder.readFile(FILE);
      const text = fromUtf8(written);
      if (text?.trim() === '') throw new PawlError('no-input', { source: 'what the editor wrote', toSend: true });
      this.#path = path;
      if (text === undefined) throw new PawlError('not-utf8', { what: 'what the editor wrote' });
      return text.replace(/\r?\n$/, '');
    } finally {
      if (this.#path === undefined) this.remove();
    }
  }

  /** The text is encrypted, or there is none. */
  remove(): void {
    this.#folder?.remove();
    this.#path = undefined;
    this.#onEnd?.remove();
  }

  /** Nothing more is done with it: says where a text is that was not encrypted. */
  async end(): Promise<void> {
    this.#onEnd?.remove();
    if (this.#path !== undefined) await this.#context.reporter.warn(`the text is in ${this.#path}`);
  }
}
