/**
 * What a thief takes, or who has a quantum computer later: the events of `models` that a claim may make exceptions for. `Quantum0` is
 * none: where it is, it is there for everybody.
 */
const THEFT = /^(?:Stolen\w+|(?:Seed|Prekey|Kem)[01]|Quantum1)$/;

/**
 * @param trace what ProVerif wrote on one query
 * @param query ProVerif's text of it
 * @returns the thefts in the run that it found, each once, sorted, with spaces between; none where it found no run. Whose they are is said
 * with the query's variable, as its left side happens in the run; `Seed0(another)` is the seed of somebody of whom that does not speak
 */
export function theftsOf(trace: string, query: string): string {
  const run = trace.split('A more detailed output of the traces').slice(1).at(-1) ?? '';
  const events = [...run.matchAll(/^event (.+) at \{\d+\}(.*)$/gm)].map(([, event = '', more = '']) => ({
    event,
    more,
  }));
  const goals = events.filter(({ more }) => more.endsWith('(goal)')).map(({ event }) => event);
  const owners = ownersIn(query, goals);
  const thefts = events.map(({ event }) => event).filter((event) => THEFT.test(nameOf(event)));
  return [...new Set(thefts.map((theft) => named(theft, owners)))].sort().join(' ');
}

/** What the variables on the left side of a query stand for: by term, the first variable that is this term. */
function ownersIn(query: string, goals: readonly string[]): Map<string, string> {
  const [left = ''] = query.replace(/^query [^;]*;/, '').split('==>');
  const owners = new Map<string, string>();
  for (const fact of split(left.trim().replace(/\.$/, ''), '&&')) {
    const [pattern = ''] = partsOf(fact);
    const goal = goals.find((one) => nameOf(one) === nameOf(pattern));
    if (goal !== undefined) bind(pattern, goal, owners);
  }
  return owners;
}

function bind(pattern: string, term: string, owners: Map<string, string>): void {
  const parts = partsOf(pattern);
  if (parts.length === 0) {
    if (!owners.has(term)) owners.set(term, pattern);
    return;
  }
  const terms = partsOf(term);
  parts.forEach((part, at) => {
    bind(part, terms[at] ?? '', owners);
  });
}

function named(theft: string, owners: ReadonlyMap<string, string>): string {
  const [owner] = partsOf(theft);
  return owner === undefined ? theft : `${nameOf(theft)}(${owners.get(owner) ?? 'another'})`;
}

/** Of `id(b, pk(x))`: `id`, and `b` and `pk(x)`. A tuple has no name, a variable no parts. */
const nameOf = (term: string): string => term.replace(/\(.*$/s, '');
const partsOf = (term: string): string[] =>
  term.endsWith(')') ? split(term.slice(nameOf(term).length + 1, -1), ',') : [];

/**
 * @param query ProVerif's text
 * @returns the sets of thefts that its right side names, each sorted, as theftsOf() writes them
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
  const event = /^event\((.+)\)$/.exec(formula)?.[1] ?? '';
  return THEFT.test(nameOf(event)) ? [[event]] : [];
}

/** The parts of a formula between the operators that stand in no parentheses. */
function split(formula: string, operator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const token of formula.split(/([(),]|\|\||&&)/)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === operator && depth === 0) parts.push('');
    else parts.push(`${parts.pop()}${token}`);
  }
  return parts.map((part) => part.trim());
}
