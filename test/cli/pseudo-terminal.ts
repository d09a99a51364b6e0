import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HELPER = fileURLToPath(new URL('pseudo-terminal.py', import.meta.url));

export interface TerminalOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly columns?: number;
}

/** A command that runs on a terminal of its own. Nothing is timed: keys are typed once something is shown. */
export class PseudoTerminal {
  /** Everything that was shown, escapes and all; each newline as `\r\n`, as the terminal has it. */
  shown = '';
  /** What the command exits with, as a shell says it, once the last of its output was shown. */
  readonly exit: Promise<number>;
  readonly #process: ChildProcessWithoutNullStreams;
  #seen = 0;

  constructor(command: readonly string[], { environment, folder, columns = 80 }: TerminalOptions = {}) {
    this.#process = spawn('python3', [HELPER, String(columns), '24', ...command], {
      cwd: folder,
      env: environment,
      stdio: 'pipe',
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.shown += `[pseudo-terminal.py] ${text}`;
    });
    this.exit = new Promise((resolve, reject) => {
      this.#process.on('error', reject);
      this.#process.on('close', (code) => resolve(code ?? -1));
    });
  }

  /** Waits until the terminal shows `text` anew, and gives everything up to it since the last call. */
  async shows(text: string): Promise<string> {
    for (;;) {
      const at = this.shown.indexOf(text, this.#seen);
      if (at !== -1) {
        const before = this.shown.slice(this.#seen, at);
        this.#seen = at + text.length;
        return before;
      }
      await this.#more(text);
    }
  }

  type(keys: string | Uint8Array): void {
    this.#process.stdin.write(keys);
  }

  /** Hangs up: the terminal goes away, and with it whatever still runs on it. */
  hangUp(): void {
    this.#process.kill('SIGKILL');
  }

  #more(text: string): Promise<void> {
    const { stdout } = this.#process;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`never shown: ${JSON.stringify(text)}, but ${JSON.stringify(this.shown)}`));
      if (stdout.readableEnded) return ended();
      stdout.once('end', ended);
      stdout.once('data', () => {
        stdout.off('end', ended);
        resolve();
      });
    });
  }
}
