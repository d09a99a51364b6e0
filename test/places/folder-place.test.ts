import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPawlError } from '../../src/errors.ts';
import { makeRoute, nameOfEnvelope, nameOfPart, openPlace, type Place, type Route } from '../../src/places/index.ts';
import { asNobody } from '../storage/as-nobody.ts';
import {
  all,
  boxWith,
  contentOf,
  contextWith,
  envelopeWith,
  listed,
  newFolder,
  put,
  read,
  withoutPauses,
} from './places.ts';

const [A, B] = [boxWith(1), boxWith(2)];
const ENVELOPE = envelopeWith(1);
const NAME = nameOfEnvelope(ENVELOPE);
const HOUR = 3_600_000;
const isRoot = process.geteuid?.() === 0;

function fileOf(folder: string, name = NAME, box = A): string {
  return join(folder, `${box}.${name}.pawl`);
}

async function opened(folder = newFolder(), context = contextWith()) {
  const route = await makeRoute({ kind: 'dir', path: folder }, { create: true }, context);
  return { folder, route, place: await openPlace(route, context) };
}

/** The same place, some time later. */
async function later(route: Route, milliseconds: number): Promise<Place> {
  return await openPlace(route, contextWith({ now: () => Date.now() + milliseconds }));
}

/** Everything that a place can be asked to do. */
function everything(place: Place): Record<string, () => Promise<unknown>> {
  const entry = { box: A, name: NAME, size: ENVELOPE.length, version: '' };
  return {
    put: () => put(place, A, ENVELOPE),
    list: () => listed(place, [A]),
    read: () => read(place, [entry]),
    remove: () => place.remove([entry]),
  };
}

function files(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name !== '.pawl-place')
    .sort();
}

describe('the mark of a folder', () => {
  it('is made once, and found by everybody', async () => {
    const { folder, route } = await opened();
    const mark = readFileSync(join(folder, '.pawl-place'), 'latin1');
    expect(mark).toMatch(/^[0-9a-f]{32}\n$/);
    expect(route).toEqual({ kind: 'dir', path: folder, mark: mark.trim() });
    expect((await opened(folder)).route).toEqual(route);
    expect(readdirSync(folder)).toEqual(['.pawl-place']);
    expect((await opened()).route).not.toEqual(route);
  });

  it('is made by one of those who come at once', async () => {
    const folder = newFolder();
    const routes = await Promise.all(Array.from({ length: 8 }, () => opened(folder)));
    expect(new Set(routes.map(({ route }) => JSON.stringify(route))).size).toBe(1);
  });

  it('can be read by other users, as far as the umask lets them', async () => {
    const umask = process.umask(0o022);
    onTestFinished(() => void process.umask(umask));
    const { folder, place } = await opened();
    await put(place, A, ENVELOPE);
    process.umask(0o077);
    await put(place, B, ENVELOPE);
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([join(folder, '.pawl-place'), fileOf(folder), fileOf(folder, NAME, B)].map(mode)).toEqual([
      0o644, 0o644, 0o600,
    ]);
  });

  it.each(['', 'hello\n', 'A'.repeat(32), `${'0'.repeat(32)}0`, '0'.repeat(31), '0'.repeat(100)])(
    'is nothing like %j',
    async (text) => {
      const folder = newFolder();
      writeFileSync(join(folder, '.pawl-place'), text);
      const error = await opened(folder).catch((cause: unknown) => cause);
      expect(isPawlError(error, 'unreachable') && error.detail.reason).toContain('.pawl-place is no mark');
      expect(readFileSync(join(folder, '.pawl-place'), 'latin1')).toBe(text);
    },
  );

  it('that was left empty by a kill is made anew, and one that has something in it is not', async () => {
    const folder = newFolder();
    const mark = join(folder, '.pawl-place');
    for (const text of ['hello', '']) {
      writeFileSync(mark, text);
      const before = Date.now() / 1_000 - 120;
      utimesSync(mark, before, before);
      if (text !== '') await expect(opened(folder)).rejects.toMatchObject({ code: 'unreachable' });
    }
    await opened(folder);
    expect(readFileSync(mark, 'latin1')).toMatch(/^[0-9a-f]{32}\n$/);
    expect(readdirSync(folder)).toEqual(['.pawl-place']);
  });

  it('is no link, and is not waited for', async () => {
    const [folder, elsewhere] = [newFolder(), (await opened()).folder];
    symlinkSync(join(elsewhere, '.pawl-place'), join(folder, '.pawl-place'));
    await expect(opened(folder)).rejects.toMatchObject({ code: 'unreachable' });
    rmSync(join(folder, '.pawl-place'));
    execFileSync('mkfifo', [join(folder, '.pawl-place')]);
    await expect(opened(folder)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is not made where there is no folder', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(opened(join(folder, 'none'))).rejects.toMatchObject({ code: 'no-folder', detail: { isTaken: false } });
    await expect(opened(join(folder, 'file'))).rejects.toMatchObject({ code: 'no-folder', detail: { isTaken: true } });
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('a folder that is another one', () => {
  it('does nothing while it is gone, and goes on when it comes back', async () => {
    const { folder, place } = await opened();
    await put(place, A, ENVELOPE);
    renameSync(folder, `${folder}-away`);
    for (const [what, work] of Object.entries(everything(place))) {
      await expect(work(), what).rejects.toMatchObject({
        code: 'unreachable',
        detail: { place: `dir:${folder}`, reason: 'there is no such folder' },
      });
    }
    expect(existsSync(folder)).toBe(false);
    renameSync(`${folder}-away`, folder);
    expect(await contentOf(place, A)).toEqual({ [NAME]: Buffer.from(ENVELOPE) });
  });

  it('takes nothing and gives nothing: where a disk is not mounted, or another one is', async () => {
    const { folder, place, route } = await opened();
    const expected = route.kind === 'dir' && route.mark;
    renameSync(folder, `${folder}-away`);
    onTestFinished(() => rmSync(`${folder}-away`, { recursive: true }));
    mkdirSync(folder);
    const asks = () => Object.entries(everything(place));
    for (const [what, work] of asks()) {
      await expect(work(), what).rejects.toMatchObject({
        code: 'other-place',
        detail: { place: `dir:${folder}`, expected, found: undefined },
      });
    }
    const { route: other } = await opened(folder);
    const found = other.kind === 'dir' && other.mark;
    for (const [what, work] of asks()) {
      await expect(work(), what).rejects.toMatchObject({ code: 'other-place', detail: { expected, found } });
    }
    expect(files(folder)).toEqual([]);
  });

  it('has stored nothing when it takes its place in the midst of a put', async () => {
    const folder = newFolder();
    const { route } = await opened(folder);
    const random = (length: number) => {
      renameSync(folder, `${folder}-away`);
      onTestFinished(() => rmSync(`${folder}-away`, { recursive: true }));
      mkdirSync(folder);
      return new Uint8Array(length);
    };
    const place = await openPlace(route, contextWith({ random }));
    await expect(put(place, A, ENVELOPE)).rejects.toMatchObject({ code: 'other-place' });
  });

  it('says why nothing can be written', async () => {
    const { folder, place } = await opened();
    mkdirSync(fileOf(folder));
    await expect(put(place, A, ENVELOPE)).rejects.toMatchObject({ code: 'unreachable', detail: { reason: /folder/ } });
    rmSync(fileOf(folder), { recursive: true });
    // What was begun is not left behind.
    expect(files(folder)).toEqual([]);
  });
});

describe('what lies in a folder', () => {
  it('is ours by its name alone', async () => {
    const { folder, place } = await opened();
    const stem = `${A}.${NAME}`;
    for (const name of [
      `.syncthing.${stem}.pawl.tmp`,
      `~syncthing~${stem}.pawl.tmp`,
      `${stem}.sync-conflict-20260101-120000-ABCDEFG.pawl`,
      `${stem} (bob's conflicted copy 2026-01-01).pawl`,
      `${stem} (1).pawl`,
      `${stem}.pawl~`,
      `.${stem}.pawl`,
      `~syncthing~${stem}.01234567.tmp`,
      `${stem}.PAWL`,
      `${stem.toUpperCase()}.pawl`,
      `${A}.${NAME.slice(1)}.pawl`,
      `${A}.${NAME}0.pawl`,
      `${A}..pawl`,
      `x${stem}.pawl`,
      `${stem}.pawl\n`,
      'Thumbs.db',
      'caf\u00e9',
    ]) {
      writeFileSync(join(folder, name), ENVELOPE);
    }
    mkdirSync(join(folder, '.stfolder'));
    const junk = files(folder);
    expect(await listed(place, [A])).toEqual([]);
    const name = await put(place, A, ENVELOPE);
    expect(await contentOf(place, A)).toEqual({ [name]: Buffer.from(ENVELOPE) });
    expect(await place.remove(await listed(place, [A]))).toEqual([]);
    expect(files(folder)).toEqual(junk);
  });

  it('is no link, pipe or folder, and nothing of another size', async () => {
    const { folder, place } = await opened();
    const elsewhere = join(newFolder(), 'file');
    writeFileSync(elsewhere, ENVELOPE);
    const names = Array.from({ length: 6 }, (_, index) => nameOfPart(index));
    const [link, pipe, inner, small, large, dangling] = names.map((name) => fileOf(folder, name)) as [
      string,
      ...string[],
    ] &
      string[];
    symlinkSync(elsewhere, link ?? '');
    symlinkSync(join(folder, 'nothing'), dangling ?? '');
    execFileSync('mkfifo', [pipe ?? '']);
    mkdirSync(inner ?? '');
    writeFileSync(small ?? '', ENVELOPE.subarray(0, 9));
    writeFileSync(large ?? '', '');
    execFileSync('truncate', ['-s', String(17 * 2 ** 20 + 11), large ?? '']);
    expect(await listed(place, [A])).toEqual([]);
    // Also where they take the place of what was listed.
    const entries = names.map((name) => ({ box: A, name, size: ENVELOPE.length, version: '' }));
    expect(await all(place.read(entries))).toEqual([]);
  });

  it('is given, and removed, where it is an honest file with two names', async () => {
    const { folder, place } = await opened();
    await put(place, A, ENVELOPE);
    linkSync(fileOf(folder), join(folder, 'kept'));
    expect(Object.keys(await contentOf(place, A))).toEqual([NAME]);
  });

  it('is put in the place of a link, and never through it', async () => {
    const { folder, place } = await opened();
    const elsewhere = join(newFolder(), 'precious');
    writeFileSync(elsewhere, 'precious');
    symlinkSync(elsewhere, fileOf(folder));
    await put(place, A, ENVELOPE);
    expect(readFileSync(elsewhere, 'latin1')).toBe('precious');
    expect(lstatSync(fileOf(folder)).isFile()).toBe(true);
  });

  it('is listed from the oldest on', async () => {
    const { folder, place } = await opened();
    const names: string[] = [];
    for (let seed = 1; seed <= 9; seed++) {
      const name = await put(place, A, envelopeWith(seed));
      utimesSync(fileOf(folder, name), 1e9, 1e9 + ((seed * 7) % 10));
      names[(seed * 7) % 10] = name;
    }
    const inOrder = names.filter(Boolean);
    expect((await listed(place, [A])).map(({ name }) => name)).toEqual(inOrder);
    expect((await listed(place, [A], { entries: 2, bytes: 2 ** 26 })).map(({ name }) => name)).toEqual(
      inOrder.slice(0, 2),
    );
  });

  it('has another version when its bytes change', async () => {
    const { folder, place } = await opened();
    await put(place, A, ENVELOPE);
    const [before] = await listed(place, [A]);
    expect(await listed(place, [A])).toEqual([before]);
    utimesSync(fileOf(folder), 1e9, 1e9);
    const [after] = await listed(place, [A]);
    expect(after?.version).not.toBe(before?.version);
  });

  it('may be ten thousand files of junk, and what lies in another box is found at once', async () => {
    const { folder, place } = await opened();
    for (let index = 0; index < 10_000; index++) writeFileSync(fileOf(folder, nameOfPart(index)), 'junk of a stranger');
    const name = await put(place, B, ENVELOPE);
    const most = { entries: 100, bytes: 2 ** 26 };
    const entries = await listed(place, [A, B], most);
    expect(entries).toHaveLength(101);
    expect(entries.at(-1)).toMatchObject({ box: B, name });
    const left = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const found = await listed(place, [A], {
        entries: 5_000,
        bytes: 2 ** 26,
        passOver: (entry) => left.has(entry.name),
      });
      for (const entry of found) left.add(entry.name);
    }
    expect(left.size).toBe(10_000);
    expect(await place.remove(await listed(place, [A]))).toEqual([]);
    expect(files(folder)).toEqual([`${B}.${name}.pawl`]);
  });
});

describe('a file that is not whole yet', () => {
  it.each([
    ['grows', ENVELOPE.subarray(0, 200)],
    ['has not even its head', ENVELOPE.subarray(0, 7)],
    ['has its length from the start', Buffer.concat([ENVELOPE.subarray(0, 200), Buffer.alloc(ENVELOPE.length - 200)])],
    ['has nothing but its length', new Uint8Array(ENVELOPE.length)],
  ])('is left out while it %s', async (_, bytes) => {
    const { folder, place, route } = await opened();
    writeFileSync(fileOf(folder), bytes);
    expect(await contentOf(place, A)).toEqual({});
    expect(existsSync(fileOf(folder))).toBe(true);
    // After an hour nobody is writing it any more: whoever reads it may refuse it.
    const given = bytes.length < 10 ? {} : { [NAME]: Buffer.from(bytes) };
    expect(await contentOf(await later(route, HOUR + 60_000), A)).toEqual(given);
    // A clock that is behind does not make it young for ever.
    expect(await contentOf(await later(route, -HOUR - 60_000), A)).toEqual(given);
    writeFileSync(fileOf(folder), ENVELOPE);
    expect(await contentOf(place, A)).toEqual({ [NAME]: Buffer.from(ENVELOPE) });
  });

  it('is told by its head where it is a part of a content', async () => {
    const { folder, place } = await opened();
    const name = nameOfPart(0);
    writeFileSync(fileOf(folder, name), ENVELOPE.subarray(0, -1));
    expect(await contentOf(place, A)).toEqual({});
    writeFileSync(fileOf(folder, name), ENVELOPE);
    expect(await contentOf(place, A)).toEqual({ [name]: Buffer.from(ENVELOPE) });
  });
});

describe('what a killed put has left', () => {
  it('goes with the next one, when it is an hour old', async () => {
    const { folder, place, route } = await opened();
    const drafts = [A, B].map((box) => `~syncthing~${box}.${NAME}.01234567.tmp`);
    drafts.push('~syncthing~.pawl-place.89abcdef.tmp');
    const foreign = ['.hidden.tmp', `.${A}.${NAME}.tmp`, `~syncthing~${A}.${NAME}.pawl.tmp`];
    for (const name of [...drafts, ...foreign]) writeFileSync(join(folder, name), 'begun');
    await put(place, A, ENVELOPE);
    expect(files(folder)).toEqual(expect.arrayContaining(drafts));
    const old = Date.now() / 1_000 - 3_660;
    for (const name of [...drafts, ...foreign]) utimesSync(join(folder, name), old, old);
    // Not each time.
    await put(place, A, ENVELOPE);
    expect(files(folder)).toEqual(expect.arrayContaining(drafts));
    await put(await later(route, 0), A, ENVELOPE);
    expect(files(folder)).toEqual([`${A}.${NAME}.pawl`, ...foreign].sort());
  });

  it.each([5, -5])(
    'is told from what is being written by the clock of the disk, where ours is %i h ahead',
    async (hours) => {
      const { folder, route } = await opened();
      const [young, old] = [A, B].map((box) => `~syncthing~${box}.${NAME}.01234567.tmp`) as [string, string];
      for (const name of [young, old]) writeFileSync(join(folder, name), 'begun');
      utimesSync(join(folder, old), Date.now() / 1_000 - 3_660, Date.now() / 1_000 - 3_660);
      await put(await later(route, hours * HOUR), A, ENVELOPE);
      expect(files(folder)).toEqual([`${A}.${NAME}.pawl`, young]);
    },
  );

  it('does not stand in the way of those that put the same at once', async () => {
    const { folder, place } = await opened();
    const large = envelopeWith(1, 2 ** 20);
    await Promise.all(Array.from({ length: 8 }, () => put(place, A, large)));
    expect(files(folder)).toEqual([`${A}.${nameOfEnvelope(large)}.pawl`]);
    expect(readFileSync(fileOf(folder, nameOfEnvelope(large))).equals(large)).toBe(true);
  });
});

describe.skipIf(!isRoot)('a folder of several users', () => {
  it('says what it does not let us remove, or read', async () => {
    const { folder, place } = await opened();
    chmodSync(folder, 0o1777);
    for (const seed of [1, 2]) await put(place, A, envelopeWith(seed));
    chmodSync(fileOf(folder), 0o600);
    chmodSync(fileOf(folder, nameOfEnvelope(envelopeWith(2))), 0o644);
    await asNobody(async () => {
      const entries = await listed(place, [A]);
      const found = await all(place.read(entries));
      expect(found.filter((one) => 'bytes' in one).map(({ entry }) => entry.name)).toEqual([
        nameOfEnvelope(envelopeWith(2)),
      ]);
      expect(found.filter((one) => 'reason' in one)).toMatchObject([
        { entry: { name: NAME }, reason: 'permission denied' },
      ]);
      expect(await place.remove(entries)).toEqual(
        entries.map((entry) => ({ entry, reason: 'operation not permitted' })),
      );
      await put(place, B, ENVELOPE);
      expect(await place.remove(await listed(place, [B]))).toEqual([]);
    });
    expect(files(folder)).toHaveLength(2);
  });

  it('can be one that nobody may write to', async () => {
    const { folder, place } = await opened();
    chmodSync(folder, 0o755);
    await asNobody(async () => {
      await expect(put(place, A, ENVELOPE)).rejects.toMatchObject({
        code: 'unreachable',
        detail: { reason: 'permission denied' },
      });
    });
    chmodSync(folder, 0o700);
    await asNobody(async () => {
      await expect(listed(place, [A])).rejects.toMatchObject({
        code: 'unreachable',
        detail: { reason: 'permission denied' },
      });
    });
  });
});

describe('waiting for a folder', () => {
  const isSecond = (milliseconds: number) => milliseconds === 1_000;

  /** The first look, after a second, must find something. */
  async function news(place: Place): Promise<void> {
    const { signal } = new AbortController();
    expect(await withoutPauses(isSecond, () => place.wait([A], signal))).toEqual([1_000]);
  }

  /** Three looks find nothing. */
  async function noNews(place: Place): Promise<void> {
    const controller = new AbortController();
    const stop = (looks: number) => looks > 3 && queueMicrotask(() => controller.abort());
    const pauses = await withoutPauses(isSecond, () => place.wait([A], controller.signal), stop);
    expect(pauses).toHaveLength(4);
  }

  it('ends with what was not listed, and not with what was', async () => {
    const { folder, place } = await opened();
    await noNews(place);
    await put(place, B, ENVELOPE);
    writeFileSync(join(folder, 'junk'), '');
    mkdirSync(fileOf(folder, nameOfPart(1)));
    await listed(place, [A]);
    await noNews(place);
    await put(place, A, ENVELOPE);
    await news(place);
    const entries = await listed(place, [A]);
    await noNews(place);
    // A box that is listed by itself makes no news of the others.
    await listed(place, [B]);
    await noNews(place);
    // What was removed and comes again is news.
    await place.remove(entries);
    await put(place, A, ENVELOPE);
    await news(place);
  });

  it('ends with what there was no room for, what is not whole yet, and not with what was passed over', async () => {
    const { folder, place } = await opened();
    for (const seed of [1, 2]) await put(place, A, envelopeWith(seed));
    await listed(place, [A], { entries: 1, bytes: 2 ** 26 });
    await news(place);
    await listed(place, [A], { entries: 1, bytes: 2 ** 26, passOver: () => true });
    await noNews(place);
    writeFileSync(fileOf(folder), ENVELOPE.subarray(0, 100));
    await contentOf(place, A);
    await news(place);
    writeFileSync(fileOf(folder), '');
    await contentOf(place, A);
    await news(place);
  });

  it('fails when the folder goes', async () => {
    const { folder, place } = await opened();
    rmSync(folder, { recursive: true });
    await expect(news(place)).rejects.toMatchObject({ code: 'unreachable' });
  });
});
