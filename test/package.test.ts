import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: true;
  readonly hasInstallScript?: true;
}

const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const {
  dependencies: needed,
  optionalDependencies,
}: Record<string, Record<string, string>> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const dependencies = { ...needed, ...optionalDependencies };
const installed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);

describe('what is installed with pawl', () => {
  it('may be used and passed on by anybody', () => {
    const free = /^(?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause|Unlicense)$/;
    const others = installed.filter(
      ([, { license = '' }]) => !license.split(/[() ]+(?:OR)?[() ]*/).some((one) => free.test(one)),
    );
    expect(others).toEqual([]);
  });

  it('runs no script under Node 22 and later; version 12 of the database, for Node 20, has one', () => {
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
    expect(lock.packages['node_modules/database-for-node-20']?.hasInstallScript).toBe(true);
  });

  it('is all of one exact version, but the database: version 12 for Node 20, version 13 for newer ones', () => {
    const { 'better-sqlite3-multiple-ciphers': database = '', ...others } = dependencies;
    expect(database).toBe('12.11.1 || 13.0.3');
    expect(Object.values(others).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    const locked = (name: string) => lock.packages[`node_modules/${name}`];
    expect(locked('better-sqlite3-multiple-ciphers')).toMatchObject({ version: '13.0.3' });
    expect(locked('database-for-node-20')).toMatchObject({ version: '12.11.1', dev: true });
    expect(Object.values(lock.packages).filter(({ integrity }, index) => index > 0 && integrity === undefined)).toEqual(
      [],
    );
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

  it('leads from its documents to nothing that is not in it', () => {
    for (const document of paths.filter((path) => path.endsWith('.md'))) {
      const text = readFileSync(join(ROOT, document), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) =>
        join(dirname(document), path),
      );
      const isThere = (link: string) => paths.some((path) => path === link || path.startsWith(`${link}/`));
      expect([document, links.filter((link) => !isThere(link))]).toEqual([document, []]);
    }
  });

  it('has the licences of what is bundled and not installed with it', () => {
    const ofPackage = (source: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [];
    const isInstalled = (name: string) => installed.some(([path]) => path === `node_modules/${name}`);
    const lacking = paths
      .filter((path) => path.endsWith('.cjs.map'))
      .flatMap((path) => {
        const { sources }: { sources: string[] } = JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
        const others = [...new Set(sources.flatMap(ofPackage))].filter((name) => !isInstalled(name));
        const legal = path.replace(/map$/, 'LEGAL.txt');
        const licences = others.length > 0 && paths.includes(legal) ? readFileSync(join(ROOT, legal), 'utf8') : '';
        return others.filter((name) => !licences.includes(`${name}\n\n`));
      });
    expect(lacking).toEqual([]);
  });

  it('is small', () => {
    expect(size).toBeLessThan(700_000);
  });
});
