// Installs the packages of package-lock.json and builds, where that is missing or out of date. npm scripts run it
// first.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function run(command, ...parameters) {
  // Output of npm and the build goes to standard error: standard output belongs to the command that runs next.
  const { status, error } = spawnSync(command, parameters, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write(`ready: ${command} ${parameters.join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(status ?? 1);
  }
}

function changedAt(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function newestIn(folder) {
  return Math.max(...readdirSync(folder, { recursive: true }).map((file) => changedAt(join(folder, file))));
}

/** The database that `npm install` would choose for this Node: version 13 needs Node 22, and crashes older ones. */
const needsOld = Number(process.versions.node.split('.')[0]) < 22;
const database = join(root, 'node_modules', 'better-sqlite3-multiple-ciphers');
const oldDatabase = 'database-for-node-20';

/** Whether the installed database is the one for this Node. For an old Node it is a link to the other one. */
function hasItsDatabase() {
  if (!existsSync(database) || lstatSync(database).isSymbolicLink() !== needsOld) return false;
  return !needsOld || existsSync(join(database, 'build', 'Release', 'better_sqlite3.node'));
}

const installed = join(root, 'node_modules', '.package-lock.json');
if (changedAt(installed) < changedAt(join(root, 'package-lock.json')) || !hasItsDatabase()) {
  // A lock holds one version of a package. Nothing that is locked has to run a script, but the old database.
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  if (needsOld) {
    // From the source in its package, whose hash is locked. Its install script would download it from its authors' page.
    run('npm', 'run', '--silent', '--prefix', join('node_modules', oldDatabase), 'build-release');
    renameSync(database, join(root, 'node_modules', 'database-for-node-22'));
    symlinkSync(oldDatabase, database);
  }
}

const built = join(root, 'dist', 'pawl.cjs');
const newest = Math.max(
  newestIn(join(root, 'src')),
  newestIn(join(root, 'scripts')),
  changedAt(join(root, 'package.json')),
  changedAt(installed),
);
if (changedAt(built) < newest) run(process.execPath, join('scripts', 'build.mjs'));
