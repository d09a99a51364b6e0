import { fingerprint, readInvite } from '../handshake/index.ts';

/** What an invite says to anybody. */
export interface InviteView {
  readonly fingerprint: string;
  readonly reusable: boolean;
  /** Unix seconds. */
  readonly expires: number;
}

/** Checks an invite and says what it shows. @param bytes 1,321 bytes. @throws what `readInvite` throws. */
export function viewInvite(bytes: Uint8Array): InviteView {
  const { identity, reusable, expires } = readInvite(bytes);
  return { fingerprint: fingerprint(identity), reusable, expires };
}
