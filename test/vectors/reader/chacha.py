"""ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03)."""
import functools
import hmac
import struct

MASK = 0xFFFFFFFF
CONSTANTS = struct.unpack('<4I', b'expand 32-byte k')
ROUNDS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
          (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def _permute(state):
    """The twenty rounds, without the addition at their end."""
    x = list(state)
    for _ in range(10):
        for a, b, c, d in ROUNDS:
            x[a] = (x[a] + x[b]) & MASK
            x[d] ^= x[a]
            x[d] = (x[d] << 16 | x[d] >> 16) & MASK
            x[c] = (x[c] + x[d]) & MASK
            x[b] ^= x[c]
            x[b] = (x[b] << 12 | x[b] >> 20) & MASK
            x[a] = (x[a] + x[b]) & MASK
            x[d] ^= x[a]
            x[d] = (x[d] << 8 | x[d] >> 24) & MASK
            x[c] = (x[c] + x[d]) & MASK
            x[b] ^= x[c]
            x[b] = (x[b] << 7 | x[b] >> 25) & MASK
    return x


def _block(key, counter, nonce):
    state = (*CONSTANTS, *struct.unpack('<8I', key), counter, *struct.unpack('<3I', nonce))
    mixed = _permute(state)
    return struct.pack('<16I', *((a + b) & MASK for a, b in zip(mixed, state)))


@functools.lru_cache(2)
def _stream(key, nonce, blocks):
    """What is sealed is opened next."""
    return b''.join(_block(key, 1 + i, nonce) for i in range(blocks))


def _xor_stream(key, nonce, data):
    return bytes(a ^ b for a, b in zip(data, _stream(key, nonce, (len(data) + 63) // 64)))


def _padded(data):
    return data + bytes(-len(data) % 16)


def _tag(key, nonce, aad, sealed):
    once = _block(key, 0, nonce)[:32]
    r = int.from_bytes(once[:16], 'little') & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(once[16:], 'little')
    message = _padded(aad) + _padded(sealed) + struct.pack('<QQ', len(aad), len(sealed))
    total = 0
    for i in range(0, len(message), 16):
        total = (total + int.from_bytes(message[i:i + 16] + b'\1', 'little')) * r % (2**130 - 5)
    return ((total + s) % 2**128).to_bytes(16, 'little')


def seal(key, nonce, aad, data):
    sealed = _xor_stream(key, nonce, data)
    return sealed + _tag(key, nonce, aad, sealed)


def unseal(key, nonce, aad, sealed):
    """The plaintext, or None where it does not authenticate."""
    if len(sealed) < 16 or not hmac.compare_digest(_tag(key, nonce, aad, sealed[:-16]), sealed[-16:]):
        return None
    return _xor_stream(key, nonce, sealed[:-16])


def _subkey(key, nonce):
    """HChaCha20 of the first 16 bytes of the nonce, and the nonce that is left."""
    mixed = _permute((*CONSTANTS, *struct.unpack('<8I', key), *struct.unpack('<4I', nonce[:16])))
    return struct.pack('<8I', *mixed[:4], *mixed[12:]), bytes(4) + nonce[16:]


def xseal(key, nonce, aad, data):
    return seal(*_subkey(key, nonce), aad, data)


def xunseal(key, nonce, aad, sealed):
    return unseal(*_subkey(key, nonce), aad, sealed)
