import { concatAll } from '../../src/primitives/index.ts';
import { hex } from '../primitives/hex.ts';
import type { Bytes, EditedBlock, Part, Slice } from './format.ts';

/** Bytes that can be taken parts of by their name. */
export interface Named {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The byte string that `bytes` spells. @param named gives the bytes of a name. */
export function joined(bytes: Bytes, named: (name: string) => Uint8Array): Uint8Array {
  if (typeof bytes === 'string') return hex(bytes);
  return concatAll(bytes.map((part) => partOf(part, named)));
}

function partOf(part: Part, named: (name: string) => Uint8Array): Uint8Array {
  if (typeof part === 'string') return hex(part);
  if (part.length === 2) return new Uint8Array(Buffer.alloc((part[0].length / 2) * part[1], hex(part[0])));
  const [name, from, to] = part;
  return named(name).slice(from, to);
}

/** A block after its edits: each first string stands in it once, and is replaced by the second. */
export function editedBlock(block: string, edits: EditedBlock['edits']): string {
  return edits.reduce((edited, [find, put]) => {
    if (edited.split(find).length !== 2) throw new Error(`${find} does not stand once in the block`);
    return edited.replace(find, () => put);
  }, block);
}

/** The bytes of `of` from one offset up to another; no part where that is none. */
export function slice({ name }: Named, from: number, to: number): readonly Slice[] {
  return from === to ? [] : [[name, from, to]];
}
