/** What a thief, or who has a quantum computer, takes: the events of `models` that a claim may make exceptions for. */
const THEFT = /^(?:Stolen\w+|(?:Seed|Prekey|Kem|Quantum)[01])$/;

/**
 * @param trace what ProVerif wrote on one query
 * @returns the thefts in the run that it found, each once, sorted, with spaces between; none where it found no run
 */
export function theftsOf(trace: string): string {
  const run = trace.split('A more detailed output of the traces').slice(1).at(-1) ?? '';
  const events = [...run.matchAll(/^event (\w+)/gm)].map(([, name = '']) => name);
  return [...new Set(events.filter((name) => THEFT.test(name)))].sort().join(' ');
}

/**
 * @param query ProVerif's text
 * @returns the sets of thefts that its right side names, each sorted: the claim does not speak of who commits all of one set
 */
export function exceptions(query: string): string[][] {
  const [, right = ''] = query.trim().replace(/\.$/, '').split('==>');
  return alternatives(right.trim());
}

/** Whether these are the thefts of one exception, all of them and no other, that the claim makes and its narrower form does not. */
export function isNamed(thefts: string, claim: string, narrower: string): boolean {
  const among = (query: string) => exceptions(query).some((one) => one.join(' ') === thefts);
  return among(claim) && !among(narrower);
}

function alternatives(formula: string): string[][] {
  const either = split(formula, '||');
  if (either.length > 1) return either.flatMap(alternatives);
  const both = split(formula, '&&');
  if (both.length > 1)
    return both
      .map(alternatives)
      .reduce((all, one) => all.flatMap((some) => one.map((more) => [...some, ...more].sort())));
  if (formula.startsWith('(')) return alternatives(formula.slice(1, -1).trim());
  const name = /^event\((\w+)/.exec(formula)?.[1] ?? '';
  return THEFT.test(name) ? [[name]] : [];
}

/** The parts of a formula between the operators that stand in no parentheses. */
function split(formula: string, operator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const token of formula.split(/(\(|\)|\|\||&&)/)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === operator && depth === 0) parts.push('');
    else parts.push(`${parts.pop()}${token}`);
  }
  return parts.map((part) => part.trim());
}
