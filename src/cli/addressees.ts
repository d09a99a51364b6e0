/**
 * Whom something is for, as it is typed: a contact, several (bob,carol), a list (@ops), or both (@ops,dave).
 * Does not know whether there are such contacts.
 */
import { PawlError } from '../errors.ts';
import type { Addressee } from '../session/index.ts';

/** What stands in front of the name of a list. */
export const LIST_SIGN = '@';
/** What stands between two of them. */
export const SEPARATOR = ',';

/** Whether a word means several contacts, however many they turn out to be. No name has a comma, or begins with `@`. */
export function isSeveral(word: string): boolean {
  return word.includes(SEPARATOR) || word.startsWith(LIST_SIGN);
}

/** @throws `usage` where a name is missing. */
export function parseAddressees(word: string): readonly Addressee[] {
  return word.split(SEPARATOR).map((one) => {
    const kind = one.startsWith(LIST_SIGN) ? 'list' : 'contact';
    const name = kind === 'list' ? one.slice(LIST_SIGN.length) : one;
    if (name !== '') return { kind, name };
    throw new PawlError('usage', {
      problem: `a name is missing in ${JSON.stringify(word)}`,
      hint: 'several contacts are bob,carol; a list is @ops; both are @ops,dave',
    });
  });
}
