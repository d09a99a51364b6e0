import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '..', 'src');

/** Whom each room may know: `values` may be imported, of `types` only the types. */
const WALLS: Readonly<
  Record<string, { values: readonly string[]; types?: readonly string[]; node?: boolean; packages?: readonly string[] }>
> = {
  errors: { values: [] },
  files: { values: ['errors'], node: true },
  primitives: {
    values: ['errors'],
    node: true,
    packages: ['@noble/ciphers', '@noble/curves', '@noble/hashes', '@noble/post-quantum'],
  },
  ratchet: { values: ['errors', 'primitives'] },
  handshake: { values: ['errors', 'primitives'] },
  envelope: { values: ['errors', 'primitives'], types: ['ratchet', 'handshake'], node: true },
  parts: { values: ['errors', 'primitives', 'envelope'] },
  places: { values: ['errors', 'primitives', 'files', 'envelope'], node: true, packages: ['@nats-io/transport-node'] },
  session: { values: ['errors', 'primitives', 'ratchet', 'handshake', 'envelope', 'parts'], types: ['places'] },
  storage: {
    values: ['errors', 'primitives', 'files'],
    types: ['ratchet', 'handshake', 'parts', 'places', 'session'],
    node: true,
    packages: ['better-sqlite3-multiple-ciphers', '@node-rs/argon2', 'pg'],
  },
  cli: {
    values: ['errors', 'primitives', 'files', 'envelope', 'places', 'session', 'storage'],
    node: true,
    packages: ['commander', 'inquirer', 'qr', '@scure/bip39'],
  },
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typesOnly: boolean;
}

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const statements =
    /^(?:import|export)\s+(?:(type)\s+)?([^'";]*?)\s*from\s+'([^']+)'|\bimport\((?:'([^']+)')\)|^import\s+'([^']+)'/gm;
  return [...text.matchAll(statements)].map(([, type, clause = '', from, lazy, bare]) => {
    const names = /^\{(.*)\}$/s
      .exec(clause)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const typesOnly = type !== undefined || (names?.every((name) => name.startsWith('type ')) ?? false);
    return { file, target: from ?? lazy ?? bare ?? '', typesOnly };
  });
}

/** The room of a file, or that a relative import leads to: its first folder, or `errors`. */
function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '');
}

function inside({ file, target }: Import): string | undefined {
  return target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(file), target)) : undefined;
}

describe('the walls of the house', () => {
  it('stand around every file', () => {
    expect(files.length).toBeGreaterThan(50);
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(WALLS).sort());
  });

  it.each(Object.entries(WALLS))(
    '%s knows whom it may know',
    (room, { values, types = [], node = false, packages = [] }) => {
      const strangers = imports
        .filter(({ file }) => roomOf(file) === room)
        .filter((one) => {
          const path = inside(one);
          if (path === undefined) {
            if (one.target.startsWith('node:')) return !node;
            return !packages.some((name) => one.target === name || one.target.startsWith(`${name}/`));
          }
          if (path.startsWith('..')) return path !== '../package.json';
          const other = roomOf(path);
          return other !== room && !values.includes(other) && !(one.typesOnly && types.includes(other));
        });
      expect(strangers).toEqual([]);
    },
  );

  it('have one door each: a room is entered by its index, or by the interface that it asks others to keep', () => {
    const throughWalls = imports.filter((one) => {
      const path = inside(one);
      if (path === undefined || path.startsWith('..') || roomOf(path) === roomOf(one.file) || path === 'errors.ts')
        return false;
      return !/^[a-z]+\/index\.ts$/.test(path) && !(path === 'session/store.ts' && one.typesOnly);
    });
    expect(throughWalls).toEqual([]);
  });

  it('let one folder of the command line know of storage', () => {
    const knowing = imports.filter((one) => one.file.startsWith('cli/') && roomOf(inside(one) ?? '') === 'storage');
    expect(knowing.map(({ file }) => file).sort()).toEqual(
      ['agent', 'database-home', 'folder-home', 'home', 'make', 'move', 'open', 'unlock'].map(
        (name) => `cli/identity/${name}.ts`,
      ),
    );
  });

  it('let one file touch the process', () => {
    const touching = files.filter((file) =>
      /(?<![.\w])process\.(?:env|argv|std|exit|pid|on|kill|getuid|cwd)/.test(readFileSync(join(SOURCE, file), 'utf8')),
    );
    expect(touching).toEqual(['cli/terminal/io.ts']);
  });
});
