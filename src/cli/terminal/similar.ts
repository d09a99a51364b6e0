/**
 * What may have been meant: names that are like a word, and commands for words that other programs have.
 * Knows no command line.
 */

/** The most edits between a word and what it may stand for, and the least part of it that they leave. As commander's. */
const MOST_EDITS = 3;
const LEAST_ALIKE = 0.4;

/** The names that take the fewest edits, if these are few: letters changed, added, left out or swapped. Case is none. */
export function similarTo(word: string, names: readonly string[]): readonly string[] {
  const lower = word.toLowerCase();
  let fewest = MOST_EDITS;
  let similar: string[] = [];
  for (const name of new Set(names)) {
    if (Math.abs(name.length - lower.length) > MOST_EDITS) continue;
    const edits = editsBetween(lower, name.toLowerCase());
    const length = Math.max(lower.length, name.length);
    if (edits > fewest || (edits > 0 && (name.length < 2 || 1 - edits / length <= LEAST_ALIKE))) continue;
    if (edits < fewest) similar = [];
    fewest = edits;
    similar.push(name);
  }
  return similar.sort();
}

/** The optimal string alignment distance. */
function editsBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change;
      row.push(Math.min(change, swap, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** Words that people try, by what they most likely want. */
const TRIED: readonly (readonly [words: string, meant: string])[] = [
  ['ls friends people peers who', 'pawl contacts lists whom you know, pawl log what history keeps'],
  ['status info show whoami id key keys fingerprint identity identities', 'pawl inspect shows what there is'],
  ['delete del remove rm block unfriend', 'pawl forget NAME'],
  ['read decrypt receive get open fetch pull inbox', 'pawl recv FILE; pawl recv --waiting for what still waits'],
  ['reply encrypt message msg write tell push', 'pawl send NAME'],
  ['import accept join connect', 'pawl add NAME FILE keeps an invite; pawl restore FILE puts a backup back'],
  ['export share', 'pawl backup FILE copies the identity; pawl invite NAME makes an invite'],
  ['create new generate keygen genkey setup register', 'pawl init NAME'],
  ['trust safety check compare', 'pawl verify NAME; pawl inspect --check reads the identity file'],
  ['password passphrase rekey', 'pawl passwd'],
  ['mv', 'pawl rename OLD NEW'],
  ['messages conversation', 'pawl log shows what history keeps'],
  ['talk', 'pawl chat NAME'],
  ['group groups lists all broadcast', 'pawl list LIST NAME..., then pawl send @LIST'],
  ['sent unsent drafts', 'pawl outbox'],
  ['clean cleanup gc', 'pawl prune'],
  ['version -v', 'pawl --version'],
  ['man usage', 'pawl help'],
];

/** What to type instead of a word that is no command; `undefined` for one that nobody tries. */
export function commandFor(word: string): string | undefined {
  return TRIED.find(([words]) => words.split(' ').includes(word.toLowerCase()))?.[1];
}
