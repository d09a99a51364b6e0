/** Runs pawl in this process on identities in a folder, with a fixed clock, and captures what it prints. */
import { join } from 'node:path';
import { main } from '../src/cli/main.ts';
import type { Io, Output } from '../src/cli/terminal/io.ts';
import { concat, type Random, utf8 } from '../src/primitives/index.ts';

/** The result of a run. */
export interface Run {
  readonly exit: number;
  readonly output: Uint8Array;
  readonly errors: string;
}

export class Desk {
  readonly #folder: string;
  readonly #random: Random;
  readonly #now: number;

  constructor(folder: string, random: Random, now: number) {
    this.#folder = folder;
    this.#random = random;
    this.#now = now;
  }

  /** The options by which another process uses the same identity. */
  optionsFor(identity: string): readonly string[] {
    return ['--home', this.#folder, '--key-file', join(this.#folder, 'file.key'), '-i', identity];
  }

  async run(
    identity: string,
    parameters: readonly string[],
    input: Uint8Array = new Uint8Array(),
    isTerminal = false,
  ): Promise<Run> {
    const output: Uint8Array[] = [];
    const errors: Uint8Array[] = [];
    const io: Io = {
      program: ['no-node', 'no-launcher'],
      arguments: [...this.optionsFor(identity), ...parameters],
      environment: { XDG_STATE_HOME: join(this.#folder, 'state') },
      home: () => this.#folder,
      userId: process.getuid?.(),
      input: { isTerminal: false, chunks: chunked(input) },
      output: captured(output, isTerminal),
      errors: captured(errors, isTerminal),
      random: this.#random,
      now: () => this.#now,
      process: () => 'fuzz',
      host: () => 'here/1',
      isRunning: () => true,
      runEditor: async () => 'there is no editor here',
      runTar: () => {
        throw new Error('there is no tar here');
      },
      variables: () => ({}),
      killGroup: () => false,
      runCommand: () => ({ output: new Uint8Array(0), failure: 'there is no shell here' }),
      beforeEnd: () => ({ remove: () => undefined }),
      openTerminal: () => undefined,
    };
    const exit = await main(io);
    return { exit, output: concat(...output), errors: Buffer.concat(errors).toString() };
  }
}

function captured(written: Uint8Array[], isTerminal: boolean): Output {
  return {
    isTerminal,
    async write(bytes) {
      written.push(typeof bytes === 'string' ? utf8(bytes) : bytes);
    },
    async flush() {},
  };
}

async function* chunked(input: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += 65_536) yield input.subarray(at, at + 65_536);
}
