/**
 * What must not reach a terminal as it is: control characters but newline and tab (C0, DEL, C1), and the characters that
 * turn the direction of text around.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text with everything that would act on a terminal spelled out: `\u{1b}`. */
export function visible(text: string): string {
  return replaceInvisible(text, (code) => `\\u{${code}}`);
}

/** Replaces each of those characters by what `spell` makes of its code in hex. */
export function replaceInvisible(text: string, spell: (code: string) => string): string {
  return text.replace(INVISIBLE, (character) => spell(character.charCodeAt(0).toString(16)));
}
