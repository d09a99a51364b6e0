// Bundles the crash harness and runs it: npm run torture
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const outfile = join(here, '..', 'dist', 'torture', 'torture.cjs');
await build({
  entryPoints: [join(here, 'torture.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  define: { 'import.meta.dirname': JSON.stringify(here) },
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'inquirer'],
});
await import(outfile);
