// Bundles the fuzzer and runs it: npm run fuzz -- --inputs N --seed S --large
import { build } from 'esbuild';

await build({
  entryPoints: ['fuzz/main.ts', 'fuzz/child.ts'],
  outdir: 'dist/fuzz',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'inquirer'],
});
await import('../dist/fuzz/main.cjs');
