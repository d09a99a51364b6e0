import jsQR from 'jsqr';

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this is about
const COLOURS = /^\x1b\[97;40m(.*)\x1b\[0m$/;
const HALVES: Readonly<Record<string, readonly [above: boolean, below: boolean]>> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
  ' ': [false, false],
};
/** Pixels of a module. */
const SCALE = 4;

/** The lines of a QR code in what a command said, without their colours; and all the others. */
export function linesIn(text: string): { code: readonly string[]; others: readonly string[]; coloured: boolean } {
  const lines = text.split('\n').slice(0, -1);
  const bare = lines.map((line) => COLOURS.exec(line)?.[1] ?? line);
  const isCode = (line: string) => /^[█▀▄ ]+$/.test(line);
  return {
    code: bare.filter(isCode),
    others: bare.filter((line) => !isCode(line)),
    coloured: lines.some((line) => COLOURS.test(line)),
  };
}

/** What a camera reads that sees these lines, by a decoder that has nothing to do with pawl's encoder. */
export function decode(lines: readonly string[]): Uint8Array | undefined {
  const rows = lines.flatMap((line) => {
    const halves = [...line].map((character) => HALVES[character] ?? [false, false]);
    return [halves.map(([above]) => above), halves.map(([, below]) => below)];
  });
  const [width, height] = [(rows[0]?.length ?? 0) * SCALE, rows.length * SCALE];
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = rows[Math.floor(y / SCALE)]?.[Math.floor(x / SCALE)] ? 255 : 0;
      pixels.set([light, light, light, 255], (y * width + x) * 4);
    }
  }
  const read = jsQR(pixels, width, height, { inversionAttempts: 'dontInvert' });
  return read === null ? undefined : Uint8Array.from(read.binaryData);
}
