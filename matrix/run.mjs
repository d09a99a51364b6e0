// Installs pawl as its users do, from its tarball, under each supported version of Node, and tries it out there: the
// demo, the transcripts, and the short part of torture. Those two read the files that the installed pawl has written with
// the Node and the database of this checkout. With --demo: the demo only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');

const { values, positionals } = parseArgs({ options: { demo: { type: 'boolean' } }, allowPositionals: true });

const VITEST = ['node_modules/vitest/vitest.mjs', 'run'];

function run(command, parameters, environment = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, parameters, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed\n${error ?? stdout + stderr}`);
  return stdout;
}

/** Runs a part, and returns how long it took, in words. */
function timed(name, work) {
  const startedAt = performance.now();
  work();
  return `${name} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

function tryOut(version, tarball) {
  const home = join(import.meta.dirname, 'node_modules', `node-${version}`);
  const path = { PATH: [join(home, 'bin'), process.env.PATH].join(delimiter) };
  const prefix = mkdtempSync(join(tmpdir(), `pawl-matrix-${version}-`));
  try {
    const results = [
      // Where a database has to be compiled, it is with the headers of this Node, instead of downloaded from a web page.
      timed('install', () =>
        run(
          'npm',
          ['install', '--global', '--prefix', prefix, '--allow-scripts=better-sqlite3-multiple-ciphers', tarball],
          { ...path, npm_config_nodedir: home, npm_config_build_from_source: 'true' },
        ),
      ),
    ];
    const installed = { ...path, PAWL_BIN: join(prefix, 'bin') };
    symlinkSync(join(home, 'bin', 'node'), join(installed.PAWL_BIN, 'node'));
    const database = join(prefix, 'lib/node_modules/pawl/node_modules/better-sqlite3-multiple-ciphers');
    const { version: databaseVersion } = JSON.parse(readFileSync(join(database, 'package.json'), 'utf8'));
    const compiled = existsSync(join(database, 'build')) ? 'compiled' : 'not compiled';
    if ((compiled === 'compiled') !== (version === '20')) throw new Error(`Node ${version}: the database is ${compiled}`);
    // Which implementations there are depends on the Node that runs the tests.
    results.push(timed('primitives', () => run(join(home, 'bin', 'node'), [...VITEST, 'test/primitives'])));
    results.push(timed('demo', () => run('bash', ['examples/alice-and-bob.sh'], installed)));
    if (!values.demo) {
      const vitest = (file) => run(process.execPath, [...VITEST, file], { PAWL_BIN: installed.PAWL_BIN });
      results.push(timed('transcripts', () => vitest('test/cli/transcripts.test.ts')));
      results.push(timed('torture', () => vitest('test/torture/crash.test.ts')));
    }
    return `database ${databaseVersion}, ${compiled}; ${results.join(', ')}`;
  } finally {
    rmSync(prefix, { recursive: true, force: true });
  }
}

if (process.platform !== 'linux' || process.arch !== 'x64' || !process.report.getReport().header.glibcVersionRuntime) {
  console.log('skipped: matrix/package.json has the versions of Node for Linux with glibc on x64 only');
  process.exit(0);
}
run('npm', ['ci', '--prefix', import.meta.dirname, '--ignore-scripts']);
const folder = mkdtempSync(join(tmpdir(), 'pawl-pack-'));
try {
  // Without its scripts, which would build the program anew.
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  const [tarball = ''] = readdirSync(folder);
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
  const versions = Object.keys(dependencies).map((name) => name.replace('node-', ''));
  const unknown = positionals.filter((version) => !versions.includes(version));
  if (unknown.length > 0) throw new Error(`there is no Node ${unknown.join(', ')} here, but ${versions.join(', ')}`);
  for (const version of positionals.length > 0 ? positionals : versions) {
    const [, exact] = dependencies[`node-${version}`].split('@');
    console.log(`Node ${exact}: ${tryOut(version, join(folder, tarball))}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
