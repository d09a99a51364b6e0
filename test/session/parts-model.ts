import { expect } from 'vitest';
import { decodeEnvelope, PART_SIZES, type SealedPart } from '../../src/envelope/index.ts';
import { equal, toHex } from '../../src/primitives/index.ts';
import {
  type Context,
  type IncomingContent,
  incomingContents,
  listUnsent,
  OutgoingContent,
} from '../../src/session/index.ts';
import { type Action, type Message, Model, other, type Side } from './model.ts';

const S = PART_SIZES.usual;
/** Contents of one part to three; that of none has one, too. */
const LENGTHS = [0, 1, S, S + 1, 2 * S, 2 * S + 5];
/** Every content is a piece of it. */
const DATA = new Uint8Array(3 * S).map((_, index) => (index * 167) ^ (index >> 8));
/** How many are awaited of somebody who is not verified. */
const MOST = 4;

export type PartsAction =
  | Action
  /** Sends a descriptor. */
  | { readonly do: 'begin'; readonly from: Side; readonly length: number; readonly isStream: boolean }
  /**
   * Seals the next part of one of the contents, and notes, with `isSaved`, that it is on a disk. Else it goes into a pipe: a
   * content that another process has begun begins anew.
   */
  | { readonly do: 'seal'; readonly pick: number; readonly isSaved: boolean }
  /** Delivers parts, whichever, by one command; with `isSaved` false it is killed before it has noted them. */
  | { readonly do: 'take'; readonly picks: readonly number[]; readonly isSaved: boolean }
  /** Delivers a part of which a bit was flipped. */
  | { readonly do: 'damage'; readonly pick: number; readonly at: number };

/** A part on the way. */
interface Sealed {
  readonly of: Large;
  readonly index: number;
  readonly part: SealedPart;
}

/** A content in parts, and what an observer of both sides knows of it. */
interface Large {
  readonly from: Side;
  /** The life of the sender in which it was begun. */
  readonly begun: number;
  readonly message: Message;
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  readonly isStream: boolean;
  /** `undefined` where the process that sent it has ended. */
  outgoing: OutgoingContent | undefined;
  saved: number;
  /** All parts were sealed, or no more can be. */
  isSent: boolean;
  /** The life of the receiver in which the descriptor was accepted. */
  announced: number | undefined;
  readonly collected: Uint8Array;
  arrived: Set<number>;
  delivered: number;
}

/** Two who talk, and send contents in parts, over a channel that loses, repeats, mixes and damages all of it. */
export class PartsModel extends Model {
  readonly contents: Large[] = [];
  readonly parts: Sealed[] = [];
  /** The process of each side, by number: a new one after each restart. */
  readonly #processes: Record<Side, number> = { alice: 0, bob: 0 };

  override async play(action: PartsAction): Promise<void> {
    switch (action.do) {
      case 'begin':
        return this.#begin(action.from, LENGTHS[action.length % LENGTHS.length] ?? 0, action.isStream);
      case 'seal':
        return this.#seal(action.pick, action.isSaved);
      case 'take':
        return this.take(action.picks, action.isSaved);
      case 'damage':
        return this.#damage(action.pick, action.at);
      case 'restart':
        this.#end(action.who);
        return super.play(action);
      default:
        return super.play(action);
    }
  }

  override loseFile(who: Side): void {
    super.loseFile(who);
    this.#end(who);
    for (const content of this.contents) {
      if (content.from === who) content.isSent = true;
      else content.arrived.clear();
    }
  }

  override expected(message: Message): RegExp {
    const usual = super.expected(message);
    const isFull = this.#awaitedBy(other(message.from)).length >= MOST;
    return usual.source === '^announced$' && isFull ? /^refused: too-many-incoming$/ : usual;
  }

  protected override accept(side: Side, message: Message): void {
    super.accept(side, message);
    const content = this.contents.find((one) => one.message === message);
    if (content === undefined) return;
    expect(content.announced).not.toBe(this.lives[side]);
    content.announced = this.lives[side];
  }

  /** Seals what is not sealed yet, and gives everything until nothing new comes: all that can be complete is. */
  async settle(): Promise<void> {
    for (const [pick, content] of this.contents.entries()) while (!content.isSent) await this.#seal(pick, true);
    const isWhole = () => this.contents.filter(({ delivered }) => delivered > 0).length;
    for (let before = -1; before < isWhole(); ) {
      before = isWhole();
      await this.deliver(this.messages.map((_, i) => this.messages.length - 1 - i));
      await this.take(
        this.parts.map((_, i) => this.parts.length - 1 - i),
        true,
      );
    }
    for (const content of this.contents) {
      const sealed = new Set(this.parts.filter(({ of }) => of === content).map(({ index }) => index));
      const isReadable = content.delivered > 0 || content.announced === this.lives[other(content.from)];
      expect(content.delivered).toBe(isReadable && sealed.size === partsOf(content) ? 1 : 0);
    }
  }

  #contextOf(side: Side): Context {
    const process = `${side} ${this.#processes[side]}`;
    return { ...this.parties[side].context, process, isRunning: (name) => name === process };
  }

  /** The process of a side ends. */
  #end(who: Side): void {
    this.#processes[who] += 1;
    for (const content of this.contents) if (content.from === who) content.outgoing = undefined;
  }

  #awaitedBy(side: Side): readonly Large[] {
    return this.contents.filter(
      (one) => one.from !== side && one.delivered === 0 && one.announced === this.lives[side],
    );
  }

  async #begin(from: Side, length: number, isStream: boolean): Promise<void> {
    const bytes = DATA.subarray(this.contents.length, this.contents.length + length);
    const begin = () =>
      OutgoingContent.begin(this.#contextOf(from), other(from), {
        name: isStream ? undefined : 'film.mkv',
        size: isStream ? undefined : length,
        source: isStream ? undefined : { path: '/film.mkv', inode: '1 2', modified: '3', host: 'a host' },
      });
    const begun = await this.encrypt(from, `${from} ${this.messages.length}`, begin, 'announced');
    if (begun === undefined) return;
    this.contents.push({
      from,
      begun: this.lives[from],
      message: begun.message,
      id: begun.sealed.id,
      bytes,
      isStream,
      outgoing: begun.sealed,
      saved: 0,
      isSent: false,
      announced: undefined,
      collected: new Uint8Array(length),
      arrived: new Set(),
      delivered: 0,
    });
    await this.#expectKeys(from);
  }

  async #seal(pick: number, isSaved: boolean): Promise<void> {
    const content = this.contents[pick % this.contents.length];
    if (content === undefined || content.isSent) return;
    const outgoing = content.outgoing ?? (await this.#resume(content, !isSaved));
    if (outgoing === undefined) return;
    content.outgoing = outgoing;
    const index = outgoing.parts;
    const end = (index + 1) * S;
    const isLast = end >= content.bytes.length;
    const envelope = decodeEnvelope(outgoing.seal(content.bytes.subarray(index * S, end), isLast));
    if (envelope.kind !== 'part') throw new Error('a part is a part');
    this.parts.push({ of: content, index, part: { ...envelope.part, sealed: envelope.part.sealed.slice() } });
    if (isLast) {
      await outgoing.finish();
      outgoing.wipe();
      content.isSent = true;
    } else {
      if (isSaved) outgoing.keep();
      await outgoing.save();
      if (isSaved) content.saved = outgoing.parts;
    }
    await this.#expectKeys(content.from);
  }

  /** Another process goes on with a content; that of a stream is given up. */
  async #resume(content: Large, isWhole: boolean): Promise<OutgoingContent | undefined> {
    const context = this.#contextOf(content.from);
    const unsent = (await listUnsent(context)).find(({ messageId }) => equal(messageId, content.id));
    if (unsent === undefined) throw new Error('what is not sent is listed');
    expect(unsent).toMatchObject({ parts: content.saved });
    if (!content.isStream) return OutgoingContent.resume(context, unsent.id, { isWhole });
    await expect(OutgoingContent.resume(context, unsent.id)).rejects.toMatchObject({ code: 'cannot-resume' });
    content.isSent = true;
    await this.#expectKeys(content.from);
    return undefined;
  }

  async take(picks: readonly number[], isSaved: boolean): Promise<void> {
    const picked = picks.map((pick) => this.parts[pick % this.parts.length]).filter((part) => part !== undefined);
    for (const side of ['alice', 'bob'] as const) await this.#takeAt(side, picked, isSaved);
  }

  async #takeAt(side: Side, picked: readonly Sealed[], isSaved: boolean): Promise<void> {
    const parts = picked.filter(({ of }) => of.from !== side);
    if (parts.length === 0) return;
    const awaited = [...(await incomingContents(this.#contextOf(side)))];
    const taken = new Map<Large, IncomingContent>();
    const before = new Map(this.contents.map((content) => [content, new Set(content.arrived)]));
    for (const { of: content, index, part } of parts) {
      const owner = awaited.find((one) => one.owns(part));
      expect(owner !== undefined).toBe(this.#awaitedBy(side).includes(content));
      if (owner === undefined) continue;
      if (!taken.has(content)) await owner.take();
      taken.set(content, owner);
      const { part: opened, verdict } = owner.open(part);
      expect([opened.index, verdict === 'new']).toEqual([index, !content.arrived.has(index)]);
      if (verdict === 'stored') await owner.compare(opened);
      if (verdict !== 'new') continue;
      content.collected.set(opened.data, index * S);
      owner.add(opened);
      content.arrived.add(index);
      expect([owner.log.count, owner.log.isComplete]).toEqual([
        content.arrived.size,
        content.arrived.size === partsOf(content),
      ]);
      if (isSaved) await owner.save();
      if (!owner.log.isComplete) continue;
      expect(owner.log.bytes).toBe(content.bytes.length);
      expect(equal(content.collected, content.bytes)).toBe(true);
      expect(await owner.dropChanged((at, length) => content.collected.subarray(at, at + length))).toBe(0);
      await owner.finish();
      content.delivered += 1;
      expect(content.delivered).toBe(1);
      owner.wipe();
      awaited.splice(awaited.indexOf(owner), 1);
    }
    for (const [content, owner] of taken) {
      if (content.delivered > 0) continue;
      if (isSaved) {
        await owner.save();
        await owner.release();
      } else content.arrived = before.get(content) ?? new Set();
    }
    for (const one of awaited) one.wipe();
    if (!isSaved) this.#end(side);
    await this.#expectKeys(side);
  }

  async #damage(pick: number, at: number): Promise<void> {
    const { of: content, part } = this.parts[pick % this.parts.length] ?? {};
    if (content === undefined || part === undefined) return;
    const { salt, tag, sealed } = part;
    const bytes = new Uint8Array(Buffer.concat([salt, tag, sealed]));
    const position = at % bytes.length;
    bytes[position] = (bytes[position] ?? 0) ^ (1 << (at % 8));
    const forged = { salt: bytes.subarray(0, 16), tag: bytes.subarray(16, 24), sealed: bytes.subarray(24) };
    const side = other(content.from);
    const awaited = await incomingContents(this.#contextOf(side));
    for (const owner of awaited.filter((one) => one.owns(forged))) {
      expect(() => owner.open(forged)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    }
    for (const one of awaited) one.wipe();
  }

  /** The keys that a side has are those of the contents that it has not finished. */
  async #expectKeys(side: Side): Promise<void> {
    const { incoming, outgoing } = await this.parties[side].store.snapshot(async (view) => ({
      incoming: await view.incoming(),
      outgoing: await view.outgoing(),
    }));
    const names = (rows: readonly { readonly messageId: Uint8Array }[]) =>
      rows.map(({ messageId }) => toHex(messageId));
    const idsOf = (contents: readonly Large[]) => contents.map(({ id }) => toHex(id)).sort();
    expect(names(incoming).sort()).toEqual(idsOf(this.#awaitedBy(side)));
    const unsent = this.contents.filter((one) => one.from === side && one.begun === this.lives[side] && !one.isSent);
    expect(names(outgoing).sort()).toEqual(idsOf(unsent));
  }
}

function partsOf({ bytes }: Large): number {
  return Math.max(Math.ceil(bytes.length / S), 1);
}
