"""ML-KEM-768 (FIPS 203). A polynomial is a list of 256 coefficients modulo Q."""
import hashlib

Q, K, ETA, DU, DV = 3329, 3, 2, 10, 4


def _reverse7(i):
    return int(f'{i:07b}'[::-1], 2)


ZETAS = [pow(17, _reverse7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reverse7(i) + 1, Q) for i in range(128)]


def _g(data):
    h = hashlib.sha3_512(data).digest()
    return h[:32], h[32:]


def _h(data):
    return hashlib.sha3_256(data).digest()


def _j(data):
    return hashlib.shake_256(data).digest(32)


def _prf(s, n):
    return hashlib.shake_256(s + bytes([n])).digest(64 * ETA)


def _encode(bits, poly):
    value = sum(c << bits * i for i, c in enumerate(poly))
    return value.to_bytes(32 * bits, 'little')


def _decode(bits, data):
    value, mask = int.from_bytes(data, 'little'), (1 << bits) - 1
    return [value >> bits * i & mask for i in range(256)]


def _compress(bits, poly):
    return [((c << bits + 1) + Q) // (2 * Q) % (1 << bits) for c in poly]


def _decompress(bits, poly):
    return [(c * Q * 2 + (1 << bits)) >> bits + 1 for c in poly]


def _sample_ntt(rho, j, i):
    """Algorithm 7."""
    stream = hashlib.shake_128(rho + bytes([j, i])).digest(168 * 8)
    poly = []
    for at in range(0, len(stream), 3):
        a, b, c = stream[at:at + 3]
        poly += [d for d in (a | (b & 15) << 8, b >> 4 | c << 4) if d < Q]
        if len(poly) >= 256:
            return poly[:256]
    raise ValueError('eight blocks were not enough')


def _sample_cbd(data):
    """Algorithm 8."""
    bits = _decode(4, data)
    return [((x & 1) + (x >> 1 & 1) - (x >> 2 & 1) - (x >> 3)) % Q for x in bits]


def _ntt(poly):
    f, i, length = list(poly), 1, 128
    while length >= 2:
        for start in range(0, 256, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length]
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _ntt_inverse(poly):
    f, i, length = list(poly), 127, 2
    while length <= 128:
        for start in range(0, 256, 2 * length):
            zeta = ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [c * 3303 % Q for c in f]


def _multiply(f, g):
    h = []
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * GAMMAS[i]) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def _sum(*polys):
    return [sum(c) % Q for c in zip(*polys)]


def _dot(row, vector):
    return _sum(*(_multiply(a, b) for a, b in zip(row, vector)))


def _matrix(rho):
    return [[_sample_ntt(rho, j, i) for j in range(K)] for i in range(K)]


def keygen(seed):
    """Algorithm 16, of d || z: the encapsulation key, and the decapsulation key."""
    d, z = seed[:32], seed[32:]
    rho, sigma = _g(d + bytes([K]))
    a = _matrix(rho)
    s = [_ntt(_sample_cbd(_prf(sigma, i))) for i in range(K)]
    e = [_ntt(_sample_cbd(_prf(sigma, K + i))) for i in range(K)]
    t = [_sum(_dot(a[i], s), e[i]) for i in range(K)]
    ek = b''.join(_encode(12, p) for p in t) + rho
    return ek, b''.join(_encode(12, p) for p in s) + ek + _h(ek) + z


def _encrypt(ek, m, r):
    """Algorithm 14."""
    t, rho = [_decode(12, ek[384 * i:384 * (i + 1)]) for i in range(K)], ek[384 * K:]
    a = _matrix(rho)
    y = [_ntt(_sample_cbd(_prf(r, i))) for i in range(K)]
    e1 = [_sample_cbd(_prf(r, K + i)) for i in range(K)]
    e2 = _sample_cbd(_prf(r, 2 * K))
    u = [_sum(_ntt_inverse(_dot([a[j][i] for j in range(K)], y)), e1[i]) for i in range(K)]
    v = _sum(_ntt_inverse(_dot(t, y)), e2, _decompress(1, _decode(1, m)))
    return b''.join(_encode(DU, _compress(DU, p)) for p in u) + _encode(DV, _compress(DV, v))


def encaps(ek, m):
    """Algorithm 17: the ciphertext, and the secret."""
    secret, r = _g(m + _h(ek))
    return _encrypt(ek, m, r), secret


def decaps(dk, c):
    """Algorithm 18."""
    s, ek, h, z = dk[:384 * K], dk[384 * K:768 * K + 32], dk[768 * K + 32:768 * K + 64], dk[768 * K + 64:]
    u = [_decompress(DU, _decode(DU, c[320 * i:320 * (i + 1)])) for i in range(K)]
    v = _decompress(DV, _decode(DV, c[320 * K:]))
    product = _ntt_inverse(_dot([_decode(12, s[384 * i:384 * (i + 1)]) for i in range(K)], [_ntt(p) for p in u]))
    m = _encode(1, _compress(1, [(a - b) % Q for a, b in zip(v, product)]))
    secret, r = _g(m + h)
    return secret if _encrypt(ek, m, r) == c else _j(z + c)


def is_encapsulation_key(ek):
    """The check of §7.2: length, and coefficients below Q."""
    return len(ek) == 384 * K + 32 and all(c < Q for i in range(K) for c in _decode(12, ek[384 * i:384 * (i + 1)]))
