import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Person, temporaryFolder } from '../fake-io.ts';
import { inHome } from '../shell.ts';

const isRoot = process.getuid?.() === 0;

/** Alice, and what makes another identity, or a new lock, with a key file. */
async function alice() {
  const person = await Person.named('alice');
  const home = temporaryFolder();
  return {
    person,
    file: join(person.folder, 'alice.db'),
    /** Commands that take a key file for a new lock. */
    takes: (key: string) => [
      ['--home', home, '--key-file', key, 'init', 'zoe'],
      ['passwd', '--new-key-file', key],
    ],
    home,
  };
}

function keyIn(folder: string, mode = 0o600): string {
  const path = join(folder, 'a-key');
  writeFileSync(path, randomBytes(32));
  chmodSync(path, mode);
  return path;
}

describe('a key file for a new lock', () => {
  it('is made where it is not there: 32 random bytes for its owner', async () => {
    const { person, takes } = await alice();
    const keys: string[] = [];
    for (const [index, command] of takes('').entries()) {
      const path = join(temporaryFolder(), `${index}`);
      const { errors } = await person.pawl(command.map((word) => word || path));
      expect(errors).not.toContain('uses the key file');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      keys.push(readFileSync(path).toString('hex'));
    }
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/);
  });

  it('may be there already, which is told, and stays as it is', async () => {
    const { person, takes } = await alice();
    const path = keyIn(temporaryFolder());
    const before = readFileSync(path);
    for (const command of takes(path)) {
      expect((await person.pawl(command)).errors).toContain(`pawl: uses the key file that is there: ${path}\n`);
    }
    expect(readFileSync(path)).toEqual(before);
    expect((await person.pawl(['--key-file', path, 'inspect'])).text).toContain('alice');
  });

  const REFUSED: readonly (readonly [string, string, (folder: string) => string])[] = [
    ['others can read it', 'exposed-key 77', (folder) => keyIn(folder, 0o604)],
    ['others can write to it', 'exposed-key 77', (folder) => keyIn(folder, 0o602)],
    ['its group can write to it', 'exposed-key 77', (folder) => keyIn(folder, 0o620)],
    [
      'others can write to its folder',
      'untrusted-key 77',
      (folder) => {
        chmodSync(folder, 0o707);
        return keyIn(folder);
      },
    ],
    [
      'others can write to the folder that a link leads to',
      'untrusted-key 77',
      (folder) => {
        const open = join(folder, 'open');
        mkdirSync(open);
        chmodSync(open, 0o770);
        symlinkSync(keyIn(open), join(folder, 'link'));
        return join(folder, 'link');
      },
    ],
    [
      'others can write to the folder of a link to it',
      'untrusted-key 77',
      (folder) => {
        const open = join(folder, 'open');
        mkdirSync(open);
        chmodSync(open, 0o777);
        symlinkSync(keyIn(folder), join(open, 'link'));
        return join(open, 'link');
      },
    ],
    [
      'it is too short',
      'bad-key-file 77',
      (folder) => {
        writeFileSync(join(folder, 'short'), 'short', { mode: 0o600 });
        return join(folder, 'short');
      },
    ],
    ...(isRoot
      ? ([
          [
            'it belongs to somebody else',
            'untrusted-key 77',
            (folder: string) => {
              const path = keyIn(folder);
              chownSync(path, 65_534, 65_534);
              return path;
            },
          ],
          [
            'it is a pipe of somebody else, which nobody writes to',
            'untrusted-key 77',
            (folder: string) => {
              const path = join(folder, 'pipe');
              execFileSync('mkfifo', [path]);
              chownSync(path, 65_534, 65_534);
              return path;
            },
          ],
        ] as const)
      : []),
  ];

  it.each(REFUSED)('is refused where %s', async (_, expected, make) => {
    const { person, file, home, takes } = await alice();
    const before = readFileSync(file);
    const path = make(temporaryFolder());
    for (const command of takes(path)) expect(await person.refusal(command), command.join(' ')).toBe(expected);
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(home)).toEqual([]);
  });

  it('may be in a folder with a sticky bit, where nobody else can replace it', async () => {
    const { person, takes } = await alice();
    const folder = temporaryFolder();
    chmodSync(folder, 0o1777);
    for (const command of takes(keyIn(folder))) await person.pawl(command);
  });

  it('may be an open pipe', () =>
    inHome(async (home) => {
      const { stderr } = await home.prepare('pawl init alice --key-file <(cat .key); pawl inspect');
      expect(stderr).toContain('uses the key file that is there: /dev/fd/');
      await home.prepare('pawl passwd --new-key-file <(head -c 32 /dev/zero)');
    }));
});

describe('an init that fails', () => {
  it.each([
    ['the home cannot be made', (home: string) => writeFileSync(home, ''), 'cannot-create 73'],
    [
      'a journal is in the way',
      (home: string) => {
        mkdirSync(home);
        writeFileSync(join(home, 'zoe.db-journal'), '');
      },
      'exists 73',
    ],
    [
      'a link is in the way',
      (home: string) => {
        mkdirSync(home);
        symlinkSync('nowhere', join(home, 'zoe.db'));
      },
      'exists 73',
    ],
  ])('leaves no key file behind: %s', async (_, spoil, expected) => {
    const { person } = await alice();
    const folder = temporaryFolder();
    const [home, key] = [join(folder, 'home'), join(folder, 'key')];
    spoil(home);
    expect(await person.refusal(['--home', home, '--key-file', key, 'init', 'zoe'])).toBe(expected);
    expect(readdirSync(folder)).toEqual(['home']);
  });

  it('leaves the key file that was there', async () => {
    const { person } = await alice();
    const folder = temporaryFolder();
    const key = keyIn(folder);
    symlinkSync('nowhere', join(folder, 'zoe.db'));
    expect(await person.refusal(['--home', folder, '--key-file', key, 'init', 'zoe'])).toBe('exists 73');
    expect(existsSync(key)).toBe(true);
  });

  it('leaves no identity where the key file cannot be made', async () => {
    const { person, home } = await alice();
    const key = join(temporaryFolder(), 'no', 'such', 'folder');
    const { errors } = await person.run(['--home', home, '--key-file', key, 'init', 'zoe']);
    expect(errors).toContain(`error: ${key} cannot be made: no such file or directory\n`);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('passwd to what the file has already', () => {
  it('is refused for a key, whatever its file is called', async () => {
    const { person, file } = await alice();
    const before = readFileSync(file);
    const copy = join(temporaryFolder(), 'copy');
    writeFileSync(copy, readFileSync(join(person.folder, 'key')), { mode: 0o600 });
    for (const key of [join(person.folder, 'key'), copy]) {
      expect(await person.refusal(['passwd', '--new-key-file', key])).toBe('same-key 77');
    }
    expect(readFileSync(file)).toEqual(before);
  });

  it('is refused for a passphrase', async () => {
    const { person, file } = await alice();
    const [words, others] = [join(person.folder, 'words'), join(person.folder, 'others')];
    writeFileSync(words, 'correct horse\n', { mode: 0o600 });
    writeFileSync(others, 'battery staple', { mode: 0o600 });
    const io = { environment: { PAWL_PASSPHRASE: 'correct horse' } };
    await person.pawl(['passwd', '--new-passphrase-file', words]);
    const before = readFileSync(file);
    const passwd = ['--home', person.folder, 'passwd', '--passphrase-file', words, '--new-passphrase-file'];
    const { exit, errors } = await person.run(['passwd', '--new-passphrase-file', words], undefined, {
      ...io,
      arguments: [...passwd, words],
    });
    expect([exit, errors]).toEqual([
      77,
      `error: ${file} has this passphrase already\nhint: nothing was changed; give another passphrase\n`,
    ]);
    expect(readFileSync(file)).toEqual(before);
    expect((await person.run([], undefined, { ...io, arguments: [...passwd, others] })).exit).toBe(0);
  });
});

/** Whether this user may mount in a namespace of its own. */
const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0;

describe.skipIf(!canMount)('a secret on a read-only mount', () => {
  /** Runs a line of shell where `secrets` is a mount, with files of these modes and the owner that runs it. */
  const withMount = async (command: string, { options = 'remount,bind,ro' } = {}) => {
    let result = { exit: -1, stderr: '' };
    await inHome(async (home) => {
      await home.prepare('mkdir secrets');
      const script = `set -e; mount -t tmpfs none secrets; cp .key secrets/key; echo 'correct horse' > secrets/words
        chmod 444 secrets/key; chmod 440 secrets/words; cp -p secrets/key secrets/open; chmod 466 secrets/open
        chmod 777 secrets; mount -o ${options} secrets; ${command}`;
      const environment = { SCRIPT: script };
      result = await home.run('unset PAWL_KEY_FILE; unshare -rm bash -c "$SCRIPT"', { environment });
    });
    return result;
  };

  it('may be readable by others, who have no more to say about it than its owner', async () => {
    const { exit, stderr } = await withMount(`pawl init alice --key-file secrets/key
      pawl inspect --key-file secrets/key; pawl passwd --key-file secrets/key --new-passphrase-file secrets/words
      pawl inspect --passphrase-file secrets/words; ln -s secrets/key link; pawl init zoe --key-file link
      echo done >&2`);
    expect([exit, stderr.replaceAll(/^pawl: .*\n/gm, '')]).toEqual([0, 'done\n']);
  });

  it('is not to be changed by others, were it elsewhere', async () => {
    const { exit, stderr } = await withMount('pawl init alice --key-file secrets/open');
    expect(exit).toBe(77);
    expect(stderr).toMatch(/can be read and changed by others .*\nhint: chmod 600 .*<\(cat secrets\/open\)/);
  });

  it('is like any other where it can be written to', async () => {
    const { exit, stderr } = await withMount('pawl init alice --key-file secrets/key', { options: 'remount,rw' });
    expect([exit, stderr]).toEqual([77, expect.stringContaining('(mode 0444)')]);
  });

  it('is not safe behind a link that others can replace', async () => {
    const command = 'mkdir -m 777 open; ln -s ../secrets/key open/link; pawl init alice --key-file open/link';
    const { exit, stderr } = await withMount(command);
    expect([exit, stderr]).toEqual([77, expect.stringContaining('others can write to its folder')]);
  });

  it.skipIf(!isRoot)('may belong to root, which mounts', async () => {
    const asNobody = 'setpriv --reuid 65534 --clear-groups env PAWL_MARKS=none';
    await inHome(async (home) => {
      const result = await home.run(`
        unset PAWL_KEY_FILE; chmod 755 .; mkdir secrets; mkdir -m 700 of-nobody; chown 65534 of-nobody
        unshare -m bash -c 'set -e; mount -t tmpfs none secrets; cp .key secrets/key; chmod 444 secrets/key
          cp -p secrets/key secrets/other; chown 12345 secrets/other
          ${asNobody} pawl --home of-nobody init zoe --key-file secrets/key && exit 1
          mount -o remount,bind,ro secrets
          ${asNobody} pawl --home of-nobody init zoe --key-file secrets/other 2> /dev/null && exit 1
          ${asNobody} pawl --home of-nobody init zoe --key-file secrets/key
          ${asNobody} pawl --home of-nobody inspect --key-file secrets/key'`);
      expect(result.stderr).toMatch(
        /^error: .* is no key for a new lock: it belongs to somebody else\nhint: .*<\(cat /,
      );
      expect([result.exit, result.stdout.toString()]).toEqual([0, expect.stringContaining('identity     zoe')]);
    });
  });
});
