import type { Home } from './shell.ts';

/** What a command says, standard output and standard error together as a person sees them, and how it ends. */
export interface Said {
  readonly lines: readonly string[];
  readonly exit: number;
}

/** A command of a transcript. In the lines that are expected `…` stands for anything. */
export interface Step {
  /** Where it stands, from 1. */
  readonly line: number;
  readonly command: string;
  readonly expected: Said;
  /** Blank lines and comments between it and the next. */
  readonly after: string;
}

export interface Transcript {
  /** Comments in front of the first command. */
  readonly title: string;
  readonly steps: readonly Step[];
}

const EXIT = /\n\[exit (\d+)\]$/;

/**
 * Reads a transcript: `$ command`, which may go on in lines that begin with `> `; below it what it prints, and
 * `[exit 65]` where it does not end well; `# comments`.
 */
export function parseTranscript(text: string): Transcript {
  const [title = '', ...blocks] = `\n${text}`.split(/(?<=\n)(?=\$ )/);
  let line = title.split('\n').length - 1;
  const steps = blocks.map((block) => {
    const step = parseStep(block, line);
    line += block.split('\n').length - 1;
    return step;
  });
  return { title: title.slice(1), steps };
}

function parseStep(block: string, line: number): Step {
  const [, command = '', rest = ''] = /^\$ (.*(?:\n> .*)*)([\s\S]*)$/.exec(block) ?? [];
  const comment = rest.search(/^# /m);
  const said = rest.slice(0, comment === -1 ? undefined : comment).trimEnd();
  const expected = { lines: linesOf(said.replace(EXIT, '').slice(1)), exit: Number(EXIT.exec(said)?.[1] ?? 0) };
  return { line, command: command.replaceAll('\n> ', '\n'), expected, after: rest.slice(said.length) };
}

/** The inverse of {@link parseTranscript}. */
export function printTranscript({ title, steps }: Transcript): string {
  return title + steps.map(({ command, expected, after }) => printStep(command, expected) + after).join('');
}

export function printStep(command: string, { lines, exit }: Said): string {
  return [`$ ${command.replaceAll('\n', '\n> ')}`, ...lines, ...(exit === 0 ? [] : [`[exit ${exit}]`])].join('\n');
}

/** Runs a command of a transcript. The home folder is `~` in what it says. */
export async function perform(home: Home, command: string): Promise<Said> {
  const { stdout, exit } = await home.run(`exec 2>&1\n${command}`);
  return { lines: linesOf(stdout.toString().replaceAll(home.folder, '~').trimEnd()), exit };
}

/** The lines, each with the pattern that it matches in its place: equal to the patterns if they are as they must be. */
export function abridge(lines: readonly string[], patterns: readonly string[]): string[] {
  let next = 0;
  return lines.map((line) => {
    const at = patterns.findIndex((pattern, index) => index >= next && matches(line, pattern));
    if (at === -1) return line;
    next = at + 1;
    return patterns[at] ?? line;
  });
}

function matches(line: string, pattern: string): boolean {
  const literals = pattern.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`, 's').test(line);
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}
