import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Item, lengthOf, type ReceiveOptions, receiveAll } from '../../../../src/cli/commands/recv/receive.ts';
import { recordFormat } from '../../../../src/cli/commands/recv/record-format.ts';
import { reportWaiting } from '../../../../src/cli/commands/recv/report.ts';
import type { OpenIdentity } from '../../../../src/cli/identity/open.ts';
import { outputFileAt } from '../../../../src/cli/identity/output.ts';
import { Batches, BOUND } from '../../../../src/cli/stream/batches.ts';
import { decodeEnvelope, type WholeContent } from '../../../../src/envelope/index.ts';
import { Folder } from '../../../../src/files/index.ts';
import { utf8 } from '../../../../src/primitives/index.ts';
import { type Arrival, receive, send } from '../../../../src/session/index.ts';
import { CollectedOutput, temporaryFolder } from '../../fake-io.ts';
import { aliceAndBob, broken, FailingOutput, messages } from './people.ts';

type Items = Item[];

/** The groups of a stream, each of which arrives once the loop has asked for it and nothing else is to be done. */
async function* slowly(...groups: (Items | Error | (() => Promise<void>))[]): AsyncGenerator<Items, void, undefined> {
  for (const group of groups) {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    if (group instanceof Error) throw group;
    if (typeof group === 'function') await group();
    else yield group;
  }
}

async function batches(stream: AsyncGenerator<Items, void, undefined>): Promise<Batches<Item>> {
  return new Batches(stream, { first: await stream.next(), lengthOf });
}

async function* atOnce(...groups: Items[]): AsyncGenerator<Items, void, undefined> {
  yield* groups;
}

/** An identity of which every content that is read from the inbox is told. */
function watching(identity: OpenIdentity, onContent: () => void): OpenIdentity {
  const { store } = identity;
  const watched = <Given extends object>(given: Given): Given =>
    new Proxy(given, {
      get(target, name) {
        if (name === 'inboxContent') onContent();
        return Reflect.get(target, name);
      },
    });
  const watchedStore: Pick<OpenIdentity['store'], 'transaction' | 'snapshot'> = {
    transaction: (work) => store.transaction((transaction) => work(watched(transaction))),
    snapshot: (work) => store.snapshot((view) => work(watched(view))),
  };
  return { ...identity, store: watchedStore as OpenIdentity['store'] };
}

describe('the receiving loop', () => {
  it('commits what has arrived together at once, and acknowledges it in a second transaction', async () => {
    const { alice, io, context, identity, inbox } = await aliceAndBob();
    const [one, two, three] = await messages(alice, 'one ', 'two ', 'three');
    const transaction = vi.spyOn(identity.store, 'transaction');
    const input = await batches(atOnce([one as Arrival], [two as Arrival, three as Arrival]));
    expect(await receiveAll(context, identity, input, {})).toEqual({ exit: 0, isEmpty: false });
    expect(io.output.text).toBe('one two three');
    expect(transaction).toHaveBeenCalledTimes(2);
    expect(await inbox()).toEqual([]);
  });

  it('acknowledges while it waits for more input, and not only at the end', async () => {
    const { alice, io, context, identity, inbox } = await aliceAndBob();
    const [one, two] = await messages(alice, 'one ', 'two');
    const meanwhile = async () => {
      expect(io.output.text).toBe('one ');
      expect(await inbox()).toEqual([]);
    };
    const input = await batches(slowly([one as Arrival], meanwhile, [two as Arrival]));
    await receiveAll(context, identity, input, {});
    expect(io.output.text).toBe('one two');
    expect(await inbox()).toEqual([]);
  });

  it('acknowledges by the transaction of the next batch, where that has arrived', async () => {
    const { alice, context, identity, inbox } = await aliceAndBob();
    const first = await messages(alice, ...Array.from({ length: BOUND.items }, (_, n) => `${n}`));
    const second = await messages(alice, 'last');
    const { transaction } = identity.store;
    const inboxes: number[] = [];
    vi.spyOn(identity.store, 'transaction').mockImplementation(async (work) => {
      const result = await transaction.call(identity.store, work);
      inboxes.push((await inbox()).length);
      return result as never;
    });
    await receiveAll(context, identity, await batches(atOnce(first, second)), {});
    expect(inboxes).toEqual([BOUND.items, 1, 0]);
  });

  it('goes on where a transaction took only a part', async () => {
    const { alice, io, context, identity } = await aliceAndBob();
    const all = await messages(alice, '1', '2', '3');
    // Each look at the clock takes two seconds: a transaction takes one message.
    let now = identity.now();
    Object.assign(identity, { now: () => (now += 2_000) });
    const transaction = vi.spyOn(identity.store, 'transaction');
    const [one, ...rest] = all;
    await receiveAll(context, identity, await batches(atOnce([one as Arrival, broken('between'), ...rest])), {});
    expect(io.output.text).toBe('123');
    expect(io.errors.text).toContain('between');
    expect(transaction).toHaveBeenCalledTimes(4);
  });

  it('reports what could not be decoded in its place among the texts, and keeps none of them back', async () => {
    const { alice, io, context, identity } = await aliceAndBob({}, { json: true });
    const [one, two] = await messages(alice, 'one', 'two');
    const input = await batches(atOnce([broken('a'), one as Arrival, broken('b'), two as Arrival]));
    expect(await receiveAll(context, identity, input, {})).toEqual({ exit: 65, isEmpty: false });
    const documents = io.output.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(documents.map(({ type, source, text }) => source ?? text ?? type)).toEqual(['a', 'one', 'b', 'two']);
  });

  it('acknowledges what was delivered where the input fails, and then fails as the input did', async () => {
    const { alice, io, context, identity, inbox } = await aliceAndBob();
    const input = await batches(slowly(await messages(alice, 'one'), new Error('the disk is gone')));
    await expect(receiveAll(context, identity, input, {})).rejects.toThrow('the disk is gone');
    expect(io.output.text).toBe('one');
    expect(await inbox()).toEqual([]);
  });

  it('receives what arrived before the input failed', async () => {
    const { alice, io, context, identity } = await aliceAndBob();
    const one = await messages(alice, 'one');
    async function* failing() {
      yield one;
      throw new Error('the disk is gone');
    }
    await expect(receiveAll(context, identity, await batches(failing()), {})).rejects.toThrow('the disk is gone');
    expect(io.output.text).toBe('one');
  });

  it('keeps in the inbox what could not be written, and delivers it first the next time, in a line of its own', async () => {
    const output = new FailingOutput(0);
    const { alice, context, identity, inbox } = await aliceAndBob({ output });
    const input = await batches(atOnce(await messages(alice, 'one')));
    await expect(receiveAll(context, identity, input, {})).rejects.toMatchObject({ code: 'closed-pipe' });
    expect(await inbox()).toHaveLength(1);

    // Another process, which finds the first one ended.
    const { io, context: later } = await aliceAndBob();
    const restarted = { ...identity, process: 'later', isRunning: (name: string) => name === 'later' };
    const next = await batches(atOnce(await messages(alice, 'two')));
    await receiveAll(later, restarted, next, { lines: true });
    expect(io.output.text).toBe('one\ntwo\n');
    expect(io.errors.text).toContain('1 earlier text first, which waited');
    expect(await inbox()).toEqual([]);
  });

  it('leaves what a terminal cannot show where it is, reads none of it, and tells many by their number', async () => {
    const { alice, context, identity, inbox } = await aliceAndBob({ output: new CollectedOutput(true) });
    const names = Array.from({ length: 24 }, (_, n) => `${n}.bin`);
    const files = await Promise.all(
      names.map(async (name) => {
        const content = { type: 'file', name, sentAt: 0, bytes: new Uint8Array(1_000_000) } as const;
        const envelope = decodeEnvelope((await send(alice.context, 'bob', content)).envelope);
        if (!('message' in envelope)) throw new Error('an invite is no message');
        return { source: name, envelope };
      }),
    );
    await receiveAll(context, identity, await batches(atOnce(files)), {});
    expect(await inbox()).toHaveLength(24);

    const { io, context: later } = await aliceAndBob({ output: new CollectedOutput(true) });
    const content = vi.fn();
    const watched = watching(identity, content);
    await receiveAll(later, watched, await batches(atOnce(await messages(alice, 'tiny'))), {});
    expect(io.output.text).toContain('tiny');
    expect(io.errors.text).toBe('pawl: 24 files (24.0 MB) from alice wait: pawl recv --waiting --out-dir DIR\n');
    // Asked for what waits, it names them.
    await receiveAll(later, watched, undefined, { waiting: true });
    expect(io.errors.text.match(/the file \d+.bin \(1.0 MB\) from alice waits/g)).toHaveLength(20);
    expect(content).not.toHaveBeenCalled();
    const waiting = await identity.store.snapshot((view) => view.inbox());
    expect(waiting.map(({ process }) => process)).toEqual(names.map(() => undefined));
  });

  it('takes what waits by slices, each of which is acknowledged with the next', async () => {
    const { alice, identity, inbox } = await aliceAndBob();
    const texts = await messages(alice, ...Array.from({ length: BOUND.items }, (_, n) => `${n},`), 'one more');
    for (const text of texts) {
      // Each by a process that dies before it delivers the text.
      await receive({ ...identity, process: 'dead' }, [text], {});
    }
    const { io, context: later } = await aliceAndBob();
    const restarted = { ...identity, process: 'later', isRunning: (name: string) => name === 'later' };
    const { transaction } = identity.store;
    const claimed: number[] = [];
    vi.spyOn(identity.store, 'transaction').mockImplementation(async (work) => {
      const result = await transaction.call(identity.store, work);
      const rows = await identity.store.snapshot((view) => view.inbox());
      claimed.push(rows.filter(({ process }) => process === 'later').length);
      return result as never;
    });
    expect(await receiveAll(later, restarted, undefined, { waiting: true })).toEqual({ exit: 0, isEmpty: false });
    expect(claimed).toEqual([BOUND.items, 1, 0]);
    expect(io.output.text).toMatch(/^0,1,.*255,one more$/);
    expect(await inbox()).toEqual([]);
  });

  it('lets three contacts be named, and no more', async () => {
    const { context, io } = await aliceAndBob({ output: new CollectedOutput(true) });
    const waits = (from: string) => ({ from, head: { kind: 'bytes', sentAt: 0, length: 10 } as const });
    await reportWaiting(context, ['a', 'b', 'c', 'c'].map(waits));
    await reportWaiting(context, ['a', 'b', 'c', 'd'].map(waits));
    await reportWaiting(context, ['a', 'b', 'c'].map(waits));
    expect(io.errors.text.split('\n')).toEqual([
      'pawl: 4 messages (40 bytes) from a, b, c are no text: pawl recv --waiting > FILE',
      'pawl: 4 messages (40 bytes) from 4 contacts are no text: pawl recv --waiting > FILE',
      'pawl: a message from a is no text (10 bytes): pawl recv --waiting > FILE',
      'pawl: a message from b is no text (10 bytes): pawl recv --waiting > FILE',
      'pawl: a message from c is no text (10 bytes): pawl recv --waiting > FILE',
      '',
    ]);
  });

  it('only counts the earlier texts with -o, unless nothing else was asked for', async () => {
    const { alice, context, identity, inbox } = await aliceAndBob({ output: new FailingOutput(0) });
    const input = await batches(atOnce(await messages(alice, 'one')));
    await expect(receiveAll(context, identity, input, {})).rejects.toMatchObject({ code: 'closed-pipe' });

    const { io, context: later } = await aliceAndBob();
    const restarted = { ...identity, process: 'later', isRunning: (name: string) => name === 'later' };
    const path = join(temporaryFolder(), 'texts');
    const output = outputFileAt(later, path, {});
    const next = await batches(atOnce(await messages(alice, 'two')));
    expect(await receiveAll(later, restarted, next, { output })).toEqual({ exit: 0, isEmpty: false });
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(io.errors.text).toBe('pawl: 1 earlier text waits: pawl recv --waiting\n');
    expect(await inbox()).toHaveLength(1);

    const again = outputFileAt(later, path, { force: true });
    await receiveAll(later, restarted, undefined, { output: again, waiting: true });
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(await inbox()).toEqual([]);
  });

  describe('what waits, where something else was asked for', () => {
    const TEXT = { type: 'text', sentAt: 0, bytes: utf8('a text') } as const;
    const BYTES = { type: 'text', sentAt: 0, bytes: new Uint8Array([0xff, 0]) } as const;
    const FILE = { type: 'file', name: 'list', sentAt: 0, bytes: utf8('milk') } as const;

    /** Bob gets "asked for" while those wait that a process had which was killed before it wrote them. */
    async function besideWaiting(
      contents: readonly WholeContent[],
      options: ReceiveOptions = {},
      { json = false, isTerminal = false, isAsked = true } = {},
    ) {
      const { alice, identity, inbox } = await aliceAndBob();
      for (const content of contents) {
        const envelope = decodeEnvelope((await send(alice.context, 'bob', content)).envelope);
        if (!('message' in envelope)) throw new Error('an invite is no message');
        await receive({ ...identity, process: 'killed' }, [{ source: 'before', envelope }], {});
      }
      const { io, context } = await aliceAndBob({ output: new CollectedOutput(isTerminal) }, { json });
      const later = { ...identity, process: 'later', isRunning: (name: string) => name === 'later' };
      const input = isAsked ? await batches(atOnce(await messages(alice, 'asked for'))) : undefined;
      const { exit } = await receiveAll(context, later, input, options);
      expect(exit).toBe(0);
      return { output: io.output.text, errors: io.errors.text, left: (await inbox()).length };
    }

    it.each([
      ['a text', [TEXT], '1 earlier text waits'],
      ['a file', [FILE], '1 earlier file waits'],
      ['bytes', [BYTES, BYTES], '2 earlier texts wait'],
      ['all of them', [TEXT, FILE, BYTES], '3 earlier texts and files wait'],
    ])('is told, and not glued to it in a pipe: %s', async (_, contents, words) => {
      const { output, errors, left } = await besideWaiting(contents);
      expect(output).toBe('asked for');
      expect(errors).toBe(`pawl: ${words}: pawl recv --waiting\n`);
      expect(left).toBe(contents.length);
    });

    it('comes first where it is set apart: as JSON, in a format of its own, a text in a line or with its heading', async () => {
      const all = [TEXT, FILE, BYTES];
      const json = await besideWaiting(all, {}, { json: true });
      expect(json.output.trim().split('\n')).toHaveLength(4);
      expect(json.left).toBe(0);
      const formatted = await besideWaiting([TEXT, FILE], { format: recordFormat('<%text>') });
      expect(formatted).toMatchObject({ output: '<a text><milk><asked for>', left: 0 });
      const lines = await besideWaiting(all, { lines: true });
      expect(lines).toMatchObject({ output: 'a text\nasked for\n', left: 2 });
      expect(lines.errors).toContain('2 earlier texts and files wait: pawl recv --waiting');
      const terminal = await besideWaiting(all, {}, { isTerminal: true });
      expect(terminal.output).toMatch(/a text\n(.|\n)*asked for\n/);
      expect(terminal).toMatchObject({
        left: 2,
        errors: expect.stringContaining('the file list (4 bytes) from alice waits'),
      });
    });

    it('goes into its folder if it is a file, while a text waits', async () => {
      const path = temporaryFolder();
      const { output, errors, left } = await besideWaiting([TEXT, FILE], { folder: new Folder(path, () => undefined) });
      expect(output).toBe('asked for');
      expect(readFileSync(join(path, 'list'), 'utf8')).toBe('milk');
      expect(errors).toContain('1 earlier text waits: pawl recv --waiting');
      expect(left).toBe(1);
    });

    it('is what comes where nothing else was in the input, or where it was asked for', async () => {
      const nothing = await besideWaiting([TEXT, FILE], {}, { isAsked: false });
      expect(nothing).toEqual({ output: 'a textmilk', errors: expect.not.stringContaining('wait:'), left: 0 });
      const waiting = await besideWaiting([TEXT, FILE], { waiting: true }, { isAsked: false });
      expect(waiting).toMatchObject({ output: 'a textmilk', left: 0 });
    });
  });

  it('says at the end, once for each contact, how many messages are still missing', async () => {
    const { alice, io, context, identity } = await aliceAndBob();
    const [, two, , four, five] = await messages(alice, '1', '2', '3', '4', '5');
    const input = await batches(slowly([two as Arrival], [four as Arrival], [five as Arrival]));
    await receiveAll(context, identity, input, {});
    expect(io.errors.text.match(/missing so far/g)).toHaveLength(1);
    expect(io.errors.text).toContain('2 messages of alice missing so far');
  });

  it('passes on whom to accept, and how many keys to derive', async () => {
    const { alice, io, context, identity } = await aliceAndBob();
    const all = await messages(alice, '1', '2', '3', '4');
    const input = await batches(atOnce(all.slice(3)));
    expect(await receiveAll(context, identity, input, { maxGap: 2 })).toEqual({ exit: 65, isEmpty: false });
    const others = await batches(atOnce(all.slice(0, 1)));
    expect(await receiveAll(context, identity, others, { from: 'carol' })).toEqual({ exit: 0, isEmpty: false });
    expect(io.output.text).toBe('');
  });

  it('tells an empty input from one that only had refusals', async () => {
    const { context, identity } = await aliceAndBob();
    expect(await receiveAll(context, identity, await batches(atOnce([])), {})).toEqual({ exit: 0, isEmpty: true });
    const refused = await batches(atOnce([broken('a')]));
    expect(await receiveAll(context, identity, refused, {})).toEqual({ exit: 65, isEmpty: false });
  });
});
