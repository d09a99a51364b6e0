/**
 * Completes a command line: which commands, options and values can stand at its end, from the command tree.
 * Knows nothing of shells, and gets the names of identities and contacts from its caller.
 */
import type { Argument, Command, Option } from 'commander';
import { LIST_SIGN, SEPARATOR } from '../addressees.ts';

export interface Candidates {
  readonly values: readonly Candidate[];
  /** Whether the name of a file fits: the shell completes those itself. */
  readonly files: boolean;
}

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** Looks up names that are not in the command tree, for the options that the command line has so far. */
export interface Names {
  identities(options: GivenOptions): Promise<readonly string[]>;
  contacts(options: GivenOptions): Promise<readonly string[]>;
  lists(options: GivenOptions): Promise<readonly string[]>;
  /** The open invites of one's own: the ID as the value, the name that it is for as the description. */
  invites(options: GivenOptions): Promise<readonly Candidate[]>;
}

/** The values of the options on the command line, by their attribute names. */
export type GivenOptions = Readonly<Record<string, string>>;

const NOTHING: Candidates = { values: [], files: false };

/**
 * Finds the candidates for the last word.
 * @param words the words after `pawl`, as the shell splits them. The last one is incomplete, or empty. bash makes `=` a
 * word of its own.
 */
export async function candidatesFor(program: Command, words: readonly string[], names: Names): Promise<Candidates> {
  const typed = words.filter((word, index) => word !== '=' || index === words.length - 1);
  const last = typed.at(-1) === '=' ? '' : (typed.at(-1) ?? '');
  const line = parseLine(program, typed.slice(0, -1));
  const [, attached, prefix = last] = (!line.onlyOperands && /^(--[^=]+=)(.*)$/.exec(last)) || [];

  // An option whose value can be left out may be followed by another option.
  const isPending = line.pending?.required || !prefix.startsWith('-');
  const pending =
    attached === undefined
      ? isPending
        ? line.pending
        : undefined
      : findOption(line.command, program, attached.slice(0, -1));
  if (pending !== undefined || attached !== undefined) {
    const { values, files } = pending === undefined ? NOTHING : await valuesOf(pending, names, line.options);
    return { values: filterByPrefix(prefix, values).map((one) => addPrefix(attached ?? '', one)), files };
  }
  if (prefix.startsWith('-') && !line.onlyOperands) {
    return { values: filterByPrefix(prefix, optionsOf(line.command, program)), files: false };
  }
  if (line.command === program) {
    if (line.asksHelp) return { values: filterByPrefix(prefix, commandsOf(program)), files: false };
    return { values: line.operands > 0 ? [] : filterByPrefix(prefix, commandsOf(program)), files: false };
  }
  const operand = operandAt(line.command, line.operands);
  if (operand === undefined) return NOTHING;
  if (operand.name() === 'to') return addresseesFor(prefix, names, line.options);
  const { values, files } = await valuesOf(operand, names, line.options);
  return { values: filterByPrefix(prefix, values), files };
}

/**
 * Does so for bash, which makes `@` a word of its own, and replaces only what is behind it.
 * @example `send`, `bob,`, `@`, `op` are the words of `send bob,@op`, and `ops` is proposed.
 */
export async function candidatesInBash(program: Command, words: readonly string[], names: Names): Promise<Candidates> {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1);
    const goesOn = before === LIST_SIGN || before?.endsWith(SEPARATOR + LIST_SIGN);
    const isSign = word === LIST_SIGN && before?.endsWith(SEPARATOR);
    if (goesOn || isSign) joined.push(`${joined.pop()}${word}`);
    else joined.push(word);
  }
  const [last = '', piece = ''] = [joined.at(-1), words.at(-1)];
  const kept = piece === LIST_SIGN ? last.length : last.length - piece.length;
  const { values, files } = await candidatesFor(program, joined, names);
  return { values: values.map((one) => ({ ...one, value: one.value.slice(kept) })), files };
}

/** Contacts and lists, behind those that stand there already. */
async function addresseesFor(prefix: string, names: Names, options: GivenOptions): Promise<Candidates> {
  const given = prefix.split(SEPARATOR).slice(0, -1);
  const lists = (await names.lists(options)).map((name) => LIST_SIGN + name);
  const others = [...(await names.contacts(options)), ...lists].filter((one) => !given.includes(one));
  const values = others.map((value) => ({ value: [...given, value].join(SEPARATOR) }));
  return { values: filterByPrefix(prefix, values), files: false };
}

/** The complete words of a command line. */
interface Line {
  readonly command: Command;
  /** The number of operands of the command. */
  readonly operands: number;
  /** The option whose value is the next word. */
  readonly pending: Option | undefined;
  readonly options: GivenOptions;
  /** Whether `help` stands before. */
  readonly asksHelp: boolean;
  /** Whether `--` stands before. */
  readonly onlyOperands: boolean;
}

function parseLine(program: Command, words: readonly string[]): Line {
  let command = program;
  let operands = 0;
  let pending: Option | undefined;
  let onlyOperands = false;
  let asksHelp = false;
  const options: Record<string, string> = {};
  for (const word of words) {
    if (pending !== undefined && (pending.required || !word.startsWith('-'))) {
      options[pending.attributeName()] = word;
      pending = undefined;
      continue;
    }
    pending = undefined;
    if (onlyOperands || !/^-./.test(word)) {
      const next = command === program ? program.commands.find((one) => one.name() === word) : undefined;
      if (next === undefined && word === 'help' && operands === 0) asksHelp = true;
      else if (next === undefined) operands += 1;
      else command = next;
    } else if (word === '--') {
      onlyOperands = true;
    } else {
      const [name = '', ...value] = word.split('=');
      const option = findOption(command, program, name);
      const takesValue = option?.required || option?.optional;
      if (takesValue && value.length > 0) options[option.attributeName()] = value.join('=');
      else if (takesValue) pending = option;
    }
  }
  return { command, operands, pending, options, onlyOperands, asksHelp };
}

/** Finds an option of the command or a global option, by its long or short name. */
function findOption(command: Command, program: Command, name: string): Option | undefined {
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

/** The values of an operand or an option. Their kind is known from the name that the help shows, like `<file>` or `[id]`. */
async function valuesOf(subject: Argument | Option, names: Names, options: GivenOptions): Promise<Candidates> {
  if (subject.argChoices !== undefined) return candidatesOf(subject.argChoices);
  const name = 'flags' in subject ? /[<[](.*)[>\]]/.exec(subject.flags)?.[1] : subject.name();
  switch (name) {
    case 'list':
      return candidatesOf(await names.lists(options));
    case 'name':
    case 'old':
    case 'contacts':
      return candidatesOf(await names.contacts(options));
    case 'id':
      return { values: await names.invites(options), files: false };
    case 'identity':
      // As an operand, of `init`, it is a new name.
      return 'flags' in subject ? candidatesOf(await names.identities(options)) : NOTHING;
    case 'setting':
      return candidatesOf(['on', 'off', '30d']);
    case 'span':
      return candidatesOf(['15m', '1h', '8h']);
    case 'file':
    case 'files':
    case 'dir':
      return { values: [], files: true };
    default:
      return NOTHING;
  }
}

function candidatesOf(values: readonly string[]): Candidates {
  return { values: values.map((value) => ({ value })), files: false };
}

function filterByPrefix(prefix: string, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(prefix));
}

function addPrefix(prefix: string, candidate: Candidate): Candidate {
  return { ...candidate, value: prefix + candidate.value };
}
