/** Scenes on a full disk, on a read-only disk, and with files or folders that may only be read. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { Box } from '../box.ts';
import { sideBySide } from '../crash.ts';
import { Laws } from '../laws.ts';
import type { Scene } from '../scene.ts';
import type { Situation } from '../situations.ts';
import { DISK, type Ran, WORKSHOP } from '../start.ts';

const isRoot = process.getuid?.() === 0;

/** Every scene on a small disk with few or no free pages, and on a read-only disk. */
export function smallDisks(scenes: readonly Scene[]): readonly Situation[] {
  const small = scenes.filter(({ large }) => !large);
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
      name: 'passwd of a large file on a disk without room for two (tmpfs)',
      run: (laws) =>
        onDisk(async (disk) => {
          const outcomes: Record<string, number> = {};
          for (const scene of scenes.filter(({ name }) => name === 'passwd, a large file')) {
            for (const pages of [0, 1, 10, 100, 500, 700, 800, 1_000]) {
              await onBox(disk, scene, laws, `${pages} pages free`, outcomes, (box) => {
                fill(disk, pages);
                return box;
              });
            }
          }
          return summary(outcomes);
        }, 16),
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
  ];
}

/** Every scene where the identity files, or the folder that they are in, may only be read. */
export function readOnly(scenes: readonly Scene[]): readonly Situation[] {
  return (['the file', 'its folder'] as const).map((what) => ({
    name: `${what} may only be read`,
    run: async (laws) => {
      if (!isBoundByPermissions()) return undefined;
      const outcomes: Record<string, number> = {};
      const small = scenes.filter(({ large }) => !large);
      await sideBySide(2, small, (scene) => locked(scene, what, laws, outcomes));
      return summary(outcomes);
    },
  }));
}

/** The user `nobody` on Linux. Permission bits do not bind root, so under root this user runs the program. */
const NOBODY = 65_534;
const BOUND = isRoot ? { user: NOBODY } : {};

/** Whether there is a user whom permission bits bind, and who can run Node: root's own may be in root's home folder. */
function isBoundByPermissions(): boolean {
  if (!isRoot) return true;
  chmodSync(WORKSHOP, 0o711);
  const { status } = spawnSync(process.execPath, ['--version'], { cwd: WORKSHOP, uid: NOBODY, gid: NOBODY });
  return status === 0;
}

/** Gives everything to the user who runs the program; and back, because root trusts no key of another. */
function handOver(box: Box, user = NOBODY): void {
  if (isRoot) execFileSync('chown', ['-R', String(user), box.folder]);
}

async function locked(scene: Scene, what: string, laws: Laws, outcomes: Record<string, number>): Promise<void> {
  const box = Box.make(WORKSHOP);
  await scene.prepare(box);
  await scene.arrange?.(box);
  const home = box.path('home');
  mkdirSync(home, { recursive: true });
  handOver(box);
  const files = readdirSync(home).filter((file) => file.endsWith('.db'));
  if (what === 'its folder') chmodSync(home, 0o500);
  else for (const file of files) chmodSync(`${home}/${file}`, 0o400);
  const ran = await box.start(scene.call(box), undefined, BOUND);
  chmodSync(home, 0o700);
  for (const file of files) chmodSync(`${home}/${file}`, 0o600);
  handOver(box, 0);
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
  await scene.arrange?.(box);
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
  const inScene = new Laws();
  inScene.hold(
    ran.code !== undefined && [0, 73, 74, ...(scene.exits ?? [])].includes(ran.code),
    `exit ${ran.code}: ${ran.stderr}`,
  );
  inScene.hold(!/\n {4}at /.test(ran.stderr), 'shows a stack trace');
  await scene.check(box, ran, inScene);
  for (const broken of inScene.broken) laws.hold(false, `${scene.name}, ${how}, exit ${ran.code}: ${broken}`);
  outcomes[`exit ${ran.code}`] = (outcomes[`exit ${ran.code}`] ?? 0) + 1;
}

function summary(outcomes: Record<string, number>): string {
  return Object.entries(outcomes)
    .map(([outcome, count]) => `${outcome} ×${count}`)
    .join(', ');
}

/** Runs `work` on a tmpfs of `size` MiB; `undefined` where none can be mounted. */
async function onDisk(work: (folder: string) => Promise<string>, size = 2): Promise<string | undefined> {
  const folder = DISK;
  mkdirSync(folder, { recursive: true });
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m,mode=700`, 'tmpfs', folder]).status !== 0)
    return undefined;
  try {
    return await work(folder);
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
}

/** Fills the disk up to `pages` free pages of 4 KiB. */
function fill(disk: string, pages: number): void {
  const file = openSync(`${disk}/filler`, 'w');
  const page = Buffer.alloc(4_096);
  for (let left = statfsSync(disk).bavail - pages; left > 0; left--) writeSync(file, page);
  closeSync(file);
  if (!existsSync(`${disk}/filler`)) throw new Error('the filler is gone');
}
