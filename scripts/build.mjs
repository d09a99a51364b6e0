// Builds the program and its code cache (docs/measurements.md, "The start of a command"), then the manual pages.
import { build } from 'esbuild';
import { keepCode } from './keep-code.mjs';
import { manPages } from './man-pages.mjs';
import { databaseByName, lazyModules, noUnusedParts } from './plugins.mjs';

await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/pawl.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  // A function, as Node makes of every CommonJS module: bin/pawl.js calls it.
  banner: { js: '(function (exports, require, module) {' },
  footer: { js: '})' },
  // As require: code that was kept has lost what import() asks for.
  supported: { 'dynamic-import': false },
  minify: true,
  charset: 'ascii',
  sourcemap: 'linked',
  // Traces need names and places only.
  sourcesContent: false,
  legalComments: 'external',
  plugins: [databaseByName, lazyModules, noUnusedParts],
  external: ['@node-rs/argon2', 'inquirer', 'qr'],
});
keepCode();
await manPages();
