/**
 * Makes V8's code cache of the built program, dist/pawl.cjs.code: runs a conversation and stores what V8 has compiled.
 * bin/pawl.js says when it is used, docs/measurements.md what it saves.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Writes the code cache. The file has all functions that the commands run by `keep` have called. */
export function keepCode() {
  rmSync(join(root, 'dist', 'pawl.cjs.code'), { force: true });
  const folder = mkdtempSync(join(tmpdir(), 'pawl-build-'));
  try {
    const alice = personIn(folder, 'alice');
    const bob = personIn(folder, 'bob');
    alice.run(['init', 'alice']);
    bob.run(['init', 'bob']);
    alice.run(['add', 'bob'], bob.run(['invite', 'alice']));
    bob.run(['recv'], alice.run(['send', 'bob'], 'hi bob'));
    alice.run(['recv'], bob.run(['send', 'alice'], 'hi alice'));

    bob.keep(['recv'], alice.keep(['send', 'bob'], 'how are you?'));
    alice.keep(['recv'], bob.keep(['send', 'alice'], 'fine, and you?'));
    alice.keep(['--help']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function personIn(folder, name) {
  const options = ['--home', folder, '--key-file', join(folder, 'key'), '-i', name];
  const pawl = (preloaded, parameters, text = '') => {
    // Standard input is a file, as with a shell's `<`.
    writeFileSync(join(folder, 'input'), text);
    const input = openSync(join(folder, 'input'));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...preloaded, join(root, 'bin', 'pawl.js'), ...options, ...parameters],
      { stdio: [input, 'pipe', 'pipe'], env: { XDG_STATE_HOME: folder } },
    );
    closeSync(input);
    if (status !== 0) throw new Error(`pawl ${parameters.join(' ')}: ${stderr}`);
    return stdout;
  };
  const writer = ['--require', join(root, 'scripts', 'write-code.cjs')];
  return {
    run: (parameters, input) => pawl([], parameters, input),
    keep: (parameters, input) => pawl(writer, parameters, input),
  };
}
