/**
 * What `send` is given: a text, files, standard input, what is typed or written in an editor.
 * Reads none of it before it is asked to, and encrypts nothing.
 */
import { existsSync } from 'node:fs';
import { encodeContent } from '../../../envelope/index.ts';
import { PawlError } from '../../../errors.ts';
import type { CommandContext } from '../../context.ts';
import { STANDARD_INPUT } from '../../stream/read.ts';
import type { Draft } from './editor.ts';
import { fileSource, inputSource, inspectFile, type LargeContent, type Source, textSource } from './source.ts';

/** What is sent, one content after the other. */
export interface Contents {
  readonly items: readonly Item[];
  /** A person writes it: what can be checked is checked before, so that it is not written in vain. */
  readonly isWritten: boolean;
}

export interface Item {
  /** Reads it, or begins to. */
  readonly read: () => Promise<Source>;
  /** Of a file; `-` is standard input. */
  readonly path?: string;
}

/** How the contents are given. */
export interface Given {
  /** As it was typed. */
  readonly to: string;
  readonly files: readonly string[];
  readonly message: string | undefined;
  /** What is written in an editor. */
  readonly draft: Draft | undefined;
}

/** @throws `missing-file`: of several files, none is sent where one does not exist. */
export function contentsOf(context: CommandContext, { to, files, message, draft }: Given): Contents {
  const { io, reporter } = context;
  const one = (read: Item['read'], isWritten = false): Contents => ({ items: [{ read }], isWritten });
  if (message !== undefined) return one(async () => textSource(message, io.now()));
  if (draft !== undefined) {
    const read = async () => ({ ...textSource(await draft.write(), io.now()), onSealed: () => draft.remove() });
    return one(read, true);
  }
  if (files.length === 0 && io.input.isTerminal) {
    return one(async () => {
      await reporter.notice('type the message, then press Ctrl-D on a line of its own');
      return inputSource(context);
    }, true);
  }
  if (files.length === 0)
    return { items: [{ read: () => inputSource(context), path: STANDARD_INPUT }], isWritten: false };
  const missing = files.find((file) => file !== STANDARD_INPUT && !existsSync(file));
  if (missing !== undefined) throw new PawlError('missing-file', { path: missing, to });
  return { items: files.map((path) => ({ path, read: () => fileSource(context, path, to) })), isWritten: false };
}

/** What is ready to be encrypted. */
export type Prepared = Whole | { readonly large: LargeContent };

interface Whole {
  readonly plaintext: Uint8Array;
  /** Is called once it is encrypted, and committed. */
  readonly onSealed?: (() => void) | undefined;
}

/** Reads a content, and encodes what fits into one message, so that its source can be collected. */
export async function prepare({ read }: Item): Promise<Prepared> {
  const source = await read();
  return 'large' in source ? source : { plaintext: encodeContent(source.whole), onSealed: source.onSealed };
}

/**
 * Finds out what can be known of contents before anything is encrypted. What can be read once only is read, or begun.
 * @param to whom they are for, as it was typed.
 * @param check is given what was read.
 * @returns what prepares each, in their order.
 * @throws as reading them does.
 */
export async function inspect(
  items: readonly Item[],
  to: string,
  check: (prepared: Prepared) => void,
): Promise<readonly (() => Promise<Prepared>)[]> {
  const inspected: (() => Promise<Prepared>)[] = [];
  for (const item of items) {
    if (item.path !== undefined && inspectFile(item.path, to)) inspected.push(() => prepare(item));
    else {
      const prepared = await prepare(item);
      check(prepared);
      inspected.push(async () => prepared);
    }
  }
  return inspected;
}
