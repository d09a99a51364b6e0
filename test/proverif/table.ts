import type { Library, Query } from './models.ts';
import type { Outcome, Recorded, Run } from './record.ts';
import { type Expected, SCENARIOS, type Scenario } from './scenarios.ts';
import { isNamed } from './thefts.ts';

/** What is between these lines of docs/security-argument.md is written by `npm run prove -- --table`. */
export const BEGIN = '<!-- npm run prove -- --table -->';
export const END = '<!-- end -->';

/** The table of docs/security-argument.md: each scenario, what was asked, and what came out. */
export function table(models: Library, recorded: Recorded): string {
  const rows = SCENARIOS.flatMap((scenario) => {
    const run = recorded[scenario.name];
    return Object.entries(scenario.expected).map(([name, expected], index) => {
      const about = index === 0 ? `\`${scenario.name}\`: ${described(scenario)}` : '';
      const query = models.query(name);
      return `| ${about} | ${query.claim} | ${said(run, query, expected, scenario)} |`;
    });
  });
  return ['| scenario | claim | outcome |', '|---|---|---|', ...rows].join('\n');
}

function described(scenario: Scenario): string {
  const taken = scenario.without === undefined ? '' : `, without ${scenario.without.join(' and ')}`;
  return `${scenario.about}${taken}`;
}

function said(run: Run | undefined, query: Query, expected: Expected, { exact, without }: Scenario): string {
  const outcome = run?.outcomes[query.name];
  if (run === undefined || outcome === undefined) return '**not run**';
  const words: Record<Outcome, string> = {
    true: without === undefined ? 'proved' : 'proved all the same: redundant here',
    false: expected === 'happens' ? 'happens' : 'attack found, as expected',
    'cannot be proved': expected === 'not proved' ? 'not proved, as expected' : '**not decided**',
    'no end': `not decided within ${run.seconds} s`,
  };
  return exact ? [words[outcome], ...needed(run, query)].join('; ') : words[outcome];
}

/** How many of the exceptions that a claim makes are shown to be needed, and whether each was seen to be enough by itself. */
function needed(run: Run, { narrower, text }: Query): string[] {
  const shown = narrower.filter((one) => run.outcomes[one.name] === 'false').length;
  if (narrower.length === 0) return [];
  if (shown < narrower.length) return [`${shown} of ${narrower.length} exceptions shown to be needed`];
  const enough = narrower.every((one) => isNamed(run.thefts?.[one.name] ?? '', text, one.text));
  return enough ? ['no exception too many, each enough by itself'] : ['no exception too many'];
}

/** @throws if the document has no place for it. */
export function withTable(document: string, rows: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the document has no place for the table');
  return `${document.slice(0, begin)}${BEGIN}\n\n${rows}\n\n${document.slice(end)}`;
}
