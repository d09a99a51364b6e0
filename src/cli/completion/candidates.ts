import type { Argument, Command, Option } from 'commander';

/** What can stand at the end of a command line. */
export interface Candidates {
  readonly values: readonly Candidate[];
  /** Whether a file can stand there, which shells complete best themselves. */
  readonly files: boolean;
}

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** Names that are not in the command tree. The options are those that stand on the line. */
export interface Names {
  identities(options: GivenOptions): readonly string[];
  contacts(options: GivenOptions): Promise<readonly string[]>;
}

export type GivenOptions = Readonly<Record<string, string>>;

const NOTHING: Candidates = { values: [], files: false };

/**
 * Completes the last of the words that follow on `pawl`.
 * @param words as the shell splits them; the last is empty where nothing is typed yet. bash makes words of their own of `=`.
 */
export async function candidatesFor(program: Command, words: readonly string[], names: Names): Promise<Candidates> {
  const typed = words.filter((word, index) => word !== '=' || index === words.length - 1);
  const last = typed.at(-1) === '=' ? '' : (typed.at(-1) ?? '');
  const line = read(program, typed.slice(0, -1));
  const [, attached, begun = last] = (!line.onlyOperands && /^(--[^=]+=)(.*)$/.exec(last)) || [];

  const pending = attached === undefined ? line.pending : optionOf(line.command, program, attached.slice(0, -1));
  if (pending !== undefined || attached !== undefined) {
    const { values, files } = pending === undefined ? NOTHING : await valuesOf(pending, names, line.options);
    return { values: startingWith(begun, values).map((one) => prefixed(attached ?? '', one)), files };
  }
  if (begun.startsWith('-') && !line.onlyOperands) {
    return { values: startingWith(begun, optionsOf(line.command, program)), files: false };
  }
  if (line.command === program) {
    if (line.asksHelp) return { values: startingWith(begun, commandsOf(program)), files: false };
    return { values: line.operands > 0 ? [] : startingWith(begun, commandsOf(program)), files: false };
  }
  const operand = operandAt(line.command, line.operands);
  if (operand === undefined) return NOTHING;
  const { values, files } = await valuesOf(operand, names, line.options);
  return { values: startingWith(begun, values), files };
}

interface Line {
  readonly command: Command;
  /** How many operands of the command there are. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  readonly options: GivenOptions;
  /** After `help`. */
  readonly asksHelp: boolean;
  /** After `--`. */
  readonly onlyOperands: boolean;
}

/** What the words before the last say. */
function read(program: Command, words: readonly string[]): Line {
  let command = program;
  let operands = 0;
  let pending: Option | undefined;
  let onlyOperands = false;
  let asksHelp = false;
  const options: Record<string, string> = {};
  for (const word of words) {
    if (pending !== undefined) {
      options[pending.attributeName()] = word;
      pending = undefined;
    } else if (onlyOperands || !/^-./.test(word)) {
      const next = command === program ? program.commands.find((one) => one.name() === word) : undefined;
      if (next === undefined && word === 'help' && operands === 0) asksHelp = true;
      else if (next === undefined) operands += 1;
      else command = next;
    } else if (word === '--') {
      onlyOperands = true;
    } else {
      const [name = '', ...value] = word.split('=');
      const option = optionOf(command, program, name);
      if (option?.required && value.length > 0) options[option.attributeName()] = value.join('=');
      else if (option?.required) pending = option;
    }
  }
  return { command, operands, pending, options, onlyOperands, asksHelp };
}

/** Options of pawl's own stand before the command and after it. */
function optionOf(command: Command, program: Command, name: string): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => name === long || name === short);
}

function optionsOf(command: Command, program: Command): readonly Candidate[] {
  const own = command === program ? [] : command.options;
  const options = [...own, ...program.options].filter(({ long }) => long !== '--version');
  return [
    ...options.map(({ long, short, description }) => ({ value: long ?? short ?? '', description })),
    { value: '--help', description: 'display help for command' },
  ];
}

function commandsOf(program: Command): readonly Candidate[] {
  const shown = program.createHelp().visibleCommands(program);
  return shown.map((command) => ({ value: command.name(), description: command.description() }));
}

function operandAt(command: Command, index: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic ? last : undefined);
}

/** What can stand for an operand or for the value of an option: told by what help calls it. */
async function valuesOf(of: Argument | Option, names: Names, options: GivenOptions): Promise<Candidates> {
  if (of.argChoices !== undefined) return listed(of.argChoices);
  const called = 'flags' in of ? /<(.*)>/.exec(of.flags)?.[1] : of.name();
  switch (called) {
    case 'name':
    case 'old':
      return listed(await names.contacts(options));
    case 'identity':
      // As an operand, it is one that is to be made.
      return 'flags' in of ? listed(names.identities(options)) : NOTHING;
    case 'setting':
      return listed(['on', 'off', '30d']);
    case 'file':
    case 'files':
    case 'dir':
      return { values: [], files: true };
    default:
      return NOTHING;
  }
}

function listed(values: readonly string[]): Candidates {
  return { values: values.map((value) => ({ value })), files: false };
}

function startingWith(begun: string, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(begun));
}

function prefixed(prefix: string, candidate: Candidate): Candidate {
  return { ...candidate, value: prefix + candidate.value };
}
