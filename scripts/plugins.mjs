/**
 * esbuild plugins that make the program start faster: modules are loaded when they are first used, and unused parts of
 * packages are left out.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/**
 * Replaces unused parts of packages that load slowly by empty modules: commander's executable subcommands, and the
 * parts of the database's JavaScript that do not run statements.
 */
export const noUnusedParts = {
  name: 'no-unused-parts',
  setup({ onResolve, onLoad }) {
    const without = (part, of) =>
      onResolve({ filter: part }, ({ path, importer }) =>
        importer.includes(of) ? { path, namespace: 'nothing' } : undefined,
      );
    without(/^node:child_process$/, '/commander/');
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: '' }));
  },
};

const LAZY = /^(better-sqlite3-multiple-ciphers|@(noble|scure)\/.*|node:(child_process|crypto|module|os|timers\/promises|tty|v8))$/;
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
      return {
        contents: `let loaded; const load = () => (loaded ??= require('${path}')); module.exports = { __esModule: true, ${getters} };`,
        pluginData: names,
      };
    });
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
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    charset: 'ascii',
    legalComments: 'inline',
    sourcesContent: false,
    ...options,
  });
}

/** The names that a file imports from a module. */
function namesImported(importer, path) {
  const text = readFileSync(importer, 'utf8');
  if (new RegExp(`import (type )?\\w+ from '${path}'`).test(text)) return ['default'];
  const found = new RegExp(`import \\{([^}]*)\\} from '${path}'`).exec(text);
  if (found === null) throw new Error(`${importer}: of ${path} only names can be imported`);
  const names = found[1].split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && !name.startsWith('type ')).map((name) => name.split(' as ')[0]);
}
