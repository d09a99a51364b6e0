/**
 * A folder that both sides see, as a place: one file an envelope, `BOX.NAME.pawl`. The folder is known by a mark in it, so
 * that a disk that is not mounted, or another one, takes nothing.
 * Knows nothing of what keeps the folder the same on two machines.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { restLength } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  filesOf,
  isFolder,
  isTaken,
  makeSharedFile,
  namesOf,
  putSharedFile,
  type RegularFile,
  readRegularFile,
  reasonOf,
  removeSharedFile,
  timeOfDisk,
} from '../files/index.ts';
import { toHex, utf8 } from '../primitives/index.ts';
import { checkPut, isBox, isNameOfPart, isSize, nameOfEnvelope, SIZES } from './box.ts';
import { pause, timeFor, within } from './patience.ts';
import type { Box, Delivery, Entry, ListLimits, Place, PlaceContext, Refusal, Route } from './place.ts';
import { formatRoute } from './route.ts';
import { Listed, Shelf } from './shelf.ts';

type FolderRoute = Route & { readonly kind: 'dir' };

const MARK_FILE = '.pawl-place';
const MARK = /^[0-9a-f]{32}$/;
const MARK_SIZES = { least: 32, most: 64 } as const;
/** In milliseconds: making a mark takes no longer. */
const MARK_MAKING = 60_000;
/** A file of an envelope. What is called otherwise is not ours. */
const FILE = /^([a-z2-7]{26})\.([0-9a-f]{32})\.pawl$/;
/**
 * One that is being written. Syncthing carries nothing that begins so, and Dropbox and Nextcloud nothing that begins with
 * a tilde and ends with `.tmp`: it would be under way to the others when it changes its name.
 */
const DRAFT = /^~syncthing~(?:[a-z2-7]{26}\.[0-9a-f]{32}|\.pawl-place)\.[0-9a-f]{8}\.tmp$/;

/** In milliseconds. */
const HOUR = 3_600_000;
const POLL = 1_000;
const TIME_LIMIT = 30_000;
/** So many time limits an operation takes at most, besides the time for its bytes, while it goes on: 10 minutes. */
const IN_ALL = 20;
/** The most names that are looked at in a folder at a time, of which one that never ends has more. Takes seconds, and 200 MB. */
const MOST_NAMES = 1_000_000;
/** So many files are removed at once. */
const AT_ONCE = 16;

/**
 * Finds the mark of a folder, or makes one.
 * @returns 32 hexadecimal digits.
 * @throws `no-folder`; `cannot-create`; `unreachable` where the mark cannot be read, or is none.
 */
export async function markOf(path: string, context: PlaceContext): Promise<string> {
  const place = formatRoute({ kind: 'dir', path });
  return await asking({ place, timeLimit: context.timeLimit ?? TIME_LIMIT }, async (goesOn) => {
    if (!(await isFolder(path))) throw new PawlError('no-folder', { path, isTaken: await isTaken(path) });
    const found = await readMark(path);
    if (found !== undefined) return found;
    goesOn();
    const file = join(path, MARK_FILE);
    try {
      if (await isLeftBehind(path, context)) await removeSharedFile(file);
      // Another may make it at this moment. Or it is none.
      await makeSharedFile(draftIn(path, MARK_FILE, context), file, utf8(`${toHex(context.random(16))}\n`));
    } catch (cause) {
      if (!isOfSystem(cause)) throw cause;
      throw new PawlError('cannot-create', { path: file, reason: reasonOf(cause) }, { cause });
    }
    const made = await readMark(path);
    if (made === undefined) throw new PawlError('unreachable', { place, reason: `its file ${MARK_FILE} is no mark` });
    return made;
  });
}

export class FolderPlace implements Place {
  readonly #route: FolderRoute;
  readonly #context: PlaceContext;
  readonly #listed = new Listed();
  /** When drafts were last looked for: milliseconds of this process. */
  #swept = Number.NEGATIVE_INFINITY;

  constructor(route: FolderRoute, context: PlaceContext) {
    this.#route = route;
    this.#context = context;
  }

  async put(box: Box, name: string, envelope: Uint8Array): Promise<void> {
    checkPut(name, envelope);
    await this.#ask(async (goesOn) => {
      await this.#check();
      // What cannot be cleared away, as where the disk is full, keeps no envelope back.
      await this.#sweep(goesOn).catch(goesOn);
      // A name of its own: two processes may put the same envelope at once.
      const draft = draftIn(this.#route.path, `${box}.${name}`, this.#context);
      await putSharedFile(draft, this.#fileOf(box, name), envelope);
      // The disk may have gone in between, and what is behind it have taken the file.
      await this.#check();
    }, envelope.length);
  }

  async *list(boxes: readonly Box[], limits: ListLimits): AsyncGenerator<Entry, void, undefined> {
    this.#listed.begin(boxes);
    const shelf = new Shelf(boxes, limits, this.#listed);
    await this.#ask(async (goesOn) => {
      await this.#check();
      const look = this.#counter(goesOn);
      const isWanted = (file: string) => look() && shelf.has(boxIn(file));
      for await (const [file, status] of filesOf(this.#route.path, isWanted)) {
        const { size, mtimeMs, ctimeMs } = status;
        const entry = { ...(partsOf(file) as Named), size, version: `${Math.trunc(mtimeMs)}-${Math.trunc(ctimeMs)}` };
        if (status.isFile() && isSize(size)) shelf.add(entry, mtimeMs);
        // What is too small may still grow.
        else if (!(status.isFile() && size < SIZES.least && this.#isYoung(ctimeMs))) this.#listed.add(entry);
      }
    });
    yield* shelf.entries();
  }

  async *read(entries: readonly Entry[]): AsyncGenerator<Delivery | Refusal, void, undefined> {
    if (entries.length === 0) return;
    await this.#ask(() => this.#check());
    for (const entry of entries) {
      const found = await this.#ask(() => this.#readOne(entry), entry.size);
      if (found !== undefined) yield found;
    }
  }

  async #readOne(entry: Entry): Promise<Delivery | Refusal | undefined> {
    try {
      const file = await readRegularFile(this.#fileOf(entry.box, entry.name), SIZES);
      if (file !== undefined && this.#isWhole(entry.name, file)) return { entry, bytes: file.bytes };
      // A folder that goes between two files looks as if the second were gone.
      if (file === undefined) await this.#check();
      this.#listed.delete(entry);
      return undefined;
    } catch (error) {
      return await this.#refusal(entry, error);
    }
  }

  async remove(entries: readonly Entry[]): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    if (entries.length === 0) return refusals;
    await this.#ask(async (goesOn) => {
      await this.#check();
      for (let at = 0; at < entries.length; at += AT_ONCE) {
        const removed = await Promise.all(entries.slice(at, at + AT_ONCE).map((entry) => this.#removeOne(entry)));
        refusals.push(...removed.filter((refusal) => refusal !== undefined));
        goesOn();
      }
    });
    return refusals;
  }

  async #removeOne(entry: Entry): Promise<Refusal | undefined> {
    try {
      await removeSharedFile(this.#fileOf(entry.box, entry.name));
      this.#listed.delete(entry);
      return undefined;
    } catch (error) {
      return await this.#refusal(entry, error);
    }
  }

  async wait(boxes: readonly Box[], signal: AbortSignal): Promise<void> {
    const wanted: ReadonlySet<string> = new Set(boxes);
    for (;;) {
      await pause(POLL, signal);
      if (signal.aborted || (await this.#ask((goesOn) => this.#hasNews(wanted, goesOn)))) return;
    }
  }

  async close(): Promise<void> {}

  async #hasNews(boxes: ReadonlySet<string>, goesOn: () => void): Promise<boolean> {
    await this.#check();
    const look = this.#counter(goesOn);
    for await (const file of namesOf(this.#route.path)) {
      look();
      const { box, name } = partsOf(file) ?? {};
      if (box !== undefined && name !== undefined && boxes.has(box) && !this.#listed.has(box, name)) return true;
    }
    return false;
  }

  /**
   * What is being copied here may have its name before it is whole: at its full length even, with zeros at its end. The
   * message in it would look like one that contradicts an earlier one.
   */
  #isWhole(name: string, { bytes, status }: RegularFile): boolean {
    if (!this.#isYoung(status.ctimeMs)) return true;
    if (bytes.length < status.size || bytes.length < SIZES.least + (restLength(bytes) ?? 0)) return false;
    return isNameOfPart(name) || nameOfEnvelope(bytes) === name;
  }

  /** @param changedAt by the clock of the disk: unix milliseconds. */
  #isYoung(changedAt: number): boolean {
    return Math.abs(this.#context.now() - changedAt) < HOUR;
  }

  /**
   * What is called for each name that is looked at.
   * @throws `unreachable` where there are too many of them, and when the time is over.
   */
  #counter(goesOn: () => void): () => true {
    let looked = 0;
    return () => {
      goesOn();
      looked++;
      if (looked > MOST_NAMES) throw this.#unreachable(`there are more than 1,000,000 files in it`);
      return true;
    };
  }

  /** Removes what puts have left that were killed. No put takes an hour, by the clock of the disk: ours may be another. */
  async #sweep(goesOn: () => void): Promise<void> {
    const { path } = this.#route;
    const begun = performance.now();
    if (begun - this.#swept < HOUR) return;
    this.#swept = begun;
    const look = this.#counter(goesOn);
    let now: number | undefined;
    for await (const [name, { mtimeMs }] of filesOf(path, (file) => look() && DRAFT.test(file))) {
      now ??= await timeOfDisk(draftIn(path, MARK_FILE, this.#context));
      if (now - mtimeMs < HOUR) continue;
      // It may be another user's, who removes it then.
      await removeSharedFile(this.#pathOf(name)).catch(() => undefined);
    }
  }

  /** @throws `other-place`; the errors of the system. */
  async #check(): Promise<void> {
    const { path, mark } = this.#route;
    const found = await readMark(path);
    if (found === mark) return;
    if (found === undefined && !(await isFolder(path))) throw this.#unreachable('there is no such folder');
    throw new PawlError('other-place', { place: formatRoute(this.#route), expected: mark, found });
  }

  /** Unless it is the whole folder that fails. */
  async #refusal(entry: Entry, error: unknown): Promise<Refusal> {
    if (!isOfSystem(error)) throw error;
    await this.#check();
    return { entry, reason: reasonOf(error) };
  }

  #ask<Result>(work: (goesOn: () => void) => Promise<Result>, bytes = 0): Promise<Result> {
    const { timeLimit = TIME_LIMIT } = this.#context;
    return asking({ place: formatRoute(this.#route), timeLimit, bytes }, work);
  }

  #unreachable(reason: string): PawlError {
    return new PawlError('unreachable', { place: formatRoute(this.#route), reason });
  }

  #fileOf(box: Box, name: string): string {
    return this.#pathOf(`${box}.${name}.pawl`);
  }

  #pathOf(name: string): string {
    return join(this.#route.path, name);
  }
}

interface Named {
  readonly box: Box;
  readonly name: string;
}

/** What the name of a file says; `undefined` for a file that is not ours. */
function partsOf(file: string): Named | undefined {
  const [, box, name] = FILE.exec(file) ?? [];
  return box !== undefined && name !== undefined && isBox(box) ? { box, name } : undefined;
}

function boxIn(file: string): string {
  return partsOf(file)?.box ?? '';
}

async function readMark(path: string): Promise<string | undefined> {
  const file = await readRegularFile(join(path, MARK_FILE), MARK_SIZES);
  const text = file && Buffer.from(file.bytes).toString('latin1').trim();
  return text !== undefined && MARK.test(text) ? text : undefined;
}

/** Whether a mark is empty, and not just being made: who made it was killed, on a disk without links. */
async function isLeftBehind(folder: string, context: PlaceContext): Promise<boolean> {
  const empty = await readRegularFile(join(folder, MARK_FILE), { least: 0, most: 0 });
  if (empty === undefined) return false;
  return (await timeOfDisk(draftIn(folder, MARK_FILE, context))) - empty.status.mtimeMs > MARK_MAKING;
}

/** A path for what is being written in a folder: two processes may write the same at once. */
function draftIn(folder: string, name: string, { random }: PlaceContext): string {
  return join(folder, `~syncthing~${name}.${toHex(random(4))}.tmp`);
}

interface Asking {
  readonly place: string;
  readonly timeLimit: number;
  /** How many have to be carried. */
  readonly bytes?: number;
}

/**
 * Asks the system about a folder, which may be far away.
 * @param work says that it goes on; what it calls for that throws when its time is over, so that no loop goes on for ever.
 * @throws `unreachable`.
 */
async function asking<Result>(
  { place, timeLimit, bytes = 0 }: Asking,
  work: (goesOn: () => void) => Promise<Result>,
): Promise<Result> {
  const silence = timeFor(bytes, timeLimit);
  const end = performance.now() + silence + IN_ALL * timeLimit;
  let moved = performance.now();
  let late: PawlError | undefined;
  const left = () => {
    const now = performance.now();
    const isSilent = moved + silence <= now;
    if (late === undefined && (isSilent || end <= now)) {
      const reason = isSilent ? `it does not answer for ${Math.round(silence / 1_000)} s` : 'it answers too slowly';
      late = new PawlError('unreachable', { place, reason });
    }
    if (late !== undefined) throw late;
    return Math.min(moved + silence, end) - now;
  };
  const goesOn = () => {
    moved = performance.now();
    left();
  };
  try {
    return await within(work(goesOn), left);
  } catch (cause) {
    if (!isOfSystem(cause)) throw cause;
    throw new PawlError('unreachable', { place, reason: reasonOf(cause) }, { cause });
  }
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'errno' in error;
}
