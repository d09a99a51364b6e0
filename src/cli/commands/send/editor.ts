/**
 * `send -e`: has the text written in an editor, in a file that is in memory where there is such a place, and is overwritten
 * and removed afterwards.
 * Sends nothing, and keeps the text nowhere.
 */
import { PawlError } from '../../../errors.ts';
import { ScratchFolder } from '../../../files/index.ts';
import { fromUtf8 } from '../../../primitives/index.ts';
import type { CommandContext } from '../../context.ts';

/** What POSIX has everywhere. */
const USUAL = 'vi';

/**
 * Runs the editor of the user on an empty file.
 * @returns the text, without the newline at its end.
 * @throws `editor-failed`; `no-input` where the text is empty; `not-utf8`; `cannot-create`.
 */
export async function editedText({ io, reporter }: CommandContext): Promise<string> {
  const { VISUAL, EDITOR, XDG_RUNTIME_DIR } = io.environment;
  const command = VISUAL || EDITOR || USUAL;
  let made: ScratchFolder | undefined;
  // From before it is there until it is gone, so that no signal comes in between.
  const onEnd = io.beforeEnd(async () => made?.remove());
  try {
    const folder = new ScratchFolder(XDG_RUNTIME_DIR);
    made = folder;
    if (!folder.isInMemory) {
      await reporter.notice(`no folder is in memory here: while the editor has the text, it is in ${folder.path}`);
    }
    const path = folder.makeFile('message.txt');
    const failure = await io.runEditor(command, path, () => folder.remove());
    if (failure !== undefined) throw new PawlError('editor-failed', { command, reason: failure });
    const text = fromUtf8(folder.readFile('message.txt'));
    if (text === undefined) throw new PawlError('not-utf8', { what: 'what the editor wrote' });
    if (text.trim() === '') throw new PawlError('no-input', { source: 'what the editor wrote', toSend: true });
    return text.replace(/\r?\n$/, '');
  } finally {
    made?.remove();
    onEnd.remove();
  }
}
