import type { Defences } from './defences.ts';
import {
  argument,
  ciphertext,
  decapsulate,
  dh,
  digest,
  encapsulationKey,
  kemSecret,
  montgomery,
  NONE,
  point,
  seal,
  sign,
  type Term,
  tuple,
  unseal,
  verifies,
} from './terms.ts';

/** docs/PROTOCOL.md §3, without flags and expiry. */
export interface Invite {
  readonly maker: Term;
  readonly prekey: Term;
  readonly kem: Term;
  readonly signature: Term;
}

export interface InviteSecrets {
  readonly prekey: Term;
  readonly seed: Term;
}

/** docs/PROTOCOL.md §4: what stands in front of the opener's messages. */
export interface Prefix {
  readonly ephemeral: Term;
  readonly ct: Term;
  readonly hint: Term;
  readonly sender: Term;
}

export interface Agreement {
  readonly transcript: Term;
  readonly rootKey: Term;
  readonly openerHeader: Term;
  readonly makerHeader: Term;
}

const fields = ({ maker, prekey, kem }: Omit<Invite, 'signature'>): Term => tuple(maker, prekey, kem);
export const inviteBytes = (invite: Invite): Term => tuple(fields(invite), invite.signature);
export const inviteId = (invite: Invite): Term => digest('id', inviteBytes(invite));
export const signedBy = (key: Term, invite: Omit<Invite, 'signature'>): Invite => ({
  ...invite,
  signature: sign(key, fields(invite)),
});
export const prefixTerm = ({ ephemeral, ct, hint, sender }: Prefix): Term => tuple(ephemeral, ct, hint, sender);

export function makeInvite(maker: Term, { prekey, seed }: InviteSecrets): Invite {
  return signedBy(argument(maker, 0), { maker, prekey: point(prekey), kem: encapsulationKey(seed) });
}

export const isGenuine = (invite: Invite, defences: Defences): boolean =>
  !defences.has('invite is signed') || verifies(invite.maker, fields(invite), invite.signature);

/** Alice's side. */
export function open(
  self: Term,
  invite: Invite,
  ephemeral: Term,
  randomness: Term,
  defences: Defences,
): { prefix: Prefix; agreement: Agreement } {
  const own = argument(self, 0);
  const mixesKem = defences.has('KEM in the handshake');
  const ct = mixesKem ? ciphertext(invite.kem, randomness) : NONE;
  const secrets: Secrets = {
    dh1: dh(own, invite.prekey),
    dh2: dh(ephemeral, montgomery(invite.maker)),
    dh3: dh(ephemeral, invite.prekey),
    kem: mixesKem ? kemSecret(invite.kem, randomness) : NONE,
  };
  const ephemeralKey = point(ephemeral);
  const hint = hintOf(secrets.dh2, ephemeralKey, invite);
  const sender = senderOf(secrets, { ephemeral: ephemeralKey, ct, hint }, self, invite, defences);
  const prefix = { ephemeral: ephemeralKey, ct, hint, sender };
  return { prefix, agreement: agree(secrets, prefix, self, invite, defences) };
}

/** Bob's side. @returns nothing where the opening is not for this invite, or was altered. */
export function accept(
  self: Term,
  invite: Invite,
  own: InviteSecrets,
  prefix: Prefix,
  defences: Defences,
): { opener: Term; agreement: Agreement } | undefined {
  const secrets = makersSecrets(self, own, prefix, defences);
  if (prefix.hint !== hintOf(secrets.dh2, prefix.ephemeral, invite)) return undefined;
  const opener = defences.has('sender is sealed')
    ? unseal(senderKey(secrets, invite), senderAad(prefix), prefix.sender)
    : prefix.sender;
  if (opener?.op !== 'identity' || opener === self) return undefined;
  const all = { ...secrets, dh1: dh(own.prekey, montgomery(opener)) };
  return { opener, agreement: agree(all, prefix, opener, invite, defences) };
}

/** The hint that the maker of an invite expects. */
export const hintFor = (self: Term, ephemeral: Term, invite: Invite): Term =>
  hintOf(dh(argument(self, 0), ephemeral), ephemeral, invite);

/** What the attacker has to put into the two sealed fields for an opening to be taken as one of `claimed`. */
export function prefixFor(
  claimed: Term,
  self: Term,
  invite: Invite,
  own: InviteSecrets,
  keys: Pick<Prefix, 'ephemeral' | 'ct'>,
  defences: Defences,
): Prefix {
  const secrets = makersSecrets(self, own, keys, defences);
  const hint = hintOf(secrets.dh2, keys.ephemeral, invite);
  return { ...keys, hint, sender: senderOf(secrets, { ...keys, hint }, claimed, invite, defences) };
}

interface Secrets {
  readonly dh1: Term;
  readonly dh2: Term;
  readonly dh3: Term;
  readonly kem: Term;
}

function makersSecrets(
  self: Term,
  own: InviteSecrets,
  { ephemeral, ct }: Pick<Prefix, 'ephemeral' | 'ct'>,
  defences: Defences,
): Omit<Secrets, 'dh1'> {
  return {
    dh2: dh(argument(self, 0), ephemeral),
    dh3: dh(own.prekey, ephemeral),
    kem: defences.has('KEM in the handshake') ? decapsulate(own.seed, ct) : NONE,
  };
}

const hintOf = (dh2: Term, ephemeral: Term, invite: Invite): Term =>
  seal(digest('hint', dh2), ephemeral, inviteId(invite));
const senderKey = ({ dh2, dh3, kem }: Omit<Secrets, 'dh1'>, invite: Invite): Term =>
  digest('sender', dh2, dh3, kem, inviteBytes(invite));
const senderAad = ({ ephemeral, ct, hint }: Omit<Prefix, 'sender'>): Term => tuple(ephemeral, ct, hint);

function senderOf(
  secrets: Omit<Secrets, 'dh1'>,
  before: Omit<Prefix, 'sender'>,
  opener: Term,
  invite: Invite,
  defences: Defences,
): Term {
  return defences.has('sender is sealed') ? seal(senderKey(secrets, invite), senderAad(before), opener) : opener;
}

function agree(
  { dh1, dh2, dh3, kem }: Secrets,
  { ephemeral, ct }: Pick<Prefix, 'ephemeral' | 'ct'>,
  opener: Term,
  invite: Invite,
  defences: Defences,
): Agreement {
  const who = defences.has('transcript binds the identities') ? [inviteBytes(invite), opener] : [];
  const transcript = digest('transcript', ...who, ephemeral, ct);
  const known = defences.has("opener's identity key in the handshake") ? [dh1] : [];
  const key = (label: string) => digest(label, ...known, dh2, dh3, kem, transcript);
  return {
    transcript,
    rootKey: key('SK'),
    openerHeader: key('HK'),
    makerHeader: key('NHK'),
  };
}
