/**
 * Runs a command of the user's with one of four verbs: gives it its input, and its output out, both within limits of time
 * and size. Nothing of boxes stands in its arguments.
 * Knows nothing of what the verbs mean.
 */
import type { ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { PawlError } from '../errors.ts';
import { reasonOf } from '../files/index.ts';
import { ON_ITS_WAY, Patience, timeFor, within } from './patience.ts';
import type { PlaceContext } from './place.ts';
import { startInShell } from './shell.ts';

export type Verb = 'put' | 'list' | 'get' | 'ack';

export interface Call {
  readonly verb: Verb;
  readonly input: Uint8Array;
  /** The most bytes of its output. */
  readonly most: number;
  /** Kills it. */
  readonly signal: AbortSignal;
}

export interface Surroundings {
  readonly command: string;
  /** What errors call it. */
  readonly place: string;
  /** The most milliseconds without a byte. */
  readonly timeLimit: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly killGroup: PlaceContext['killGroup'];
}

/** In bytes. Of its input, so much is given at a time. */
const PIECE = 2 ** 16;
/** So much of what it says on standard error is kept, in bytes, and shown, in characters. */
const STDERR_KEPT = 4_096;
const STDERR_SHOWN = 200;
/** In milliseconds: so long it has for its traps, and so often it is looked whether it is gone. */
const GRACE = 1_000;
const LOOK = 20;
/** What a terminal would act on, and what changes the direction of text. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Runs the command, and gives its output out as it comes. Ends it, and what it has started, when the output is not read to
 * its end. All that was given out is good only once this has come to its end.
 * @throws `unreachable` when it fails, is silent for too long, writes too much, or has not read all that it says to have done.
 */
export async function* outputOf(surroundings: Surroundings, call: Call): AsyncGenerator<Buffer, void, undefined> {
  const run = new Run(surroundings, call);
  try {
    yield* run.output();
  } finally {
    run.end();
    await run.gone;
  }
}

class Run {
  readonly #around: Surroundings;
  readonly #call: Call;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  /** What it ended with; `undefined` while it runs. */
  #ending: string | undefined;
  #stderr = Buffer.alloc(0);
  #isInputCut = false;
  #isOver = false;
  /** Once it was ended: nothing of it runs any more. */
  gone: Promise<void> | undefined;
  /** Bytes that went in and came out, and when the last byte moved. */
  #given = 0;
  #taken = 0;
  #moved = performance.now();
  readonly #patience: Patience;

  constructor(around: Surroundings, call: Call) {
    this.#around = around;
    this.#call = call;
    const { timeLimit } = around;
    this.#patience = new Patience(timeLimit, 2 * timeLimit, timeLimit + timeFor(ON_ITS_WAY, timeLimit));
    this.#child = started(around, call.verb);
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#ending ??= how;
        resolve();
      };
      this.#child.once('error', (error) => end(reasonOf(error)));
      this.#child.once('exit', (code, signal) => end(code === 0 ? '' : signal ? `ended by ${signal}` : `exit ${code}`));
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_KEPT);
    });
    for (const stream of this.#child.stdio) stream?.on('error', () => undefined);
    call.signal.addEventListener('abort', this.end);
    if (call.signal.aborted) this.end();
  }

  async *output(): AsyncGenerator<Buffer, void, undefined> {
    void this.#give();
    const { stdout } = this.#child;
    const chunks = (stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await this.#wait(chunks.next().catch((cause) => this.#broken(cause)));
      if (done) break;
      this.#taken += value.length;
      this.#patience.carried(value.length);
      if (this.#taken > this.#call.most) throw this.#failed(`it answers ${this.#call.verb} by too many bytes`);
      yield value;
    }
    await this.#wait(this.#ended);
    if (this.#ending !== '') {
      await this.#rest();
      throw this.#failed(lastLine(this.#stderr) ?? this.#ending ?? '');
    }
    // It may list more than what was asked for, unasked. It can store and remove only what it has read.
    const { verb } = this.#call;
    if (this.#isInputCut && (verb === 'put' || verb === 'ack'))
      throw this.#failed(`it ended before it had read all of ${verb}`);
    this.#isOver = true;
  }

  /** Ends it and what it has started, unless it has come to its end. */
  end = (): void => {
    this.#call.signal.removeEventListener('abort', this.end);
    // Where it could not be started there is none.
    if (!this.#isOver && this.#child.pid !== undefined) this.gone = killed(this.#child.pid, this.#around.killGroup);
    this.#isOver = true;
    // What it has left in the background may hold them.
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#child.unref();
  };

  async #give(): Promise<void> {
    const { stdin } = this.#child;
    const { input } = this.#call;
    for (let at = 0; at < input.length && !this.#isInputCut; at += PIECE) {
      await new Promise<void>((resolve) => {
        const piece = input.subarray(at, at + PIECE);
        stdin?.write(piece, (error) => {
          if (error) this.#isInputCut = true;
          else this.#given += piece.length;
          this.#patience.carried(piece.length);
          this.#moved = performance.now();
          resolve();
        });
      });
    }
    stdin?.end();
  }

  /** Waits for something of it: not longer than a while without a byte, and not for ever for a byte now and then. */
  async #wait<Result>(something: Promise<Result>): Promise<Result> {
    const { timeLimit } = this.#around;
    this.#moved = performance.now();
    this.#patience.begin();
    try {
      return await within(something, () => {
        const silence = timeFor(Math.min(this.#given, ON_ITS_WAY), timeLimit) - (performance.now() - this.#moved);
        const { left } = this.#patience;
        if (silence <= 0) throw this.#failed(`it does not answer for ${Math.round(timeLimit / 1_000)} s`);
        if (left <= 0) throw this.#failed('it answers too slowly');
        return Math.min(silence, left);
      });
    } finally {
      this.#patience.end();
    }
  }

  /** Gives what it said last a moment to come. What it has started may keep its standard error open for ever. */
  async #rest(): Promise<void> {
    const { stderr } = this.#child;
    if (stderr === null || stderr.readableEnded) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 200);
      stderr.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #broken(cause: unknown): never {
    throw this.#failed(this.#call.signal.aborted ? 'it was ended' : reasonOf(cause));
  }

  #failed(reason: string): PawlError {
    return new PawlError('unreachable', { place: this.#around.place, reason });
  }
}

function started({ command, environment }: Surroundings, verb: Verb): ChildProcess {
  const shown = Object.fromEntries(Object.entries(environment).filter(([name]) => !/^PAWL_/i.test(name)));
  return startInShell({ command: `${command} ${verb}`, environment: shown, output: 'pipe' });
}

/** Ends a group by SIGTERM, so that it can clear away what it has made, and what is left of it after a second by SIGKILL. */
async function killed(leader: number, killGroup: PlaceContext['killGroup']): Promise<void> {
  const began = performance.now();
  killGroup(leader, 'SIGTERM');
  while (performance.now() - began < GRACE && killGroup(leader, 0)) await sleep(LOOK);
  killGroup(leader, 'SIGKILL');
}

/** The last line that is not empty, made harmless. */
function lastLine(stderr: Buffer): string | undefined {
  const lines = stderr.toString('utf8').split(/[\r\n]+/);
  const last = lines.map((line) => line.replace(UNSEEN, '?').trim()).findLast((line) => line !== '');
  return last !== undefined && last.length > STDERR_SHOWN ? `${last.slice(0, STDERR_SHOWN)}…` : last;
}
