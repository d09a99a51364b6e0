import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Box, documents } from '../box.ts';
import type { Laws } from '../laws.ts';
import type { Scene } from '../scene.ts';
import type { Situation } from '../situations.ts';
import { DISK, LAUNCHER, type Ran, WORKSHOP } from '../start.ts';
import { talking } from './people.ts';

const TEXT = 'x'.repeat(1 << 20);
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Runs a line of bash in which `pawl` is the program. */
function bash(box: Box, line: string): Ran {
  const pawl = `pawl() { '${process.execPath}' '${LAUNCHER}' "$@"; }`;
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', `${pawl}; ${line}`], {
    cwd: box.folder,
    env: box.environment,
    maxBuffer: 1 << 26,
  });
  return { code: status ?? undefined, signal: signal ?? undefined, stdout, stderr: stderr.toString() };
}

const closedPipe: Situation = {
  name: 'recv and send into a closed pipe',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    await talking(box);
    writeFileSync(box.path('in.pawl'), await box.ready('alice', ['send', 'bob'], Buffer.from(TEXT)));
    const bob = '-i bob --key-file bob.key';
    const recv = bash(box, `pawl ${bob} recv in.pawl | head -c 1; exit \${PIPESTATUS[0]}`);
    laws.hold(recv.code === 74, `recv | head -c 1: exit ${recv.code}: ${recv.stderr}`);
    laws.hold(/hint: /.test(recv.stderr), 'recv gives no hint');
    const next = documents((await laws.works(box, 'bob', ['recv', '--json'])).stdout);
    laws.hold(next.length === 1 && next[0]?.text === TEXT && next[0]?.again === true, 'the text does not come again');
    const send = bash(box, `head -c 1000000 /dev/zero | pawl ${bob} send alice | head -c 1; exit \${PIPESTATUS[1]}`);
    laws.hold(send.code === 74, `send | head -c 1: exit ${send.code}: ${send.stderr}`);
    const resent = await laws.works(box, 'bob', ['outbox', 'resend']);
    laws.hold((await laws.receives(box, 'alice', resent.stdout)).length === 1, 'the outbox does not have it');
    // Standard error is closed as well: nothing can be said, and the exit code still is.
    const mute = bash(box, `pawl ${bob} send nobody -m x 2>&-`);
    laws.hold(mute.code === 67, `send to nobody, standard error closed: exit ${mute.code}`);
    const full = bash(box, `pawl ${bob} send alice -m x > /dev/full`);
    laws.hold(full.code === 74, `send > /dev/full: exit ${full.code}: ${full.stderr}`);
    laws.hold(
      (await laws.receives(box, 'alice', (await laws.works(box, 'bob', ['outbox', 'resend'])).stdout)).length === 1,
      'lost in /dev/full',
    );
    await laws.talk(box, 'alice', 'bob');
    return 'exit 74, and what was cut off comes again';
  },
};

/** Signals while it waits for something outside: input, a passphrase. */
const signals: Situation = {
  name: 'SIGINT and SIGTERM while it waits',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    await talking(box);
    for (const [signal, number] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      for (const parameters of [['recv'], ['send', 'bob'], ['send', 'bob', '--lines']]) {
        const child = spawn(process.execPath, [LAUNCHER, ...box.arguments('alice', parameters)], {
          cwd: box.folder,
          env: box.environment,
          stdio: 'pipe',
        });
        setTimeout(() => child.kill(signal), 1_500);
        const [code, by] = await new Promise<[number | null, string | null]>((resolve) => {
          child.on('close', (...end) => resolve(end));
        });
        laws.hold(by === signal || code === number, `${parameters.join(' ')}: ends with ${by ?? code} at ${signal}`);
      }
    }
    await laws.talk(box, 'alice', 'bob');
    return 'ended by the signal, 6 times';
  },
};

/** While one pawl waits for its passphrase, another works on the same identity. */
const prompt: Situation = {
  name: 'a passphrase that is long in coming',
  async run(laws) {
    const box = Box.make(WORKSHOP);
    writeFileSync(box.path('words'), 'correct horse\n', { mode: 0o600 });
    await talking(box);
    await box.ready('alice', [
      'passwd',
      '--key-file',
      box.path('alice.key'),
      '--new-passphrase-file',
      box.path('words'),
    ]);
    execFileSync('mkfifo', ['-m', '600', box.path('slow')]);
    const slow = box.start({
      who: 'alice',
      parameters: ['send', 'bob', '-m', 'slow', '--passphrase-file', box.path('slow')],
    });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const quick = await box.start({
      who: 'alice',
      parameters: ['send', 'bob', '-m', 'quick', '--wait', '0', '--passphrase-file', box.path('words')],
    });
    laws.hold(quick.code === 0, `the other: exit ${quick.code}: ${quick.stderr}`);
    writeFileSync(box.path('slow'), 'correct horse\n');
    const late = await slow;
    laws.hold(late.code === 0, `the slow one: exit ${late.code}: ${late.stderr}`);
    const got = await laws.receives(box, 'bob', Buffer.concat([quick.stdout, late.stdout]));
    laws.hold(got.map(({ text, n }) => `${text} ${n}`).join() === 'quick 0,slow 1', `Bob reads ${JSON.stringify(got)}`);
    return 'the other is not kept waiting';
  },
};

/** Every scene on a small disk of its own, with nothing left on it and with a little; and on one that may only be read. */
export function disks(scenes: readonly Scene[]): readonly Situation[] {
  const small = scenes.filter(({ name }) => !/MiB|large/.test(name));
  return [
    {
      name: 'a full disk (tmpfs)',
      run: (laws) =>
        onDisk(async (disk) => {
          const outcomes: Record<string, number> = {};
          for (const scene of small) {
            for (const pages of [0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32]) {
              await onBox(disk, scene, laws, `${pages} pages free`, outcomes, (box) => {
                fill(disk, pages);
                return box;
              });
            }
          }
          return summary(outcomes);
        }),
    },
    {
      name: 'a disk that may only be read (tmpfs)',
      run: (laws) =>
        onDisk(async (disk) => {
          const outcomes: Record<string, number> = {};
          for (const scene of small) {
            await onBox(disk, scene, laws, 'read-only', outcomes, (box) => {
              execFileSync('mount', ['-o', 'remount,ro', disk]);
              return box;
            });
          }
          return summary(outcomes);
        }),
    },
    ...(['the file', 'its folder'] as const).map(
      (what): Situation => ({
        name: `${what} may only be read`,
        run: async (laws) => {
          if (!isRoot) return undefined;
          chmodSync(WORKSHOP, 0o711);
          const outcomes: Record<string, number> = {};
          for (const scene of small) await asNobody(scene, what, laws, outcomes);
          return summary(outcomes);
        },
      }),
    ),
  ];
}

async function asNobody(scene: Scene, what: string, laws: Laws, outcomes: Record<string, number>): Promise<void> {
  const box = Box.make(WORKSHOP);
  await scene.prepare(box);
  const home = box.path('home');
  mkdirSync(home, { recursive: true });
  execFileSync('chown', ['-R', String(NOBODY), box.folder]);
  const files = readdirSync(home).filter((file) => file.endsWith('.db'));
  if (what === 'its folder') chmodSync(home, 0o500);
  else for (const file of files) chmodSync(`${home}/${file}`, 0o400);
  const ran = await box.start(scene.call(box), undefined, { user: NOBODY });
  chmodSync(home, 0o700);
  for (const file of files) chmodSync(`${home}/${file}`, 0o600);
  await judge(scene, box, ran, laws, `${what} read-only`, outcomes);
  box.remove();
}

async function onBox(
  disk: string,
  scene: Scene,
  laws: Laws,
  how: string,
  outcomes: Record<string, number>,
  spoil: (box: Box) => Box,
): Promise<void> {
  const box = Box.make(disk);
  await scene.prepare(box);
  spoil(box);
  const ran = await box.start(scene.call(box));
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  rmSync(`${disk}/filler`, { force: true });
  await judge(scene, box, ran, laws, how, outcomes);
  for (const file of readdirSync(disk)) rmSync(`${disk}/${file}`, { recursive: true });
}

async function judge(
  scene: Scene,
  box: Box,
  ran: Ran,
  laws: Laws,
  how: string,
  outcomes: Record<string, number>,
): Promise<void> {
  const before = laws.broken.length;
  laws.hold(ran.code !== undefined && [0, 73, 74].includes(ran.code), `exit ${ran.code}: ${ran.stderr}`);
  laws.hold(!/\n {4}at /.test(ran.stderr), 'shows a stack trace');
  await scene.check(box, ran, laws);
  for (let index = before; index < laws.broken.length; index++) {
    laws.broken[index] = `${scene.name}, ${how}, exit ${ran.code}: ${laws.broken[index]}`;
  }
  outcomes[`exit ${ran.code}`] = (outcomes[`exit ${ran.code}`] ?? 0) + 1;
}

function summary(outcomes: Record<string, number>): string {
  return Object.entries(outcomes)
    .map(([outcome, count]) => `${outcome} ×${count}`)
    .join(', ');
}

async function onDisk(work: (folder: string) => Promise<string>): Promise<string | undefined> {
  const folder = DISK;
  mkdirSync(folder, { recursive: true });
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', folder]).status !== 0)
    return undefined;
  try {
    return await work(folder);
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
}

/** Leaves so many pages of 4 KiB free. */
function fill(disk: string, pages: number): void {
  const file = openSync(`${disk}/filler`, 'w');
  const page = Buffer.alloc(4_096);
  for (let left = statfsSync(disk).bavail - pages; left > 0; left--) writeSync(file, page);
  closeSync(file);
  if (!existsSync(`${disk}/filler`)) throw new Error('the filler is gone');
}

export const OUTSIDE: readonly Situation[] = [closedPipe, signals, prompt];
