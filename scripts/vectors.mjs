// Computes test/vectors/pawl-1.json again: npm run vectors
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { COMMON_JS } from './esbuild-options.mjs';

await build({
  entryPoints: ['test/known-answers/making/index.ts'],
  outfile: 'dist/vectors.mjs',
  ...COMMON_JS,
  format: 'esm',
  packages: 'external',
});
const { printed, vectors } = await import('../dist/vectors.mjs');
writeFileSync('test/vectors/pawl-1.json', printed(await vectors()));
