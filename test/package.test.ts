import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Locked {
  readonly license?: string;
  readonly dev?: true;
  readonly hasInstallScript?: true;
}

const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const installed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);

describe('what is installed with pawl', () => {
  it('may be used and passed on by anybody', () => {
    const free = /^(?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause)$/;
    const others = installed.filter(
      ([, { license = '' }]) => !license.split(/[() ]+(?:OR)?[() ]*/).some((one) => free.test(one)),
    );
    expect(others).toEqual([]);
  });

  it('runs one script of its own: the one that compiles the database', () => {
    const scripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    expect(scripts).toEqual(['node_modules/better-sqlite3-multiple-ciphers']);
  });
});

describe('the package', () => {
  // Without its scripts, which would build the program anew under the feet of other tests.
  const options = ['--dry-run', '--json', '--ignore-scripts', '--offline', '--no-update-notifier'];
  const output = execFileSync('npm', ['pack', ...options], { cwd: ROOT, stdio: 'pipe' });
  const [{ files, size }]: [{ files: { path: string }[]; size: number }] = JSON.parse(output.toString());
  const paths = files.map(({ path }) => path);

  it('holds the program, its manual and its documents, and nothing else', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        'README.md',
        'bin/pawl.js',
        'dist/pawl.cjs',
        'dist/pawl.cjs.map',
        'docs/PROTOCOL.md',
        'man/pawl.1',
      ]),
    );
    const others = paths.filter(
      (path) => !/^(?:bin\/|dist\/[\w-]+\.cjs|docs\/|man\/|package\.json$|[A-Z]+(?:\.md)?$)/.test(path),
    );
    expect(others).toEqual([]);
  });

  it('is small', () => {
    expect(size).toBeLessThan(700_000);
  });
});
