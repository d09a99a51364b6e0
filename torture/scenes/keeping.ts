/** Scenes of the commands that change what is stored: init, invite, add, passwd, backup, restore. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Box } from '../box.ts';
import { countOf, type Laws } from '../laws.ts';
import { replacing, type Scene } from '../scene.ts';
import type { Ran } from '../start.ts';
import { LARGER_THAN_THE_CACHE, talking, twoIdentities, undelivered, writeKey } from './people.ts';

/** Whether the command did its work, and only its output failed. */
export function untold({ code, stderr }: Ran): boolean {
  return code === 74 && (stderr === '' || /standard (output|error)/.test(stderr));
}

/** A command that ended well has made its file; one that failed has not, unless only its output failed. */
function holdMade(laws: Laws, ran: Ran, made: boolean, what: string): void {
  if (ran.code === 0) laws.hold(made, `done, but there is no ${what}`);
  else if (ran.code !== undefined) laws.hold(!made || untold(ran), `failed, but there is a new ${what}`);
}

/** Either there is no identity, and `init` can be repeated, or there is an intact one. */
function init(name: string, prepare: (box: Box) => Promise<void>): Scene {
  return {
    name,
    prepare,
    call: () => ({ who: 'alice', parameters: ['init', 'alice'] }),
    async check(box, ran, laws) {
      const made = existsSync(box.path('home', 'alice.db'));
      holdMade(laws, ran, made, 'identity file');
      if (!made) await laws.works(box, 'alice', ['init', 'alice']);
      await laws.whole(box, 'alice');
      if (laws.broken.length > 0) return;
      await box.ready('bob', ['init', 'bob']);
      await box.ready('bob', ['add', 'alice'], await box.ready('alice', ['invite', 'bob']));
      await laws.talk(box, 'bob', 'alice');
    },
  };
}

const invite: Scene = {
  name: 'invite',
  prepare: twoIdentities,
  call: () => ({ who: 'bob', parameters: ['invite', 'alice'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    await useInvite(box, ran.code === 0, ran.stdout, laws);
  },
};

const inviteToFile: Scene = {
  ...invite,
  name: 'invite -o FILE',
  call: () => ({ who: 'bob', parameters: ['invite', 'alice', '-o', 'out.pawl'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const file = box.read('out.pawl');
    laws.hold(file === undefined || /END/.test(file.toString()), 'the file is half an invite');
    await useInvite(box, ran.code === 0, file ?? Buffer.alloc(0), laws);
  },
};

/** A complete invite can be used, however the command ended. Without one, another can be made. */
async function useInvite(box: Box, done: boolean, out: Buffer, laws: Laws): Promise<void> {
  const added = await box.run('alice', ['add', 'bob'], out);
  laws.hold(added.code === 0 || !done, `done, but the invite is refused: ${added.stderr}`);
  laws.hold(added.code !== undefined && [0, 65, 66].includes(added.code), `add: exit ${added.code}: ${added.stderr}`);
  if (added.code !== 0)
    await laws.works(box, 'alice', ['add', 'bob'], (await laws.works(box, 'bob', ['invite', 'alice'])).stdout);
  await laws.talk(box, 'alice', 'bob');
}

const add: Scene = {
  name: 'add',
  async prepare(box) {
    await twoIdentities(box);
    writeFileSync(box.path('invite.txt'), await box.ready('bob', ['invite', 'alice']));
  },
  call: () => ({ who: 'alice', parameters: ['add', 'bob', 'invite.txt'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'alice');
    if (ran.code !== 0) await laws.works(box, 'alice', ['add', 'bob', box.path('invite.txt')]);
    await laws.talk(box, 'alice', 'bob');
  },
};

/** A new invite of a present contact: it replaces nothing until it is answered. */
const addAgain: Scene = {
  ...add,
  name: 'add, a second invite',
  async prepare(box) {
    await talking(box);
    writeFileSync(box.path('invite.txt'), await box.ready('bob', ['invite', 'alice']));
  },
};

/** The file opens with either the old or the new key, and `passwd` can be run (again). */
export function passwd(name: string, prepare: (box: Box) => Promise<void>, waits?: string): Scene {
  return {
    name,
    prepare,
    call: () => ({ who: 'bob', parameters: ['passwd', '--new-key-file', 'new.key'] }),
    async check(box, ran, laws) {
      const opens = async (key: string) =>
        (await box.run('bob', ['inspect', '--check', '--key-file', box.path(key)])).code === 0;
      const [old, fresh] = [await opens('bob.key'), await opens('new.key')];
      laws.hold(old !== fresh, `opens with ${old ? 'both keys' : 'neither key'}`);
      if (ran.code === 0) laws.hold(fresh, 'done, but the new key does not open it');
      if (ran.code !== undefined && ran.code !== 0) laws.hold(old, 'failed, but only the new key opens it');
      if (!old && !fresh) return;
      const rekey = (key: string, next: string) =>
        laws.works(box, 'bob', ['passwd', '--key-file', box.path(key), '--new-key-file', box.path(next)]);
      if (old) await rekey('bob.key', 'new.key');
      if (laws.broken.length > 0) return;
      writeKey(box, 'bob.key');
      await rekey('new.key', 'bob.key');
      await laws.whole(box, 'bob');
      // A text in the inbox is still there.
      if (waits !== undefined)
        laws.hold(countOf((await laws.works(box, 'bob', ['recv'])).stdout, waits) === 1, 'a text is lost');
      await laws.talk(box, 'bob', 'alice');
      // A draft left by a kill is a complete identity, with keys that should be gone.
      const left = box.files().filter((file) => file.includes('.db-draft'));
      laws.hold(left.length === 0, `${left.join(', ')} is still there`);
    },
  };
}

/** There is no copy, or a complete one. */
const backup: Scene = {
  name: 'backup',
  async prepare(box) {
    await talking(box);
    mkdirSync(box.path('copy'));
  },
  call: () => ({ who: 'bob', parameters: ['backup', 'copy/bob.db'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const made = existsSync(box.path('copy', 'bob.db'));
    holdMade(laws, ran, made, 'copy');
    if (!made) await laws.works(box, 'bob', ['backup', box.path('copy', 'bob.db')]);
    await laws.whole(box, 'bob', '--home', box.path('copy'));
    await laws.talk(box, 'bob', 'alice');
  },
};

/** There is no identity, and the backup can be restored (again); or there is one, and it is held. */
export const restore: Scene = {
  name: 'restore',
  async prepare(box) {
    await talking(box);
    await box.ready('bob', ['backup', box.path('bob-copy.db')]);
    // A position that the backup takes to be free.
    await box.ready('bob', ['send', 'alice', '-m', 'after the backup']);
    rmSync(box.path('home', 'bob.db'));
    rmSync(box.path('state'), { recursive: true });
    await box.ready('alice', ['inspect', '--moved']);
  },
  call: () => ({ who: 'bob', parameters: ['restore', 'bob-copy.db'] }),
  async check(box, ran, laws) {
    const made = (await box.run('bob', ['inspect'])).code === 0;
    holdMade(laws, ran, made, 'identity');
    if (!made) await laws.works(box, 'bob', ['restore', box.path('bob-copy.db')]);
    else await markAgain(box, ran, laws);
    await laws.whole(box, 'bob');
    const sent = await box.run('bob', ['send', 'alice', '-m', 'too early']);
    laws.hold(sent.code === 76, `sends from a restored file: exit ${sent.code}`);
    await useHeldInvite(box, laws);
  },
};

/** The file with the invite is whole or not there, and comes with the next call. */
const inviteHeld: Scene = {
  name: 'invite --held',
  async prepare(box) {
    await talking(box);
    await box.ready('bob', ['inspect', '--after-restore']);
    mkdirSync(box.path('invites'));
  },
  call: () => ({ who: 'bob', parameters: ['invite', '--held', '--out-dir', 'invites'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const file = box.read('invites/for-alice.txt');
    if (ran.code === 0) laws.hold(file !== undefined, 'done, but there is no invite');
    laws.hold(file === undefined || /END/.test(file.toString()), 'the file is half an invite');
    await useHeldInvite(box, laws);
    if (file !== undefined)
      laws.hold(file.equals(box.read('invites/for-alice.txt') ?? file), 'the invite is another one');
  },
};

export async function useHeldInvite(box: Box, laws: Laws): Promise<void> {
  mkdirSync(box.path('invites'), { recursive: true });
  await laws.works(box, 'bob', ['invite', '--held', '--out-dir', box.path('invites')]);
  await laws.works(box, 'alice', ['add', 'bob', box.path('invites', 'for-alice.txt')]);
  if (laws.broken.length > 0) return;
  await laws.talk(box, 'alice', 'bob');
}

/** Where the mark could not be written, the person was told, and says once more what the file is. */
async function markAgain(box: Box, { stderr }: Ran, laws: Laws): Promise<void> {
  if (/mark .* cannot be/.test(stderr)) await laws.works(box, 'bob', ['inspect', '--moved']);
}

/** The file is marked or not, and the conversation goes on. */
const moved: Scene = {
  name: 'inspect --moved',
  async prepare(box) {
    await talking(box);
    rmSync(box.path('state'), { recursive: true });
    await box.ready('alice', ['inspect', '--moved']);
  },
  call: () => ({ who: 'bob', parameters: ['inspect', '--moved'] }),
  async check(box, ran, laws) {
    if (ran.code !== 0) await laws.works(box, 'bob', ['inspect', '--moved']);
    await markAgain(box, ran, laws);
    await laws.talk(box, 'bob', 'alice');
  },
};

/** Nothing of it is on the disk, however it ends. */
const backupToOutput: Scene = {
  name: 'backup -',
  prepare: talking,
  call: () => ({ who: 'bob', parameters: ['backup', '-'] }),
  async check(box, ran, laws) {
    await laws.whole(box, 'bob');
    const copies = box.files().filter((file) => /\.pawl-|-draft/.test(file));
    laws.hold(copies.length === 0, `${copies.join(', ')} is there`);
    if (ran.code === 0) {
      mkdirSync(box.path('copy'));
      writeFileSync(box.path('copy', 'bob.db'), ran.stdout, { mode: 0o600 });
      await laws.whole(box, 'bob', '--home', box.path('copy'));
    }
    await laws.talk(box, 'bob', 'alice');
  },
};

export const KEEPING: readonly Scene[] = [
  init('init', async () => undefined),
  init('init, the key file is there', async (box) => writeKey(box, 'alice.key')),
  invite,
  inviteToFile,
  replacing(inviteToFile, 'out.pawl'),
  add,
  addAgain,
  passwd('passwd', async (box) => {
    await talking(box);
    writeKey(box, 'new.key');
  }),
  passwd('passwd, makes the key file', talking),
  {
    ...passwd(
      'passwd, a large file',
      async (box) => {
        await talking(box);
        await undelivered(box, LARGER_THAN_THE_CACHE);
      },
      LARGER_THAN_THE_CACHE,
    ),
    large: true,
  },
  backup,
  restore,
  inviteHeld,
  moved,
  backupToOutput,
];
