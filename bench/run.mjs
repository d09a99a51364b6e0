// Bundles the benchmark and runs it: npm run bench
import { build } from 'esbuild';
import { COMMON_JS } from '../scripts/esbuild-options.mjs';

await build({
  entryPoints: ['bench/bench.ts', 'bench/argon2id.ts'],
  outdir: 'dist/bench',
  outExtension: { '.js': '.cjs' },
  ...COMMON_JS,
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2'],
});
await import('../dist/bench/bench.cjs');
