// Bundles the fuzzer and runs it: npm run fuzz -- --inputs N --seed S --large
import { build } from 'esbuild';
import { COMMON_JS } from '../scripts/esbuild-options.mjs';

await build({
  entryPoints: ['fuzz/main.ts', 'fuzz/child.ts'],
  outdir: 'dist/fuzz',
  outExtension: { '.js': '.cjs' },
  ...COMMON_JS,
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'inquirer'],
});
await import('../dist/fuzz/main.cjs');
