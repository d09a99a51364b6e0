// Bundles the runner of ProVerif's models and starts it: npm run prove -- --quick
import { build } from 'esbuild';
import { COMMON_JS } from './esbuild-options.mjs';

await build({
  entryPoints: ['test/proverif/prove.ts'],
  outfile: 'dist/prove.mjs',
  ...COMMON_JS,
  format: 'esm',
  packages: 'external',
});
const { main } = await import('../dist/prove.mjs');
process.exitCode = main(process.argv.slice(2));
