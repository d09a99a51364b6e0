import type { ErrorCode } from '../../../src/errors.ts';
import { type Home, meet } from '../shell.ts';

/** Something wrong that a person or an attacker hands over, and how it must be refused. */
export interface BadInput {
  readonly what: string;
  readonly code: ErrorCode;
  readonly exit: number;
  /** A line of shell. It is run twice, the second time with `$JSON` standing for `--json`. */
  readonly command: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What goes before, in the home that {@link furnish} makes. */
  readonly prepare?: (home: Home) => unknown;
  /** Refusing changes nothing, unless this says why it must. */
  readonly changes?: string;
}

/**
 * Alice and bob have heard of each other; carol has answered bob's invite, dave is a stranger. There lie `message.pawl`
 * and `message.txt`, two messages of alice's that bob has not read; `carols-invite.txt`, which bob made for carol, and
 * `opening.pawl`, her answer, not read yet; and `invite.txt`, which dave made for alice.
 */
export async function furnish(home: Home): Promise<void> {
  await meet(home);
  await home.prepare(`set -e
    pawl init carol; pawl init dave
    pawl -i bob invite carol -o carols-invite.txt; pawl -i carol add bob carols-invite.txt
    pawl -i carol send bob -m 'hi bob, this is carol' -o opening.pawl
    pawl -i dave invite alice -o invite.txt
    pawl -i alice send bob -m 'noon?' -o message.pawl
    pawl -i alice send bob -m 'or one?' -a -o message.txt`);
}

/** Writes an altered copy of a file. */
export function altered(home: Home, source: string, target: string, alter: (bytes: Buffer) => Uint8Array): void {
  home.write(target, alter(home.read(source)));
}

/** Puts `bytes` in place of those at `offset`. */
export function replaceAt(bytes: Buffer, offset: number, replacement: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, offset), replacement, bytes.subarray(offset + replacement.length)]);
}

/** Flips one bit. */
export function flipAt(bytes: Buffer, offset: number): Buffer {
  return replaceAt(bytes, offset, Buffer.of(bytes.readUInt8(offset) ^ 1));
}
