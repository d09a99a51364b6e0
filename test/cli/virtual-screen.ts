import { columnsOfCharacter } from '../../src/cli/terminal/wrap.ts';

/** A sequence that a terminal obeys, or a character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const TOKENS = /\x1b\[(?<number>[0-9;?]*)(?<final>[A-Za-z])|./gsu;

/** What a terminal shows after all that was written to it, row by row, as far as pawl makes use of one. */
export class VirtualScreen {
  readonly columns: number;
  readonly #rows: string[][] = [];
  #row = 0;
  #column = 0;

  constructor(written: string, columns = 80) {
    this.columns = columns;
    for (const { groups, 0: token } of written.matchAll(TOKENS)) {
      if (groups?.final !== undefined) this.#obey(groups.final, Number(groups.number || '1'));
      else this.#put(token);
    }
  }

  /** Its rows, without the empty ones at the end. */
  get text(): string {
    const rows = Array.from(this.#rows, (row = []) =>
      Array.from(row, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    return rows.join('\n').trimEnd();
  }

  /** Where the cursor is: counted from 0, in the rows of `text`. */
  get cursor(): readonly [row: number, column: number] {
    return [this.#row, this.#column];
  }

  #obey(final: string, number: number): void {
    if (final === 'A') this.#row = Math.max(0, this.#row - number);
    if (final === 'B') this.#row += number;
    if (final === 'C') this.#column = Math.min(this.columns - 1, this.#column + number);
    if (final === 'D') this.#column = Math.max(0, this.#column - number);
    if (final === 'G') this.#column = number - 1;
    if (final === 'J') this.#rows.splice(this.#row + 1);
    if (final === 'J' || final === 'K') this.#line().splice(this.#column);
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#row += 1;
    else if (character >= ' ') {
      const width = columnsOfCharacter(character);
      if (this.#column + width > this.columns) [this.#row, this.#column] = [this.#row + 1, 0];
      this.#line()[this.#column] = character;
      if (width === 2) this.#line()[this.#column + 1] = '';
      this.#column += width;
    }
  }

  #line(): string[] {
    const line = this.#rows[this.#row] ?? [];
    this.#rows[this.#row] = line;
    return line;
  }
}
