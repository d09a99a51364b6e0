import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Deliverer } from '../../../../src/cli/commands/recv/delivery.ts';
import { outputFileAt } from '../../../../src/cli/identity/output.ts';
import { type Content, decodeEnvelope } from '../../../../src/envelope/index.ts';
import { PawlError } from '../../../../src/errors.ts';
import { Folder } from '../../../../src/files/index.ts';
import { utf8 } from '../../../../src/primitives/index.ts';
import {
  type Claim,
  type Context,
  claim,
  LEASE,
  listWaiting,
  type Outcome,
  receive,
  send,
} from '../../../../src/session/index.ts';
import { NOTHING_SETTLED, type Party } from '../../../session/party.ts';
import { CollectedOutput, temporaryFolder } from '../../fake-io.ts';
import { aliceAndBob, FailingOutput } from './people.ts';

/** What bob has received of alice and not delivered yet. */
async function received(alice: Party, bob: Party, ...contents: readonly Content[]): Promise<Outcome[]> {
  const arrivals = [];
  for (const content of contents) {
    const envelope = decodeEnvelope((await send(alice.context, 'bob', content)).envelope);
    if (!('message' in envelope)) throw new Error('an invite is no message');
    arrivals.push({ source: 'a test', envelope });
  }
  return (await receive(bob.context, arrivals, {})).outcomes;
}

const text = (words: string): Content => ({ type: 'text', sentAt: 0, bytes: utf8(words) });
const file = (name: string, words: string): Content => ({ type: 'file', name, sentAt: 0, bytes: utf8(words) });

describe('a text', () => {
  it('leaves the inbox once it has been written and acknowledged, and not before', async () => {
    const { alice, bob, io, context, identity, inbox } = await aliceAndBob();
    const deliverer = new Deliverer(context, identity, {});
    await deliverer.deliver(await received(alice, bob, text('one'), text('two')));
    expect(io.output.text).toBe('onetwo');
    expect(deliverer.settled).toEqual({ delivered: await inbox(), deferred: [], failed: [] });
    expect(await inbox()).toHaveLength(2);
    await deliverer.acknowledge();
    expect(deliverer.settled).toEqual({ delivered: [], deferred: [], failed: [] });
    expect(await inbox()).toEqual([]);
  });

  it('that a transaction has acknowledged already is not acknowledged again', async () => {
    const { alice, bob, context, identity } = await aliceAndBob();
    const deliverer = new Deliverer(context, identity, {});
    await deliverer.deliver(await received(alice, bob, text('one')));
    deliverer.markSettled(deliverer.settled);
    const transaction = vi.spyOn(identity.store, 'transaction');
    await deliverer.acknowledge();
    expect(transaction).not.toHaveBeenCalled();
  });

  it('stays in the inbox where writing fails, and what was written before is acknowledged', async () => {
    const { alice, bob, context, identity, inbox } = await aliceAndBob({ output: new FailingOutput(1) });
    const deliverer = new Deliverer(context, identity, {});
    // Too large to be gathered into one write.
    const outcomes = await received(alice, bob, text('1'.repeat(20_000)), text('2'.repeat(20_000)), text('3'));
    await expect(deliverer.deliver(outcomes)).rejects.toMatchObject({ code: 'closed-pipe' });
    await deliverer.acknowledge();
    expect(await inbox()).toHaveLength(2);
  });

  it('is still delivered where the acknowledgement fails, and that is a warning', async () => {
    const { alice, bob, io, context, identity } = await aliceAndBob();
    const deliverer = new Deliverer(context, identity, {});
    await deliverer.deliver(await received(alice, bob, text('one')));
    vi.spyOn(identity.store, 'transaction').mockRejectedValueOnce(new PawlError('busy', { path: 'bob.db' }));
    await deliverer.acknowledge();
    expect(io.output.text).toBe('one');
    expect(io.errors.text).toMatch(/could not be noted, and may come once more: .*in use/);
  });

  it('has a newline behind it with --lines, and none without', async () => {
    const { alice, bob, io, context, identity } = await aliceAndBob();
    const outcomes = await received(alice, bob, text('one'), text('two'));
    await new Deliverer(context, identity, { lines: true }).deliver([...outcomes]);
    await new Deliverer(context, identity, {}).deliver(outcomes);
    expect(io.output.text).toBe('one\ntwo\nonetwo');
  });

  it('goes into the file of -o with the others at the end, is acknowledged then, and described with --json', async () => {
    const { alice, bob, io, context, identity, inbox } = await aliceAndBob({}, { json: true });
    const path = join(temporaryFolder(), 'texts');
    const deliverer = new Deliverer(context, identity, { output: outputFileAt(context, path, {}), lines: true });
    await deliverer.deliver(await received(alice, bob, text('one')));
    await deliverer.deliver(await received(alice, bob, file('two', 'two')));
    await deliverer.acknowledge();
    expect(await inbox()).toHaveLength(2);
    await deliverer.finish({ isTaken: false });
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(await inbox()).toEqual([]);
    const documents = io.output.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(documents.map(({ type, file: name, text: words }) => [type, name, words])).toEqual([
      ['message', undefined, undefined],
      ['message', 'two', undefined],
    ]);
  });

  it('makes no file of -o where there is none', async () => {
    const { context, identity } = await aliceAndBob();
    const folder = temporaryFolder();
    await new Deliverer(context, identity, { output: outputFileAt(context, join(folder, 'texts'), {}) }).finish({
      isTaken: false,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('on a terminal', () => {
  it('a file, and what is no text, wait in the inbox for a command that can write them', async () => {
    const { alice, bob, io, context, identity, inbox } = await aliceAndBob({ output: new CollectedOutput(true) });
    const deliverer = new Deliverer(context, identity, {});
    const bytes: Content = { type: 'text', sentAt: 0, bytes: new Uint8Array([0xff, 0]) };
    await deliverer.deliver(await received(alice, bob, text('one'), file('list', 'milk'), bytes));
    await deliverer.acknowledge();
    expect(io.output.text).toContain('one');
    expect(io.output.text).not.toContain('milk');
    expect(io.errors.text).toMatch(/the file list .* waits.*\n.*is no text/);
    const waiting = await bob.store.snapshot((view) => view.inbox());
    expect(waiting.map(({ process }) => process)).toEqual([undefined, undefined]);
    expect(await inbox()).toHaveLength(2);
  });
});

describe('a file, with a folder for it', () => {
  it('is saved, and leaves the inbox; a text beside it goes to standard output', async () => {
    const { alice, bob, io, context, identity, inbox } = await aliceAndBob();
    const path = temporaryFolder();
    const deliverer = new Deliverer(context, identity, { folder: new Folder(path, () => undefined) });
    await deliverer.deliver(await received(alice, bob, file('list', 'milk'), text('see the list')));
    await deliverer.acknowledge();
    expect(readFileSync(join(path, 'list'), 'utf8')).toBe('milk');
    expect(io.output.text).toBe('see the list');
    expect(io.errors.text).toContain(`wrote ${join(path, 'list')}`);
    expect(await inbox()).toEqual([]);
  });

  it('that cannot be saved waits, keeps none of the others back, and gives the exit code', async () => {
    const { alice, bob, io, context, identity, inbox } = await aliceAndBob();
    const path = temporaryFolder();
    writeFileSync(join(path, 'list'), 'precious');
    mkdirSync(join(path, 'folder'));
    const deliverer = new Deliverer(context, identity, { folder: new Folder(path, () => undefined) });
    const outcomes = await received(alice, bob, file('list', 'milk'), file('folder', 'x'), file('other', 'bread'));
    await deliverer.deliver([...outcomes]);
    await deliverer.acknowledge();
    expect(deliverer.exit).toBe(73);
    expect(readFileSync(join(path, 'list'), 'utf8')).toBe('precious');
    expect(readFileSync(join(path, 'other'), 'utf8')).toBe('bread');
    expect(io.errors.text).toContain('the file list from alice waits');
    expect(await inbox()).toHaveLength(2);

    const forced = new Deliverer(context, identity, { folder: new Folder(path, () => undefined), force: true });
    await forced.deliver(outcomes.slice(0, 1));
    expect(readFileSync(join(path, 'list'), 'utf8')).toBe('milk');
  });
});

describe('what is no text', () => {
  it('is reported after the texts before it, and the first refusal gives the exit code', async () => {
    const { alice, bob, io, context, identity } = await aliceAndBob({}, { json: true });
    const deliverer = new Deliverer(context, identity, {});
    expect([deliverer.isEmpty, deliverer.exit]).toEqual([true, 0]);
    const refused = (source: string, code: 'corrupt' | 'exhausted') =>
      ({ type: 'refused', from: undefined, error: new PawlError(code, { what: 'x' } as never), source }) as const;
    const [one] = await received(alice, bob, text('one'));
    await deliverer.deliver([one as Outcome, refused('a', 'corrupt'), refused('b', 'exhausted')]);
    const documents = io.output.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(documents.map(({ type, source }) => source ?? type)).toEqual(['message', 'a', 'b']);
    expect([deliverer.isEmpty, deliverer.exit]).toEqual([false, 65]);
  });
});

describe('a text that waits here for so long that another machine has taken it over', () => {
  /** An output during whose writes something happens. */
  class SlowOutput extends CollectedOutput {
    meanwhile: (written: string) => Promise<void> = async () => undefined;

    override async write(bytes: Uint8Array | string): Promise<void> {
      await super.write(bytes);
      await this.meanwhile(String(Buffer.from(bytes as Uint8Array)));
    }
  }

  /** Bob with a slow output, and with another machine that takes over what is overdue. */
  async function slowly(options: { json?: boolean } = {}) {
    const output = new SlowOutput();
    const people = await aliceAndBob({ output }, options);
    const { bob, identity } = people;
    const other: Context = {
      ...bob.context,
      process: 'there',
      isRunning: (name) => (name === 'there' ? true : undefined),
    };
    /** @param which those of the texts that wait, by their place; all. */
    const takeOver = async (...which: readonly number[]): Promise<readonly Claim[]> => {
      const waiting = await listWaiting(other);
      const texts = waiting.filter((_, index) => which.length === 0 || which.includes(index));
      return claim(other, texts, NOTHING_SETTLED);
    };
    const transactions = vi.spyOn(identity.store, 'transaction');
    return { ...people, output, takeOver, transactions };
  }

  const large = (digit: string) => text(digit.repeat(20_000));
  const TAKEN = 'pawl: 1 text waited here for so long that another pawl has taken over\n';

  it('is not written where a reader was slow before it, and the one before is noted', async () => {
    const { alice, bob, io, context, identity, inbox, output, takeOver } = await slowly();
    const outcomes = await received(alice, bob, large('1'), large('2'), large('3'));
    output.meanwhile = async (written) => {
      if (!written.startsWith('1')) return;
      bob.time += LEASE;
      await takeOver(1);
    };
    const deliverer = new Deliverer(context, identity, {});
    await deliverer.deliver(outcomes);
    await deliverer.acknowledge();
    expect(output.text).toBe('1'.repeat(20_000) + '3'.repeat(20_000));
    expect(io.errors.text).toBe(TAKEN);
    expect(await inbox()).toHaveLength(1);
  });

  it('is not written with others of one buffer: what counts is when the bytes go out', async () => {
    const { alice, bob, io, context, identity, inbox, output, takeOver } = await slowly();
    const outcomes = await received(alice, bob, text('a'), text('b'), text('c'));
    bob.time += LEASE;
    await takeOver(1);
    const deliverer = new Deliverer(context, identity, {});
    await deliverer.deliver(outcomes);
    await deliverer.acknowledge();
    expect([output.text, io.errors.text, (await inbox()).length]).toEqual(['ac', TAKEN, 1]);
  });

  it('is not there while what is written goes on, however slowly: claims are renewed, and what is written is noted', async () => {
    const { alice, bob, context, identity, inbox, output, takeOver, transactions } = await slowly();
    const outcomes = await received(alice, bob, ...['1', '2', '3', '4', '5', '6'].map(large));
    const deliverer = new Deliverer(context, identity, {});
    transactions.mockClear();
    const taken: number[] = [];
    output.meanwhile = async () => {
      bob.time += (LEASE * 2) / 5;
      taken.push((await takeOver()).length);
    };
    await deliverer.deliver(outcomes);
    expect(taken).toEqual([0, 0, 0, 0, 0, 0]);
    await deliverer.acknowledge();
    expect([output.text.length, await inbox()]).toEqual([120_000, []]);
  });

  it('costs no transaction where nothing is slow', async () => {
    const { alice, bob, context, identity, output, transactions } = await slowly();
    const outcomes = await received(alice, bob, ...Array.from({ length: 40 }, (_, n) => text(`${n},`.repeat(300))));
    const waiting = await received(alice, bob, file('list', 'milk'));
    transactions.mockClear();
    const folder = new Folder(temporaryFolder(), () => undefined);
    await new Deliverer(context, identity, { folder }).deliver([...outcomes, ...waiting]);
    expect([output.text.startsWith('0,0,'), transactions.mock.calls.length]).toEqual([true, 0]);
  });

  it('is not saved in a folder; and what is saved is told, whatever becomes of it then', async () => {
    const { alice, bob, io, context, identity, inbox, output, takeOver } = await slowly({ json: true });
    const path = temporaryFolder();
    const outcomes = await received(alice, bob, file('one', '1'), large('x'), file('two', '2'), file('three', '3'));
    let writes = 0;
    output.meanwhile = async () => {
      writes += 1;
      // The document of the first file; then the text, when the second file is saved and not told yet.
      if (writes !== 2) return;
      bob.time += LEASE;
      await takeOver(2, 3);
    };
    const deliverer = new Deliverer(context, identity, { folder: new Folder(path, () => undefined) });
    await deliverer.deliver(outcomes);
    await deliverer.acknowledge();
    expect(readdirSync(path).sort()).toEqual(['one', 'two']);
    const documents = output.text.trim().split('\n');
    expect(documents.map((line) => JSON.parse(line).file)).toEqual(['one', undefined, 'two']);
    expect(io.errors.text).toContain('taken over');
    expect(await inbox()).toHaveLength(1);
  });

  it('is not put into the file of -o, which is written at the end', async () => {
    const { alice, bob, io, context, identity, inbox, takeOver } = await slowly();
    const path = join(temporaryFolder(), 'texts');
    const deliverer = new Deliverer(context, identity, { output: outputFileAt(context, path, {}) });
    await deliverer.deliver(await received(alice, bob, text('1'), text('2')));
    bob.time += LEASE;
    await takeOver(0);
    await deliverer.finish({ isTaken: false });
    expect([readFileSync(path, 'utf8'), io.errors.text, (await inbox()).length]).toEqual(['2', TAKEN, 1]);
  });

  it('makes no file of -o where all are, and is not taken over from one that has a large content in its place', async () => {
    const { alice, bob, context, identity, inbox, takeOver } = await slowly();
    const folder = temporaryFolder();
    const output = outputFileAt(context, join(folder, 'texts'), {});
    const deliverer = new Deliverer(context, identity, { output });
    await deliverer.deliver(await received(alice, bob, text('1')));
    bob.time += LEASE;
    await takeOver();
    await deliverer.finish({ isTaken: true });
    const [row] = await bob.store.snapshot((view) => view.inbox());
    expect([readdirSync(folder), await inbox(), row?.process]).toEqual([[], [row?.id], 'there']);
  });

  it('is not put into the file of -o while that is written, and the others of it are renewed', async () => {
    const { alice, bob, context, identity, inbox, takeOver } = await slowly();
    const texts = ['1', '2', '3'].map((digit) => text(digit.repeat(2 ** 20)));
    const pieces: string[] = [];
    const taken: number[] = [];
    const output = {
      path: 'texts',
      async writePieces(given: AsyncIterable<Uint8Array>) {
        for await (const piece of given) {
          pieces.push(String(Buffer.from(piece.subarray(0, 1))));
          // The second takes so long that the third is overdue; before it, the first too, but for its renewal.
          bob.time += pieces.length === 2 ? LEASE : LEASE / 2;
          taken.push((await takeOver(...(pieces.length === 2 ? [2] : []))).length);
        }
      },
    };
    const deliverer = new Deliverer(context, identity, { output: output as never });
    await deliverer.deliver(await received(alice, bob, ...texts));
    await deliverer.finish({ isTaken: false });
    expect([pieces, taken, (await inbox()).length]).toEqual([['1', '2'], [0, 1], 1]);
  });

  it('of a machine that has it, and is told of it late, is passed over before it is claimed', async () => {
    const { alice, bob, context, identity, inbox, output, takeOver } = await slowly();
    await received(alice, bob, text('1'), text('2'));
    const restarted = { ...identity, process: 'later', isRunning: () => false };
    const claims = await claim(restarted, await listWaiting(restarted), NOTHING_SETTLED);
    bob.time += LEASE;
    await takeOver(1);
    const deliverer = new Deliverer(context, restarted, {});
    await deliverer.deliverClaimed(claims);
    await deliverer.acknowledge();
    expect([output.text, (await inbox()).length]).toEqual(['1', 1]);
  });
});
