"""Envelopes, contents, padding and armor: docs/PROTOCOL.md §7."""
import base64
import unicodedata

from derive import Refusal, uint

OPENING, MESSAGE, PART, INVITE = 1, 2, 3, 16
PREFIX, INVITE_LENGTH = 1208, 1321
SEALED_HEADERS = (72, 1256, 1160)
LATEST = 8_640_000_000_000_000
MAX_CONTENT = 16 * 2**20
LEAST_PART, MOST_PART = 65536, 16 * 2**20
UNKNOWN_SIZE = b'\xff' * 8


def number(data):
    return int.from_bytes(data, 'big')


def padded(length):
    for small in (256, 512, 1024):
        if length <= small:
            return small
    e = length.bit_length() - 1
    s = e.bit_length()
    step = 1 << e - s
    return -(-length // step) * step


def encode_content(content):
    """`content`: (type, time, name or None, bytes); of a descriptor (size or None, S, K) instead of bytes."""
    kind, time, name, data = content
    if kind == 3:
        size, part_size, key = data
        data = (UNKNOWN_SIZE if size is None else uint(size, 8)) + uint(part_size, 4) + key
    if kind != 1:
        encoded = (name or '').encode()
        data = uint(len(encoded), 1) + encoded + data
    if len(data) > MAX_CONTENT:
        raise Refusal('too-large')
    body = uint(kind, 1) + uint(time, 8) + uint(len(data), 4) + data
    return body.ljust(padded(len(body)), b'\0')


def _is_name(name):
    return (1 <= len(name.encode()) <= 255 and name not in ('.', '..') and '/' not in name and '\\' not in name
            and all(unicodedata.category(c) != 'Cc' for c in name))


def decode_content(plaintext):
    kind, time, length = plaintext[:1], number(plaintext[1:9]), number(plaintext[9:13])
    data = plaintext[13:13 + length]
    if (len(plaintext) < 13 or time > LATEST or length > MAX_CONTENT or len(data) != length
            or len(plaintext) != padded(13 + length) or any(plaintext[13 + length:])):
        raise Refusal('corrupt')
    if kind == b'\1':
        return 1, time, None, data
    if kind not in (b'\2', b'\3') or length < 1:
        raise Refusal('corrupt')
    end = 1 + data[0]
    try:
        name = data[1:end].decode()
    except UnicodeDecodeError:
        raise Refusal('corrupt') from None
    is_unnamed = kind == b'\3' and end == 1
    if len(data) < end or not (is_unnamed or _is_name(name)):
        raise Refusal('corrupt')
    if kind == b'\2':
        return 2, time, name, data[end:]
    return 3, time, None if is_unnamed else name, _descriptor(data[end:])


def _descriptor(fields):
    """Size or None, S, K."""
    size, part_size, key = fields[:8], number(fields[8:12]), fields[12:]
    if len(key) != 32 or not LEAST_PART <= part_size <= MOST_PART:
        raise Refusal('corrupt')
    if size == UNKNOWN_SIZE:
        return None, part_size, key
    if number(size) > min(part_size * (2**32 - 1), 2**53 - 1):
        raise Refusal('corrupt')
    return number(size), part_size, key


def encode_envelope(kind, rest):
    return b'pawl' + uint(1, 1) + uint(kind, 1) + uint(len(rest), 4) + rest


def message_bytes(header_nonce, sealed_header, body):
    return header_nonce + uint(len(sealed_header), 2) + sealed_header + body


def _is_body(length):
    return length - 28 >= 256 and padded(length - 28) == length - 28


def read_head(envelope):
    """The kind, once version and length are admitted."""
    if len(envelope) < 10 or envelope[:4] != b'pawl':
        raise Refusal('corrupt')
    if envelope[4] != 1:
        raise Refusal('unknown-version')
    kind, length = envelope[5], number(envelope[6:10])
    if kind not in (OPENING, MESSAGE, PART, INVITE):
        raise Refusal('corrupt')
    if length > 17 * 2**20:
        raise Refusal('too-large')
    if not _is_length(kind, length):
        raise Refusal('corrupt')
    return kind


def _is_length(kind, length):
    if kind == INVITE:
        return length == INVITE_LENGTH
    if kind == PART:
        return LEAST_PART <= length - 81 <= MOST_PART
    message = length - (PREFIX if kind == OPENING else 0) - 26
    return any(_is_body(message - h) for h in SEALED_HEADERS)


def decode_envelope(envelope):
    """The kind; an invite; salt, tag and what is sealed of a part; or the prefix (None of a message), header nonce, sealed
    header and body."""
    kind, rest = read_head(envelope), envelope[10:]
    if len(rest) != number(envelope[6:10]):
        raise Refusal('corrupt')
    if kind == INVITE:
        return kind, rest
    if kind == PART:
        return kind, rest[:16], rest[16:24], rest[24:]
    prefix, message = (rest[:PREFIX], rest[PREFIX:]) if kind == OPENING else (None, rest)
    length = number(message[24:26])
    body = message[26 + length:]
    if length not in SEALED_HEADERS or not _is_body(len(body)):
        raise Refusal('corrupt')
    return kind, prefix, message[:24], message[26:26 + length], body


def armor(envelope):
    label = 'INVITE' if read_head(envelope) == INVITE else 'MESSAGE'
    text = base64.b64encode(envelope).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return '\n'.join([f'-----BEGIN PAWL {label}-----', *lines, f'-----END PAWL {label}-----', ''])


def dearmor(block):
    try:
        envelope = base64.b64decode(''.join(block.split('\n')[1:-2]).encode())
    except ValueError:
        raise Refusal('corrupt') from None
    if armor(envelope) != block:
        raise Refusal('corrupt')
    return envelope
