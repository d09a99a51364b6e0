/**
 * Breaks lines that are wider than the terminal, and sets off every piece but the first. A line that the terminal breaks
 * goes on in its first column, where the text of a stranger could pose as the heading of another message.
 * Knows nothing of what the lines say.
 */

/** Columns between two tab stops. */
const TAB = 8;

/**
 * Characters that take no column. The variation selector U+FE0F is not among them: it can make the one before it wide.
 */
const ZERO_WIDTH = /^(?!\ufe0f)[\p{Mn}\p{Me}\u200b-\u200d\u2060-\u2064\u{e0020}-\u{e007f}]$/u;

/**
 * Characters that take two columns: the wide ones of East Asia, emoji, and what this version of Unicode does not know.
 * Whole blocks, where some terminals widen more of a block than others.
 */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d37f}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}\p{Cn}\p{Co}]$/u;

/**
 * The most columns that a terminal gives a character; terminals differ, as in emoji that are joined. Of those that
 * `escapeInvisible` replaces, and of tabs, it knows nothing.
 */
export function columnsOfCharacter(character: string): number {
  if (character < '\u0300') return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/**
 * Breaks the lines of a text so that none is wider than the terminal: at a blank, which the break replaces, or within a
 * word that is too long.
 * @param text as `escapeInvisible` returns it.
 * @param columns of the terminal.
 * @param indent the blanks in front of each piece but the first of its line.
 */
export function wrap(text: string, columns: number, indent: number): string {
  return text
    .split('\n')
    .map((line) => (fits(line, columns) ? line : piecesOf(line, columns, indent).join('\n')))
    .join('\n');
}

/** Whether a line is surely no wider. Most lines are such. */
function fits(line: string, columns: number): boolean {
  return line.length <= columns && /^[ -~]*$/.test(line);
}

/** As much of a line as fits into the columns. */
export function cut(line: string, columns: number): string {
  let [width, end] = [0, 0];
  for (const character of line) {
    width += columnsOfCharacter(character);
    if (width > columns) break;
    end += character.length;
  }
  return line.slice(0, end);
}

function piecesOf(line: string, columns: number, indent: number): readonly string[] {
  const characters = Array.from(line);
  // Room for a wide character, however narrow the terminal.
  const limit = Math.max(columns, indent + 2);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length || pieces.length === 0; ) {
    const { piece, next } = takePiece(characters, start, { begin: start === 0 ? '' : ' '.repeat(indent), limit });
    pieces.push(piece);
    start = next;
  }
  return pieces;
}

/** The longest piece that begins with the character at `start`, and where the next one begins. */
function takePiece(
  characters: readonly string[],
  start: number,
  { begin, limit }: { readonly begin: string; readonly limit: number },
): { piece: string; next: number } {
  let piece = begin;
  let width = begin.length;
  let hasWord = false;
  /** The break at the last blank behind a word. */
  let atBlank: { piece: string; next: number } | undefined;
  for (let at = start; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const isBlank = character === ' ' || character === '\t';
    // A terminal has a last tab stop, too.
    const added = character === '\t' ? Math.min(TAB - (width % TAB), limit - width) : columnsOfCharacter(character);
    if (isBlank && hasWord) atBlank = { piece, next: at + 1 };
    if (width + added > limit) return atBlank ?? { piece, next: at };
    hasWord ||= !isBlank;
    piece += character;
    width += added;
  }
  return { piece, next: characters.length };
}
