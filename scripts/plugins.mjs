/**
 * esbuild plugins that make the program start faster (docs/measurements.md, "The start of a command"): modules are
 * loaded when they are first used, and unused parts of packages are left out.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { COMMON_JS } from './esbuild-options.mjs';

const root = join(import.meta.dirname, '..');
const modules = join(root, 'node_modules');

/** Replaces the part of commander that starts executables, and with it the module that starts processes. */
export const noUnusedParts = {
  name: 'no-unused-parts',
  setup({ onResolve, onLoad }) {
    leaveOut(onResolve, onLoad, { filter: /^node:child_process$/, of: '/commander/' });
  },
};

function leaveOut(onResolve, onLoad, { filter, of }) {
  onResolve({ filter }, ({ path, importer }) => (importer.includes(of) ? { path, namespace: 'nothing' } : undefined));
  onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: '' }));
}

const DATABASE = 'better-sqlite3-multiple-ciphers';
const LAZY = new RegExp(
  `^(${DATABASE}|@(noble|scure)/.*|node:(child_process|crypto|module|net|os|readline|stream|timers/promises|tty|v8))$`,
);
/** Curves, ML-KEM and the word list: few commands need them, so each is a file that is read only when used. */
const RARELY_USED = /^@(noble\/(curves|post-quantum)|scure)\//;

/** Loads a module when it is first used: `import { ed25519 } from '…'` becomes an object with a getter of this name. */
export const lazyModules = {
  name: 'lazy-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: LAZY }, ({ path, importer }) => {
      if (!importer.startsWith(join(root, 'src'))) return undefined;
      return { path: `${path} for ${relative(root, importer)}`, namespace: 'lazy', pluginData: { path, importer } };
    });
    onLoad({ filter: /./, namespace: 'lazy' }, ({ pluginData: { path, importer } }) => {
      const names = namesImported(importer, path);
      const getters = names.map((name) => `get ${name}() { return load()${name === 'default' ? '' : `.${name}`}; }`);
      const load = path === DATABASE ? databaseOfThisNode : `require('${path}')`;
      return {
        contents: `let loaded; const load = () => (loaded ??= ${load});
          module.exports = { __esModule: true, ${getters} };`,
        pluginData: names,
      };
    });
    onResolve({ filter: /^\.\/database-\d+\.cjs$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: RARELY_USED, namespace: 'lazy' }, async ({ path, pluginData: names }) => {
      const file = `${path.slice(1).replaceAll('/', '-').replace(/\.js$/, '')}.cjs`;
      await bundle(path, names, { outfile: join(root, 'dist', file), minify: true, sourcemap: 'linked' });
      return { path: `../dist/${file}`, external: true };
    });
    onResolve({ filter: /^@noble\//, namespace: 'lazy' }, ({ path, pluginData }) => ({
      path,
      namespace: 'package',
      pluginData,
    }));
    onLoad({ filter: /./, namespace: 'package' }, async ({ path, pluginData: names }) => {
      const { outputFiles } = await bundle(path, names, { write: false, sourcemap: 'inline' });
      return { contents: outputFiles[0].text };
    });
  },
};

/** Bundles the used names of a package as one CommonJS module. */
function bundle(path, names, options) {
  return build({
    stdin: { contents: `export { ${names} } from '${path}';`, resolveDir: root },
    ...COMMON_JS,
    charset: 'ascii',
    legalComments: 'inline',
    sourcesContent: false,
    ...options,
  });
}

/** The names that a file imports from a module: `default`, or those in braces. */
function namesImported(importer, path) {
  const text = readFileSync(importer, 'utf8');
  const [, name, names] = new RegExp(`import (?:type )?(?:(\\w+)|\\{([^}]*)\\}) from '${path}'`).exec(text) ?? [];
  if (name !== undefined) return ['default'];
  if (names === undefined) throw new Error(`${importer}: of ${path} only names can be imported`);
  return names
    .split(',')
    .map((one) => one.trim().replace(/ as .*/, ''))
    .filter((one) => one !== '' && !one.startsWith('type '));
}

/** npm chooses by the same rule, which is what each version of the package says that it needs. */
const databaseOfThisNode = `Number(process.versions.node.split('.')[0]) < 22
  ? require('./database-12.cjs')
  : require('./database-13.cjs')`;

const POSTGRES = join(root, 'src', 'storage', 'postgres');
const POSTGRES_FILE = './postgres.cjs';

/** Leaves the store in PostgreSQL to dist/postgres.cjs: see `bundlePostgres`. */
export const separatePostgres = {
  name: 'separate-postgres',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/postgres\// }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: POSTGRES_FILE, external: true } : undefined,
    );
  },
};

/**
 * Bundles the store in PostgreSQL as a file that is read only when it is used. What it imports from elsewhere in src it has
 * from dist/pawl.cjs, so that there is one class of errors.
 * @param options of esbuild.
 * @returns the entry of dist/pawl.cjs, which hands out just these names.
 */
export async function bundlePostgres(options) {
  const shared = new Map();
  const sharing = {
    name: 'sharing',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\.\// }, ({ path, importer }) => {
        const file = relative(root, resolve(dirname(importer), path));
        shared.set(file, new Set([...(shared.get(file) ?? []), ...namesImported(importer, path)]));
        return { path: file, namespace: 'shared' };
      });
      onLoad({ filter: /./, namespace: 'shared' }, ({ path }) => ({
        contents: `module.exports = require('./pawl.cjs').shared['${path}'];`,
      }));
      onResolve({ filter: /^\.\/pawl\.cjs$/ }, ({ path }) => ({ path, external: true }));
    },
  };
  const entries = ['address', 'database', 'server-client'].map((name) => `export * from './${name}.ts';`);
  await build({
    ...options,
    stdin: { contents: entries.join('\n'), resolveDir: POSTGRES },
    outfile: join(root, 'dist', POSTGRES_FILE),
    plugins: [sharing, ...options.plugins],
  });
  const files = [...shared].map(([file, names], index) => ({ file, names: [...names], as: `shared${index}` }));
  const imports = files.map(
    ({ file, names, as }) => `import { ${names.map((one) => `${one} as ${as}${one}`)} } from './${file}';`,
  );
  const objects = files.map(({ file, names, as }) => `'${file}': { ${names.map((one) => `${one}: ${as}${one}`)} }`);
  return `${imports.join('\n')}
    export { run } from './src/cli/main.ts';
    export const shared = { ${objects} };`;
}

/**
 * Bundles the JavaScript of both versions of the database, dist/database-12.cjs and dist/database-13.cjs, without what
 * does not run statements. Each loads the addon of the installed package by its path: version 12 would search a dozen
 * places for it, version 13 would have Node write a report on itself to tell which libc there is.
 */
export async function bundleDatabases() {
  for (const version of [12, 13]) {
    await build({
      entryPoints: [join(import.meta.dirname, `database-${version}.cjs`)],
      outfile: join(root, 'dist', `database-${version}.cjs`),
      ...COMMON_JS,
      minify: true,
      charset: 'ascii',
      legalComments: 'inline',
      plugins: [partsOfDatabase],
    });
  }
}

const partsOfDatabase = {
  name: 'parts-of-database',
  setup({ onResolve, onLoad }) {
    // See ready.mjs, which has put version 12 in place of version 13 where Node is old.
    onResolve({ filter: /^database-12\// }, ({ path }) => ({
      path: join(modules, 'database-for-node-20', 'lib', path.replace('database-12/', '')),
    }));
    onResolve({ filter: /^database-13\// }, ({ path }) => {
      const moved = join(modules, 'database-for-node-22');
      return {
        path: join(existsSync(moved) ? moved : join(modules, DATABASE), 'lib', path.replace('database-13/', '')),
      };
    });
    onResolve({ filter: /\.node$|package\.json$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: 'addon' }));
    onLoad({ filter: /./, namespace: 'addon' }, () => ({
      contents: `module.exports = () => require('${DATABASE}/build/Release/better_sqlite3.node');`,
    }));
    leaveOut(onResolve, onLoad, {
      filter: /^\.\/methods\/(aggregate|backup|explain|function|inspect|serialize|table)$/,
      of: 'database',
    });
  },
};
