/** The offset behind the newline that ends the line at `offset`. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? text.length : newline + 1;
}

/** Numbers the lines of ascending offsets, from 1, in one pass over the text: asked again and again, it stays linear. */
export function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let lineStart = 0;
  return (offset) => {
    for (let next = lineEnd(text, lineStart); next <= offset && next > lineStart; next = lineEnd(text, lineStart)) {
      lineStart = next;
      line++;
    }
    return line;
  };
}
