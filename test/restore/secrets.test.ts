import { chmodSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { meeting } from './world.ts';

describe('pawl passwd', () => {
  it('changes from a key file to another, to a passphrase and back; the old ones are refused', () => {
    const world = meeting();
    copyFileSync(world.file('alice'), world.at('older.db'));
    const { text, errors } = world.ok('alice', 'passwd --new-key-file second.key');
    expect(text).toBe(`${world.file('alice')}\n`);
    expect(errors).toMatch(/older copies of the file still open with the old passphrase or key/);
    expect(statSync(world.at('second.key')).size).toBe(32);
    expect(statSync(world.at('second.key')).mode & 0o777).toBe(0o600);

    const refused = world.run('alice', 'inspect');
    expect(refused.exit).toBe(77);
    expect(refused.errors).toMatch(/^error: wrong passphrase or key for .*alice\.db/);
    world.ok('alice', 'inspect', { key: 'second.key' });

    writeFileSync(world.at('words'), 'correct horse\n', { mode: 0o600 });
    writeFileSync(world.at('others'), 'battery staple\n', { mode: 0o600 });
    world.ok('alice', 'passwd --new-passphrase-file words', { key: 'second.key' });
    expect(world.run('alice', 'inspect', { key: 'second.key' }).exit).toBe(77);
    const words = { key: '', env: { PAWL_PASSPHRASE_FILE: world.at('words') } };
    const envelope = world.said('alice', 'bob', 'one', words);
    expect(world.heard('bob', envelope)).toBe('one');

    world.ok('alice', 'passwd --new-passphrase-file others', words);
    expect(world.run('alice', 'inspect', words).exit).toBe(77);
    const others = { key: '', env: { PAWL_PASSPHRASE_FILE: world.at('others') } };
    world.ok('alice', 'passwd --new-key-file key', others);
    expect(world.run('alice', 'inspect', others).exit).toBe(77);
    expect(world.ok('alice', 'inspect --check').text).toMatch(/: ok\n$/);
    expect(world.heard('bob', world.said('alice', 'bob', 'two'))).toBe('two');

    // The older copy opens with the key of its time, and is known to be older.
    copyFileSync(world.at('older.db'), world.file('alice'));
    expect(world.run('alice', 'send bob -m three').exit).toBe(76);
  });

  it('refuses a wrong secret, a bad or readable new one, and changes nothing then', () => {
    const world = meeting();
    const before = readFileSync(world.file('alice'));
    writeFileSync(world.at('wrong'), 'not it', { mode: 0o600 });
    const wrong = { key: '', env: { PAWL_PASSPHRASE_FILE: world.at('wrong') } };
    expect(world.run('alice', 'passwd --new-key-file new.key', wrong).exit).toBe(77);
    writeFileSync(world.at('short.key'), 'too short', { mode: 0o600 });
    writeFileSync(world.at('open.key'), Buffer.alloc(32, 7));
    // Whatever the umask.
    chmodSync(world.at('open.key'), 0o644);
    writeFileSync(world.at('empty'), '\n', { mode: 0o600 });
    expect(world.run('alice', 'passwd --new-key-file short.key').exit).toBe(77);
    expect(world.run('alice', 'passwd --new-key-file open.key').errors).toMatch(/can be read by others/);
    expect(world.run('alice', 'passwd --new-passphrase-file empty').exit).toBe(77);
    expect(world.run('alice', 'passwd --new-passphrase-file missing').exit).toBe(66);
    expect(world.run('alice', 'passwd').exit).toBe(77);
    expect(readFileSync(world.file('alice')).equals(before)).toBe(true);
  });
});
