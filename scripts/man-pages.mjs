// Generates the manual pages in man/ from the command tree and the tables in README.md.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { COMMON_JS } from './esbuild-options.mjs';

const { name, version, description } = JSON.parse(readFileSync('package.json', 'utf8'));
const README = readFileSync('README.md', 'utf8');

/** Writes man/pawl.1, and man/pawl-COMMAND.1 for each command. */
export async function manPages() {
  const { program, helpOf } = await commandTree();
  const commands = program.commands.filter((command) =>
    program.createHelp().visibleCommands(program).includes(command),
  );
  rmSync('man', { recursive: true, force: true });
  mkdirSync('man');
  writeFileSync('man/pawl.1', mainPage(program, commands));
  for (const command of commands) {
    writeFileSync(`man/pawl-${command.name()}.1`, commandPage(command, helpOf(command)));
  }
}

/** The command tree, and a function that gives the text and the examples after the options in a command's help. */
async function commandTree() {
  await build({
    entryPoints: ['src/cli/program.ts'],
    outfile: 'dist/man/program.cjs',
    ...COMMON_JS,
    packages: 'external',
  });
  const { createProgram } = (await import('../dist/man/program.cjs')).default;
  let printed = '';
  const io = { output: {} };
  const program = createProgram(io, {
    onHelp: (text) => {
      printed += text;
    },
    onStart: () => undefined,
    onExit: () => undefined,
  });
  const helpOf = (command) => {
    printed = '';
    command.outputHelp();
    const [text = '', examples = ''] = printed.slice(command.helpInformation().length).split('\nExamples:\n');
    return { paragraphs: text.trim().split('\n\n').filter(Boolean), examples: examples.trimEnd() };
  };
  return { program, helpOf };
}

function mainPage(program, commands) {
  return page(name, description, [
    section('SYNOPSIS', [`${bold(name)} [${italic('options')}] ${italic('command')} [${italic('arguments')}]`]),
    section('DESCRIPTION', [
      plain(
        'Encrypts and decrypts the messages of conversations. What comes out can go over anything that carries bytes: a pipe, a file, mail, a shared folder, a broker. There is no account, no server and no daemon; everything is kept in one encrypted file for each identity.',
      ),
    ]),
    section('COMMANDS', [
      list(commands.map((command) => [`${bold(`pawl-${command.name()}`)}(1)`, plain(command.description())])),
    ]),
    section('OPTIONS', [list(program.createHelp().visibleOptions(program).map(optionEntry))]),
    section('KEYS', [plain('What opens the identity file, the first that is given:'), list(table('| source | |'))]),
    section('EXIT STATUS', [list(table('| exit code | |'))]),
    section('FILES', [
      list([
        [
          italic('~/.local/share/pawl/NAME.db'),
          plain('the identity NAME; the folder is --home DIR, $PAWL_HOME or $XDG_DATA_HOME/pawl where they are given'),
        ],
        [
          italic('~/.local/state/pawl'),
          plain(
            'how far each identity file went, so that an older copy of it is noticed; the folder is $XDG_STATE_HOME/pawl where that is given',
          ),
        ],
        [
          italic('$XDG_RUNTIME_DIR/pawl'),
          plain(
            'the sockets where the keys are that pawl unlock keeps; without that variable, in the folder agent beside how far each file went',
          ),
        ],
      ]),
    ]),
    section('EXAMPLES', [examplesOf(README.match(/```console\n([\s\S]*?)```/)[1])]),
    section('SEE ALSO', [commands.map((command) => `${bold(`pawl-${command.name()}`)}(1)`).join(',\n')]),
  ]);
}

function commandPage(command, { paragraphs, examples }) {
  const options = command.createHelp().visibleOptions(command);
  return page(`pawl-${command.name()}`, command.description(), [
    section('SYNOPSIS', [`${bold(`pawl ${command.name()}`)} ${underlined(command.usage())}`]),
    ...(paragraphs.length > 0
      ? [
          section(
            'DESCRIPTION',
            paragraphs.map((text) => plain(text.replaceAll('\n', ' '))),
          ),
        ]
      : []),
    section('OPTIONS', [list(options.map(optionEntry)), `Options for every command are in ${bold('pawl')}(1).`]),
    section('EXAMPLES', [examplesOf(examples)]),
    section('SEE ALSO', [`${bold('pawl')}(1)`]),
  ]);
}

function page(title, short, sections) {
  return [
    `.TH ${plain(title.toUpperCase())} 1 "" "${name} ${version}" "${name} manual"`,
    '.SH NAME',
    `${plain(title)} \\- ${plain(short)}`,
    ...sections,
    '',
  ].join('\n');
}

function section(title, paragraphs) {
  return [`.SH ${title}`, paragraphs.join('\n.PP\n')].join('\n');
}

function list(entries) {
  return entries.map(([term, text]) => `.TP\n${term}\n${text}`).join('\n');
}

function optionEntry({ flags, description: purpose }) {
  return [underlined(flags), plain(purpose)];
}

function examplesOf(text) {
  return `.nf\n${text
    .trimEnd()
    .split('\n')
    .map((line) => plain(line))
    .join('\n')}\n.fi`;
}

/** The rows of the table in README.md with this heading, as roff. */
function table(head) {
  const rows = README.split(`${head}\n`)[1].split('\n\n')[0].split('\n').slice(1);
  return rows.map((row) => {
    const [, term, text] = row.split('|').map((cell) => cell.trim());
    return [bold(unmarked(term)), plain(unmarked(text))];
  });
}

function unmarked(markdown) {
  return markdown.replaceAll(/[`*]/g, '');
}

/** Options in bold, placeholders in italics: `-o, --output <file>`. */
function underlined(flags) {
  return flags.replaceAll(/-{1,2}[a-zA-Z][\w-]*|<[^>]*>|[^-<]+|./g, (part) => {
    if (/^-{1,2}[a-zA-Z]/.test(part)) return bold(part);
    if (part.startsWith('<')) return italic(part.slice(1, -1));
    return plain(part);
  });
}

function bold(text) {
  return `\\fB${plain(text)}\\fR`;
}

function italic(text) {
  return `\\fI${plain(text)}\\fR`;
}

/** Escapes text for roff. */
function plain(text) {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replace(/^\./, '\\&.');
}
