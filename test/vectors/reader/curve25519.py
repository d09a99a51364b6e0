"""X25519 (RFC 7748) and Ed25519 (RFC 8032), with the checks of docs/PROTOCOL.md §1."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def little(data):
    return int.from_bytes(data, 'little')


def clamped(secret):
    return little(secret) & ~7 & (2**255 - 1) | 2**254


def x25519(secret, public):
    k = clamped(secret)
    u = little(public) % 2**255
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, 'little')


def x25519_public(secret):
    return x25519(secret, (9).to_bytes(32, 'little'))


# The canonical u of low order: those of order 1, 2, 4 and 8 on the curve and its twist.
LOW_ORDER = {0, 1, P - 1,
             325606250916557431795983626356110631294008115727848805560023387167927233504,
             39382357235489614581723060781553021112529911719440698176882885853963445705823}


def is_x25519_key(key):
    """Whether a public key from outside is admitted."""
    return little(key) < P and little(key) not in LOW_ORDER


# Points of Edwards' curve are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
ZERO = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(k, p):
    result = ZERO
    while k > 0:
        if k & 1:
            result = add(result, p)
        p = add(p, p)
        k >>= 1
    return result


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, 'little')


def decode(data):
    """The point of a canonical encoding, or None."""
    sign, y = little(data) >> 255, little(data) % 2**255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != square or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, 'little'))


def prime_order_point(data):
    """The point of an admitted encoding: canonical, on the curve, torsion-free and not the identity point; or None."""
    p = decode(data)
    return None if p is None or same(p, ZERO) or not same(multiply(L, p), ZERO) else p


def x25519_secret_of(seed):
    """The scalar of an identity: its X25519 secret key."""
    return clamped(hashlib.sha512(seed).digest()[:32]).to_bytes(32, 'little')


def ed25519_public(seed):
    return encode(multiply(little(x25519_secret_of(seed)), BASE))


def ed25519_sign(seed, message):
    scalar, half = little(x25519_secret_of(seed)), hashlib.sha512(seed).digest()[32:]
    r = little(hashlib.sha512(half + message).digest()) % L
    point = encode(multiply(r, BASE))
    k = little(hashlib.sha512(point + encode(multiply(scalar, BASE)) + message).digest())
    return point + ((r + k * scalar) % L).to_bytes(32, 'little')


def ed25519_verify(key, message, signature):
    a, r, s = prime_order_point(key), prime_order_point(signature[:32]), little(signature[32:])
    if a is None or r is None or s >= L:
        return False
    k = little(hashlib.sha512(signature[:32] + key + message).digest()) % L
    return same(multiply(s, BASE), add(r, multiply(k, a)))


def x25519_form(identity):
    """The birational image of an identity: u = (1 + y) / (1 - y)."""
    y = little(identity) % 2**255
    return ((1 + y) * pow(1 - y, P - 2, P) % P).to_bytes(32, 'little')
