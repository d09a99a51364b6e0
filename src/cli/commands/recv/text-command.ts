/**
 * The command of `recv --exec`: is given one text after the other on its standard input, and what is known of it in its
 * environment. Ends it when it takes too long, or when pawl itself is ended.
 * Knows nothing of the inbox.
 */
import type { ChildProcess } from 'node:child_process';
import { PawlError } from '../../../errors.ts';
import { reasonOf } from '../../../files/index.ts';
import { startInShell } from '../../../places/index.ts';
import { toHex } from '../../../primitives/index.ts';
import { type Delivery, LEASE } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { iso, spanInWords } from '../../terminal/format.ts';

/** Milliseconds that it may take for one text: a minute less than the text is left to this process. */
const TIME_LIMIT = LEASE - 60_000;
/** Milliseconds that it has to end by itself, once it is told to. */
const GRACE = 5_000;

/** Of the variables of pawl, the names of files. A passphrase is not passed on, and not what tells one. */
const PASSED_ON: ReadonlySet<string> = new Set(['PAWL_KEY_FILE', 'PAWL_PASSPHRASE_FILE', 'PAWL_MARKS']);
const OURS = /^PAWL_/i;

/** Exit codes of the shell for what it cannot run. */
const CANNOT_RUN: ReadonlySet<number> = new Set([126, 127]);

interface End {
  /** `null`: by a signal, or it was not begun. */
  readonly exit: number | null;
  readonly how: string;
}

export class TextCommand {
  readonly #io: CommandContext['io'];
  readonly #identity: Pick<OpenIdentity, 'name' | 'home'>;
  readonly #line: string;
  readonly #timeLimit: number;

  /** @param line for `/bin/sh -c`. */
  constructor(
    { io }: Pick<CommandContext, 'io'>,
    identity: Pick<OpenIdentity, 'name' | 'home'>,
    { line, timeLimit = TIME_LIMIT }: { readonly line: string; readonly timeLimit?: number },
  ) {
    this.#io = io;
    this.#identity = identity;
    this.#line = line;
    this.#timeLimit = timeLimit;
  }

  /**
   * Runs the command on one text, and waits for its end. What it has started in the background may go on.
   * @param spent milliseconds since the claim of the text was renewed.
   * @returns why it failed; `undefined` where it exits with 0, whether it has read all of the text or not.
   * @throws `cannot-run`.
   */
  async run(delivery: Delivery, spent = 0): Promise<string | undefined> {
    let started: ChildProcess | undefined;
    let killing: NodeJS.Timeout | undefined;
    let settle: (end: End) => void = () => undefined;
    const ended = new Promise<End>((given) => {
      settle = given;
    });
    const kill = (signal: NodeJS.Signals): void => {
      if (started?.pid !== undefined) this.#io.killGroup(started.pid, signal);
    };
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      kill(signal);
      killing = setTimeout(kill, GRACE, 'SIGKILL');
      await ended;
    };
    let isTooSlow = false;
    const slow = setTimeout(() => {
      isTooSlow = true;
      void end('SIGTERM');
    }, this.#timeLimit - spent);
    // At once when the command is started, there is something to end.
    const onEnd = this.#io.beforeEnd(end);
    try {
      const environment = this.#environmentFor(delivery);
      started = startInShell({ command: this.#line, environment, output: 'inherit' });
      started.once('error', (error) => settle({ exit: null, how: reasonOf(error) }));
      started.once('exit', (status, signal) =>
        settle({ exit: status, how: signal ? `ended by ${signal}` : `exit ${status}` }),
      );
      started.stdin?.on('error', () => undefined).end(delivery.content.bytes);
      const { exit, how } = await ended;
      if (exit !== null && CANNOT_RUN.has(exit)) throw new PawlError('cannot-run', { command: this.#line, exit });
      if (isTooSlow) return `it took more than ${spanInWords(this.#timeLimit)}`;
      return exit === 0 ? undefined : how;
    } finally {
      clearTimeout(slow);
      clearTimeout(killing);
      started?.stdin?.destroy();
      onEnd.remove();
    }
  }

  #environmentFor({ from, id, verified, content }: Delivery): Readonly<Record<string, string>> {
    return {
      ...this.#io.variables((name) => !OURS.test(name) || PASSED_ON.has(name)),
      // So that `pawl send` in it answers as who has received.
      PAWL_HOME: this.#identity.home,
      PAWL_IDENTITY: this.#identity.name,
      PAWL_FROM: from,
      PAWL_ID: toHex(id),
      PAWL_VERIFIED: verified ? '1' : '0',
      PAWL_SENT_AT: iso(content.sentAt),
      ...(content.type === 'file' && { PAWL_FILE: content.name }),
    };
  }
}
