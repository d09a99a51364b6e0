// Builds the program (docs/measurements.md, "The start of a command"), then the manual pages.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { COMMON_JS } from './esbuild-options.mjs';
import { manPages } from './man-pages.mjs';
import { bundleDatabases, bundlePostgres, lazyModules, noUnusedParts, separatePostgres } from './plugins.mjs';

for (const file of existsSync('dist') ? readdirSync('dist') : []) {
  if (/\.cjs/.test(file)) rmSync(`dist/${file}`);
}
await bundleDatabases();
const options = {
  ...COMMON_JS,
  minify: true,
  charset: 'ascii',
  sourcemap: 'linked',
  // Stack traces need names and positions, not the source text.
  sourcesContent: false,
  legalComments: 'external',
  external: ['@nats-io/transport-node', '@node-rs/argon2', 'inquirer', 'qr'],
};
const contents = await bundlePostgres({ ...options, plugins: [lazyModules] });
await build({
  ...options,
  stdin: { contents, resolveDir: '.' },
  outfile: 'dist/pawl.cjs',
  plugins: [lazyModules, noUnusedParts, separatePostgres],
});
await manPages();
