/**
 * Starts a command line of the user's in the shell: in a process group of its own, which can be ended with all that it
 * starts, and with no open file of pawl's but its standard streams.
 * Knows nothing of what it is for.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { inheritedDescriptors } from '../files/index.ts';

export interface ShellCommand {
  readonly command: string;
  /** All that it gets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where its standard output and standard error go: to pawl, or where those of pawl go. Its standard input is a pipe. */
  readonly output: 'pipe' | 'inherit';
}

/** Whether it could be started shows later, by its `error` event. */
export function startInShell({ command, environment, output }: ShellCommand): ChildProcess {
  const nothing = openSync('/dev/null', 'r');
  try {
    const stdio: ('pipe' | 'inherit' | 'ignore' | number)[] = ['pipe', output, output];
    // A passphrase may lie in a descriptor that was handed to pawl.
    for (const descriptor of inheritedDescriptors()) {
      while (stdio.length < descriptor) stdio.push('ignore');
      stdio[descriptor] = nothing;
    }
    return spawn('/bin/sh', ['-c', command], { detached: true, env: environment, stdio });
  } finally {
    closeSync(nothing);
  }
}
