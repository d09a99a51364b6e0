/**
 * Starts an agent: this program once more, in a session of its own, which is given the key on its standard input.
 * Waits until it can be asked.
 */
import type { ChildProcess } from 'node:child_process';
import { PawlError } from '../../errors.ts';
import { reasonOf } from '../../files/index.ts';
import { startInShell } from '../../places/index.ts';
import { wipe } from '../../primitives/index.ts';
import type { Io } from '../terminal/io.ts';
import { encodeSetup, type Setup } from './protocol.ts';

/** The hidden command that is an agent. */
export const AGENT = 'agent';
/** What an agent says once it can be asked; anything else is why not. */
export const READY = 'ready';

/** How long a Node may take to start on a busy machine, in milliseconds. */
const PATIENCE = 20_000;
/** In characters. */
const LONGEST_REASON = 200;

/** Without a core dump, a folder that it holds on to, and a socket that others could connect to for a moment. */
const LINE = `ulimit -c 0; umask 077; cd /; exec "$NODE" "$LAUNCHER" ${AGENT}`;
/** What finds the libraries of Node, where they lie elsewhere. Options of Node, which may open a debugger, are left out. */
const LOADER = /^(DY)?LD_/;

/**
 * @param setup its key is copied, and the copy is overwritten.
 * @throws `no-agent`.
 */
export async function startAgent({ program: [node, launcher], variables }: Io, setup: Setup): Promise<void> {
  const environment = { ...variables((name) => LOADER.test(name)), NODE: node, LAUNCHER: launcher };
  const child = startInShell({ command: LINE, environment, output: 'pipe' });
  const given = encodeSetup(setup);
  try {
    child.stdin?.on('error', () => undefined).end(given);
    const said = await firstWordOf(child);
    if (said !== READY) throw new PawlError('no-agent', { reason: said });
  } finally {
    wipe(given);
    for (const stream of child.stdio) stream?.destroy();
    child.unref();
  }
}

/** What it says in its first line, or what it ended with. One that says nothing is ended. */
function firstWordOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const settle = (how: string) => {
      clearTimeout(patience);
      resolve(said.trim().slice(0, LONGEST_REASON) || how);
    };
    const patience = setTimeout(() => {
      child.kill('SIGKILL');
      settle('it does not start');
    }, PATIENCE);
    child.once('error', (error) => settle(reasonOf(error)));
    child.once('close', (code, signal) => settle(`it ended with ${signal ?? code}`));
    child.stderr?.resume();
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text.slice(0, LONGEST_REASON);
      if (said.includes('\n')) settle('');
    });
  });
}
