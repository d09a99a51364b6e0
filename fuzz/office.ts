/** Two identities on disk in the middle of a conversation, for targets that run commands. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '../src/primitives/index.ts';
import { Desk } from './desk.ts';
import type { Dice } from './dice.ts';

export interface Office {
  readonly desk: Desk;
  readonly folder: string;
  /** Envelopes for bob, received and not yet received. */
  readonly envelopes: readonly Uint8Array[];
  readonly texts: ReadonlySet<string>;
  /** Alice's invites. */
  readonly invites: readonly Uint8Array[];
  /** A message from alice that bob has not received. */
  write(text: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** @param now unix milliseconds. The temporary folder is removed by `close`. */
export async function openOffice(dice: Dice, now = Date.UTC(2026, 0, 1)): Promise<Office> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-fuzz-'));
  const desk = new Desk(folder, dice.bytes, now);
  const run = async (identity: string, parameters: readonly string[], input?: Uint8Array) => {
    const { exit, output, errors } = await desk.run(identity, parameters, input);
    if (exit !== 0) throw new Error(`${identity} ${parameters.join(' ')}: ${errors}`);
    return output;
  };
  const texts = new Set<string>();
  const envelopes: Uint8Array[] = [];
  const write = async (armored: boolean) => {
    const text = `text ${texts.size}`;
    texts.add(text);
    const envelope = await run('alice', ['send', 'bob', ...(armored ? ['--armor'] : [])], utf8(text));
    envelopes.push(envelope);
    return envelope;
  };
  await run('alice', ['init', 'alice']);
  await run('bob', ['init', 'bob']);
  await run('alice', ['add', 'bob'], await run('bob', ['invite', 'alice']));
  await run('bob', ['recv'], await write(false));
  await write(true);
  await run('alice', ['recv'], await run('bob', ['send', 'alice'], utf8('hello')));
  const chain = [await write(false), await write(true), await write(false)];
  await run('bob', ['recv'], chain[1]);
  const invites = [await run('alice', ['invite', 'x'])];
  return {
    desk,
    folder,
    envelopes,
    texts,
    invites,
    write: (text) => run('alice', ['send', 'bob'], text),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
