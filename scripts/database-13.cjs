// The entry of dist/database-13.cjs: version 13 of the database, whose package has an addon for each platform.
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');
const createDatabase = require('database-13/database.js');

function addon() {
  const folder = dirname(require.resolve('better-sqlite3-multiple-ciphers/package.json'));
  const { platform, arch } = process;
  const prebuilt = join(folder, 'prebuilds', `${hasMusl() ? 'linuxmusl' : platform}-${arch}.node`);
  return require(existsSync(prebuilt) ? prebuilt : join(folder, 'build', 'Release', 'better_sqlite3.node'));
}

/** Whether Node runs with musl. A system with glibc may have musl too: then Node knows, and takes 3 ms to say so. */
function hasMusl() {
  const loader = { x64: '/lib/ld-musl-x86_64.so.1', arm64: '/lib/ld-musl-aarch64.so.1' }[process.arch];
  if (process.platform !== 'linux' || !existsSync(loader)) return false;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

module.exports = createDatabase(addon, false);
module.exports.SqliteError = require('database-13/sqlite-error.js');
