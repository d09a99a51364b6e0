import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { Io, Output } from '../../src/cli/terminal/io.ts';
import { PawlError } from '../../src/errors.ts';
import type { Random } from '../../src/primitives/index.ts';
import { type FileKey, readSalt } from '../../src/storage/index.ts';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import { START, seededRandom } from '../session/party.ts';
import { expectValid } from './schemas.ts';

/** An output that keeps what is written to it. */
export class CollectedOutput implements Output {
  readonly isTerminal: boolean;
  readonly size: Output['size'];
  readonly #chunks: Uint8Array[] = [];

  constructor(isTerminal = false, size?: Output['size']) {
    this.isTerminal = isTerminal;
    this.size = size;
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    this.#chunks.push(Buffer.from(bytes));
  }

  async flush(): Promise<void> {}

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }
}

export interface FakeIo extends Io {
  readonly output: CollectedOutput;
  readonly errors: CollectedOutput;
}

/** An output of which nobody reads anything. */
export class ClosedOutput extends CollectedOutput {
  override async write(): Promise<void> {
    throw new PawlError('closed-pipe', {});
  }
}

/** An `Io` without a terminal, with a fixed clock and repeatable randomness. */
export function fakeIo(given: Partial<FakeIo> & { readonly chunks?: Iterable<Uint8Array> } = {}): FakeIo {
  const { chunks = [], ...others } = given;
  return {
    arguments: [],
    program: ['no-node', 'no-launcher'],
    environment: {},
    home: () => '/nowhere',
    userId: process.getuid?.(),
    input: { isTerminal: false, chunks: asStream(chunks) },
    output: new CollectedOutput(),
    errors: new CollectedOutput(),
    random: seededRandom('fake io'),
    now: () => START,
    process: () => 'a process',
    host: () => 'here/1',
    isRunning: () => false,
    runEditor: async () => 'there is no editor here',
    runTar: () => {
      throw new Error('there is no tar here');
    },
    variables: () => ({}),
    killGroup: () => false,
    beforeEnd: () => ({ remove: () => undefined }),
    runCommand: () => ({ output: new Uint8Array(0), failure: 'there is no shell here' }),
    openTerminal: () => undefined,
    ...others,
  };
}

async function* asStream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** The program, and the commands that its help shows, without `help` itself. */
export function commandTree() {
  const ignore = () => undefined;
  const program = createProgram(fakeIo(), { onHelp: ignore, onStart: ignore, onExit: ignore });
  const shown = program.createHelp().visibleCommands(program);
  return { program, commands: shown.filter((command) => command.name() !== 'help') };
}

/** A folder that goes when the test has finished: in memory where there is such a place, as commits wait for the disk. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pawl-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The output and the exit code of a command. */
export interface Said {
  readonly exit: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly errors: string;
}

/** A person with an identity and a clock, whose commands run in this process. */
export class Person {
  /** Unix milliseconds. */
  time = START;
  readonly folder = temporaryFolder();
  readonly #name: string;
  readonly #random: Random;
  readonly #keyFile = join(this.folder, 'key');

  private constructor(name: string) {
    this.#name = name;
    this.#random = seededRandom(name);
  }

  /** Creates a person and an identity of that name. */
  static async named(name: string): Promise<Person> {
    const person = new Person(name);
    await person.pawl(['init', name]);
    return person;
  }

  /** Runs a command that must succeed. */
  async pawl(parameters: readonly string[], input?: Uint8Array, given?: Partial<FakeIo>): Promise<Said> {
    const said = await this.run(parameters, input, given);
    if (said.exit !== 0) throw new Error(`pawl ${parameters.join(' ')}: exit ${said.exit}\n${said.errors}`);
    return said;
  }

  /** Runs a command that is refused with a known error, and gives its code and exit code. */
  async refusal(parameters: readonly string[], input?: Uint8Array): Promise<string> {
    const { exit, text, errors } = await this.run(['--json', ...parameters], input);
    const codes = documents<{ code?: string }>(`${text}${errors}`).flatMap(({ code }) => code ?? []);
    return `${codes.join()} ${exit}`;
  }

  /** Runs a command, however it ends. Returns the documents that it wrote to both outputs. */
  async anything(
    parameters: readonly string[],
    input?: Uint8Array,
    given?: Partial<FakeIo>,
  ): Promise<{ bytes: Uint8Array; printed: readonly { type: string }[] }> {
    const { bytes, text, errors } = await this.run(parameters, input, given);
    // Envelopes go to standard output as they are.
    const printed = text.startsWith('{') ? documents<{ type: string }>(text) : [];
    return { bytes, printed: [...printed, ...documents<{ type: string }>(errors)] };
  }

  async invite(name: string, expires = '30d', ...options: readonly string[]): Promise<Uint8Array> {
    return (await this.pawl(['invite', name, '--expires', expires, ...options])).bytes;
  }

  /** Runs a command whose standard output is a terminal of that size. */
  async onTerminal(
    parameters: readonly string[],
    size: Output['size'],
    environment: Io['environment'] = {},
  ): Promise<Said> {
    return this.run(parameters, undefined, { output: new CollectedOutput(true, size), environment });
  }

  async add(name: string, invite: Uint8Array): Promise<void> {
    await this.pawl(['add', name], invite);
  }

  async send(name: string, text: string): Promise<Uint8Array> {
    return (await this.pawl(['send', name], Buffer.from(text))).bytes;
  }

  async recv(envelope: Uint8Array): Promise<string> {
    return (await this.pawl(['recv'], envelope)).text;
  }

  /** The documents that a command prints with `--json`. */
  async documents<Document>(parameters: readonly string[], input?: Uint8Array): Promise<readonly Document[]> {
    return documents((await this.pawl(['--json', ...parameters], input)).text);
  }

  /** Opens the database of the identity file, to read it or to hold its lock. */
  openFile({ readonly = false } = {}): ReturnType<typeof openDatabase> {
    const path = join(this.folder, `${this.#name}.db`);
    const key = readFileSync(this.#keyFile) as Uint8Array as FileKey;
    return openDatabase(path, { key, salt: readSalt(path) }, { wait: 0, readonly });
  }

  /** The rows of a table of the identity file, secrets and all. */
  rows<Row>(table: string): readonly Row[] {
    const database = this.openFile({ readonly: true });
    try {
      return database.prepare(`SELECT * FROM ${table}`).all() as Row[];
    } finally {
      database.close();
    }
  }

  /** Runs a command, however it ends. */
  async run(
    parameters: readonly string[],
    input: Uint8Array = new Uint8Array(0),
    given: Partial<FakeIo> = {},
  ): Promise<Said> {
    const io = fakeIo({
      arguments: ['--home', this.folder, '--key-file', this.#keyFile, ...parameters],
      chunks: halves(input),
      random: this.#random,
      now: () => this.time,
      home: () => this.folder,
      ...given,
    });
    const exit = await main(io);
    return { exit, bytes: io.output.bytes, text: io.output.text, errors: io.errors.text };
  }
}

/** The documents that were printed, each held to its schema. */
function documents<Document>(text: string): readonly Document[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const document = JSON.parse(line);
      expectValid(document);
      return document;
    });
}

function halves(bytes: Uint8Array): Uint8Array[] {
  return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
}

/** An alice and a bob whose conversation has begun, opened by alice. */
export async function acquaint(): Promise<{ alice: Person; bob: Person }> {
  const alice = await Person.named('alice');
  const bob = await Person.named('bob');
  await alice.add('bob', await bob.invite('alice'));
  await bob.recv(await alice.send('bob', 'hi bob'));
  await alice.recv(await bob.send('alice', 'hi alice'));
  return { alice, bob };
}

/** The same, with routes that lead to one folder. */
export async function routed(): Promise<{ alice: Person; bob: Person; place: string }> {
  const people = await acquaint();
  const place = temporaryFolder();
  await people.alice.pawl(['route', 'bob', `dir:${place}`]);
  await people.bob.pawl(['route', 'alice', `dir:${place}`]);
  return { ...people, place };
}

/** The files of envelopes in a folder that is a place. */
export function envelopesIn(place: string): readonly string[] {
  return readdirSync(place).filter((name) => name.endsWith('.pawl'));
}
