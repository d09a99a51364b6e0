"""The hashes and key derivations of docs/PROTOCOL.md, Notation and §1; identities, §2."""
import hashlib
import hmac

from curve25519 import ed25519_public, prime_order_point


class Refusal(Exception):
    """Something is refused; `code` as docs/PROTOCOL.md has it, and the reason of a fork."""

    def __init__(self, code, reason=None):
        super().__init__(code)
        self.code, self.reason = code, reason


def uint(value, length):
    return value.to_bytes(length, 'big')


def H(length, *parts):
    return hashlib.blake2b(b''.join(parts)).digest()[:length]


def K(key, personalization):
    return hashlib.blake2b(b'', digest_size=32, key=key, person=personalization).digest()


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hmac_blake2b(key, message):
    return hmac.new(key, message, hashlib.blake2b).digest()


def _hkdf(mac, salt, ikm, info, length):
    prk, block, okm, i = mac(salt, ikm), b'', b'', 1
    while len(okm) < length:
        block = mac(prk, block + info + bytes([i]))
        okm += block
        i += 1
    return okm[:length]


def hkdf_sha256(ikm, info, length, salt=bytes(32)):
    return _hkdf(hmac_sha256, salt, ikm, info, length)


def handshake_kdf(ikm, info, length):
    return hkdf_sha256(b'\xff' * 32 + ikm, info, length)


def root(root_key, ikm):
    """New root key, chain key, next header key."""
    okm = _hkdf(hmac_blake2b, root_key, ikm, b'pawl/1 root', 96)
    return okm[:32], okm[32:64], okm[64:]


def chain_step(chain_key):
    """Message key, next chain key."""
    return K(chain_key, b'mk'), K(chain_key, b'ck')


def find_key(header_key):
    return hmac_sha256(header_key, b'pawl/1 find')


def find_tag(header_key, salt):
    return hmac_sha256(find_key(header_key), salt)[:8]


class Identity:
    def __init__(self, seed):
        self.seed, self.key = seed, ed25519_public(seed)


def read_identity(key):
    if prime_order_point(key) is None:
        raise Refusal('weak-key')
    return key


def fingerprint(identity):
    return H(16, b'pawl/1 identity', identity).hex()


def safety_number(one, other):
    def side(key):
        h = bytes(2) + key + key
        for _ in range(5200):
            h = hashlib.sha512(h + key).digest()
        return ''.join(f'{int.from_bytes(h[i:i + 5], "big") % 100000:05}' for i in range(0, 30, 5))
    digits = ''.join(sorted([side(one), side(other)]))
    return ' '.join(digits[i:i + 5] for i in range(0, 60, 5))


def mark(seed, generation):
    """The name and the bytes of a mark: §8."""
    name = hmac_sha256(seed, b'pawl/1 mark name')[:16].hex()
    return name, uint(generation, 8) + hmac_sha256(hmac_sha256(seed, b'pawl/1 mark'), uint(generation, 8))
