// Bundles the benchmark and runs it: npm run bench
import { build } from 'esbuild';

await build({
  entryPoints: ['bench/bench.ts', 'bench/argon2id.ts'],
  outdir: 'dist/bench',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2'],
});
await import('../dist/bench/bench.cjs');
