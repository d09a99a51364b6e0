// Bundles the crash harness and runs it: npm run torture
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { COMMON_JS } from '../scripts/esbuild-options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const outfile = join(here, '..', 'dist', 'torture', 'torture.cjs');
await build({
  entryPoints: [join(here, 'torture.ts')],
  outfile,
  ...COMMON_JS,
  define: { 'import.meta.dirname': JSON.stringify(here) },
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'inquirer', 'pg'],
});
await import(outfile);
