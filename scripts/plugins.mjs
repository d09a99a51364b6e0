/**
 * esbuild plugins that make the program start faster (docs/measurements.md, "The start of a command"): modules are
 * loaded when they are first used, and unused parts of packages are left out.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/**
 * Leaves the store in PostgreSQL to dist/postgres.cjs: see `bundlePostgres`. It is required: Node's `import` reads the whole
 * of a CommonJS module for its names first.
 */
export const separatePostgres = {
  name: 'separate-postgres',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/postgres\// }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'postgres' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'postgres' }, () => ({
      contents: `module.exports = require('${POSTGRES_FILE}');`,
    }));
    onResolve({ filter: /./, namespace: 'postgres' }, ({ path }) => ({ path, external: true }));
  },
};

/**
 * The client of PostgreSQL alone: no pool, and nothing that reads addresses and password files, which is done in src. What
 * it asks to tell whether this is Node has versions below 21 load their `fetch`.
 */
const partsOfClient = {
  name: 'parts-of-client',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^pg$/ }, ({ path }) => ({ path, namespace: 'client' }));
    onLoad({ filter: /./, namespace: 'client' }, () => ({
      contents: "export { default as Client } from 'pg/lib/client.js';",
      resolveDir: root,
    }));
    leaveOut(onResolve, onLoad, { filter: /^(pg-cloudflare|pg-connection-string|pgpass)$/, of: '/pg/' });
  },
};
const THIS_IS_NODE = { navigator: JSON.stringify({ userAgent: 'Node.js' }) };

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
  const entries = ['address', 'database'].map((name) => `export * from './${name}.ts';`);
  const outfile = join(root, 'dist', POSTGRES_FILE);
  const { metafile } = await build({
    ...options,
    stdin: { contents: entries.join('\n'), resolveDir: POSTGRES },
    outfile,
    plugins: [sharing, partsOfClient, ...options.plugins],
    define: THIS_IS_NODE,
    metafile: true,
  });
  writeFileSync(`${outfile}.LEGAL.txt`, licencesOf(metafile));
  const files = [...shared].map(([file, names], index) => ({ file, names: [...names], as: `shared${index}` }));
  const imports = files.map(
    ({ file, names, as }) => `import { ${names.map((one) => `${one} as ${as}${one}`)} } from './${file}';`,
  );
  const objects = files.map(({ file, names, as }) => `'${file}': { ${names.map((one) => `${one}: ${as}${one}`)} }`);
  return `${imports.join('\n')}
    export { run } from './src/cli/main.ts';
    export const shared = { ${objects} };`;
}

/** The licences of the packages in a bundle, which are not installed with pawl. */
function licencesOf({ inputs }) {
  const packages = Object.keys(inputs).map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  return [...new Set(packages)]
    .filter((name) => name !== undefined)
    .map((name) => {
      const folder = join(modules, name);
      const file = readdirSync(folder).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
      const { license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const text =
        file === undefined ? `${license}, ${author?.name ?? author}` : readFileSync(join(folder, file), 'utf8');
      return `${name}\n\n${text.trim()}\n`;
    })
    .join('\n----\n\n');
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
