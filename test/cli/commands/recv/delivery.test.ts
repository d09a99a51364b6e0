import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Deliverer } from '../../../../src/cli/commands/recv/delivery.ts';
import { outputFileAt } from '../../../../src/cli/identity/output.ts';
import { type Content, decodeEnvelope } from '../../../../src/envelope/index.ts';
import { PawlError } from '../../../../src/errors.ts';
import { Folder } from '../../../../src/files/index.ts';
import { utf8 } from '../../../../src/primitives/index.ts';
import { type Outcome, receive, send } from '../../../../src/session/index.ts';
import type { Party } from '../../../session/party.ts';
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
