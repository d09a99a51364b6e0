"""Invites and openings: docs/PROTOCOL.md §3, §4."""
from chacha import seal, unseal
from curve25519 import (ed25519_sign, ed25519_verify, is_x25519_key, x25519, x25519_form, x25519_public,
                        x25519_secret_of)
from derive import H, Refusal, handshake_kdf, read_identity, uint
from ml_kem import decaps, encaps, is_encapsulation_key, keygen
from wire import INVITE_LENGTH, LATEST, number

NONCE = bytes(12)


class Invite:
    def __init__(self, data):
        """Reads an invite, and checks everything but its age."""
        if len(data) != INVITE_LENGTH:
            raise Refusal('corrupt')
        self.bytes, self.id = data, H(16, data)
        self.identity, self.prekey, self.kem_key = data[1:33], data[33:65], data[65:1249]
        self.reusable, self.expires = data[0] == 1, number(data[1249:1257])
        if self.expires > LATEST // 1000 or data[0] > 1:
            raise Refusal('corrupt')
        read_identity(self.identity)
        if not ed25519_verify(self.identity, b'pawl/1 invite' + data[:1257], data[1257:]):
            raise Refusal('bad-signature')
        if not is_x25519_key(self.prekey) or not is_encapsulation_key(self.kem_key):
            raise Refusal('weak-key')


def make_invite(maker, reusable, expires, prekey, seed):
    fields = uint(int(reusable), 1) + maker.key + x25519_public(prekey) + keygen(seed)[0] + uint(expires, 8)
    return Invite(fields + ed25519_sign(maker.seed, b'pawl/1 invite' + fields))


def _hint_key(dh2):
    return handshake_kdf(dh2, b'pawl/1 hint', 32)


class Agreement:
    """What both sides compute, from the four secrets on."""

    def __init__(self, invite, opener, opened, ek_a, ct, dh1, dh2, dh3, ss):
        self.dh1, self.dh2, self.dh3, self.ss, self.opened = dh1, dh2, dh3, ss, opened
        self.T = H(32, b'pawl/1 transcript', invite.bytes, opener, ek_a, ct, uint(opened, 8))
        okm = handshake_kdf(dh1 + dh2 + dh3 + ss, b'pawl/1 handshake' + self.T, 128)
        self.SK, self.HK, self.NHK = okm[:32], okm[32:64], okm[64:96]
        self.box_a, self.box_b = okm[96:112], okm[112:]
        self.invite_box = H(16, b'pawl/1 mailbox', invite.bytes)


def _sender_key(invite, dh2, dh3, ss):
    return handshake_kdf(dh2 + dh3 + ss, b'pawl/1 sender' + H(32, invite.bytes), 32)


def open_session(opener, invite, opened, ephemeral, m):
    """The prefix, and what is agreed."""
    ek_a = x25519_public(ephemeral)
    ct, ss = encaps(invite.kem_key, m)
    dh1 = x25519(x25519_secret_of(opener.seed), invite.prekey)
    dh2 = x25519(ephemeral, x25519_form(invite.identity))
    dh3 = x25519(ephemeral, invite.prekey)
    hint = seal(_hint_key(dh2), NONCE, ek_a, invite.id)
    sender = seal(_sender_key(invite, dh2, dh3, ss), NONCE, ek_a + ct + hint, opener.key + uint(opened, 8))
    agreement = Agreement(invite, opener.key, opened, ek_a, ct, dh1, dh2, dh3, ss)
    agreement.hint_key, agreement.sender_key = _hint_key(dh2), _sender_key(invite, dh2, dh3, ss)
    return ek_a + ct + hint + sender, agreement


def hinted_invite(maker, prefix):
    """Steps 2 and 3: the id of the invite that an opening answers."""
    ek_a, hint = prefix[:32], prefix[1120:1152]
    if not is_x25519_key(ek_a):
        raise Refusal('weak-key')
    dh2 = x25519(x25519_secret_of(maker.seed), ek_a)
    invite_id = unseal(_hint_key(dh2), NONCE, ek_a, hint)
    if invite_id is None:
        raise Refusal('not-for-you')
    return invite_id


def accept_opening(maker, invite, prekey, seed, prefix):
    """Steps 6 and 7: who the opener claims to be, and what is agreed."""
    ek_a, ct, hint, sender = prefix[:32], prefix[32:1120], prefix[1120:1152], prefix[1152:]
    ss = decaps(keygen(seed)[1], ct)
    dh2, dh3 = x25519(x25519_secret_of(maker.seed), ek_a), x25519(prekey, ek_a)
    plain = unseal(_sender_key(invite, dh2, dh3, ss), NONCE, ek_a + ct + hint, sender)
    if plain is None or number(plain[32:]) > LATEST:
        raise Refusal('corrupt')
    opener = read_identity(plain[:32])
    if opener == maker.key:
        raise Refusal('self')
    dh1 = x25519(prekey, x25519_form(opener))
    return opener, Agreement(invite, opener, number(plain[32:]), ek_a, ct, dh1, dh2, dh3, ss)
