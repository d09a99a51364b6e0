// Builds the program and its code cache (docs/measurements.md, "The start of a command"), then the manual pages.
import { build } from 'esbuild';
import { keepCode } from './keep-code.mjs';
import { manPages } from './man-pages.mjs';
import { lazyModules, noUnusedParts } from './plugins.mjs';

await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/pawl.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  // A function expression, as Node wraps CommonJS modules: bin/pawl.js calls it.
  banner: { js: '(function (exports, require, module) {' },
  footer: { js: '})' },
  // import() becomes require(): it does not work in code from a code cache.
  supported: { 'dynamic-import': false },
  minify: true,
  charset: 'ascii',
  sourcemap: 'linked',
  // Stack traces need names and positions, not the source text.
  sourcesContent: false,
  legalComments: 'external',
  plugins: [lazyModules, noUnusedParts],
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'inquirer', 'qr'],
});
keepCode();
await manPages();
