// Bundles the program into one CommonJS file: a command starts in the time that loading many small files would take.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/cli/index.ts'],
  outfile: 'dist/pawl.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  sourcemap: 'linked',
  legalComments: 'external',
  // These carry native code, or are loaded only when a question is asked or a QR code is drawn.
  external: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'inquirer', 'qr'],
});
