import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PawlError } from '../../../../src/errors.ts';
import { acquaint, CollectedOutput, type Person } from '../../fake-io.ts';

let alice: Person;
let bob: Person;
/** Bob's. */
let folder: string;

beforeEach(async () => {
  ({ alice, bob } = await acquaint());
  folder = join(bob.folder, 'got');
  mkdirSync(folder);
});

async function sendFile(name: string, content: string | Uint8Array): Promise<Uint8Array> {
  const path = join(alice.folder, name);
  writeFileSync(path, content);
  return (await alice.pawl(['send', 'bob', path])).bytes;
}

const recv = (input: Uint8Array | undefined, ...options: readonly string[]) =>
  bob.run(['recv', '--out-dir', folder, ...options], input);

const got = () =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

/** Nothing is left to deliver. */
async function expectNothingWaits(): Promise<void> {
  expect((await recv(undefined)).exit).toBe(66);
}

describe('recv --out-dir', () => {
  it('says where a file is, unless it is to be quiet', async () => {
    const photo = await sendFile('photo.jpg', Buffer.alloc(1_234_567));
    expect(await recv(photo)).toMatchObject({
      exit: 0,
      text: '',
      errors: `pawl: wrote ${join(folder, 'photo.jpg')} (1.2 MB) from alice\n`,
    });
    expect(await recv(await sendFile('list', 'milk'), '-q')).toMatchObject({ exit: 0, text: '', errors: '' });
    await expectNothingWaits();
  });

  it('takes a file that was put there and not noted for delivered', async () => {
    class Closed extends CollectedOutput {
      override async write(): Promise<void> {
        throw new PawlError('closed-pipe', {});
      }
    }
    const envelope = await sendFile('list', 'milk');
    const parameters = ['recv', '--out-dir', folder, '--json'];
    expect((await bob.run(parameters, envelope, { output: new Closed() })).exit).toBe(74);
    expect(got()).toEqual({ list: 'milk' });
    // As after a kill: it is in its place, and in the inbox.
    const [document] = await bob.documents<object>(parameters);
    expect(document).toMatchObject({ type: 'message', again: true, file: 'list', path: join(folder, 'list') });
    expect(document).not.toHaveProperty('text');
    expect(got()).toEqual({ list: 'milk' });
    await expectNothingWaits();
  });

  it('does not take one that was changed meanwhile for delivered', async () => {
    writeFileSync(join(folder, 'list'), 'mine');
    const { exit, errors } = await recv(await sendFile('list', 'milk'));
    expect([exit, errors.split('\n')[0]]).toEqual([
      73,
      `error: the file list from alice waits: ${join(folder, 'list')} exists already`,
    ]);
    expect((await recv(undefined)).exit).toBe(73);
    expect(got()).toEqual({ list: 'mine' });
    expect((await recv(undefined, '--force')).exit).toBe(0);
    expect(got()).toEqual({ list: 'milk' });
    await expectNothingWaits();
  });

  it('gives texts to standard output, with --lines a line each, and files as they are', async () => {
    const input = [await alice.send('bob', 'one'), await sendFile('list', 'milk'), await alice.send('bob', 'two')];
    expect((await recv(Buffer.concat(input), '--lines')).text).toBe('one\ntwo\n');
    expect(got()).toEqual({ list: 'milk' });
  });

  it('leaves alone what --from and --max-gap leave alone', async () => {
    const first = await sendFile('first', '1');
    const lost = [await alice.send('bob', 'lost'), await alice.send('bob', 'lost as well')];
    const last = await sendFile('last', '2');
    expect((await recv(first, '--from', 'zoe')).exit).toBe(0);
    expect((await recv(last, '--max-gap', '2')).exit).toBe(65);
    expect(got()).toEqual({});
    expect((await recv(Buffer.concat([last, first]), '--from', 'alice', '--max-gap', '3')).exit).toBe(0);
    expect(got()).toEqual({ first: '1', last: '2' });
    expect((await recv(lost[0])).text).toBe('lost');
  });

  it('accepts nothing where there is no such folder', async () => {
    const envelope = await sendFile('list', 'milk');
    expect(await bob.refusal(['recv', '--out-dir', join(folder, 'none')], envelope)).toBe('no-folder 73');
    expect(await bob.recv(envelope)).toBe('milk');
    expect(readdirSync(folder)).toEqual([]);
  });
});
