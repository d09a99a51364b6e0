"""Contents in parts: docs/PROTOCOL.md §7.1."""
import hashlib

from chacha import seal, unseal
from derive import Refusal, hkdf_sha256, hmac_sha256, uint
from wire import PART, decode_envelope, encode_envelope, number

NONCE = bytes(12)
FIELDS, REACH, KEPT = 41, 4096, 16


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


def next_link(link, digest):
    return sha256(link, digest)


class InParts:
    """A content: its keys, and how large it is."""

    def __init__(self, key, size, part_size):
        self.key, self.size, self.part_size = key, size, part_size
        self.find_key = hkdf_sha256(key, b'pawl/1 part find', 32)
        self.salt_key = hkdf_sha256(key, b'pawl/1 part salt', 32)

    def part_key(self, salt):
        return hkdf_sha256(self.key, b'pawl/1 part key', 32, salt)

    def tag(self, salt):
        return hmac_sha256(self.find_key, salt)[:8]

    def salt(self, r, digest):
        return hmac_sha256(self.salt_key, r + digest)[:16]

    def seal(self, salt, plaintext):
        """The envelope of a part: the 34 bytes in front are the aad."""
        front = encode_envelope(PART, salt + self.tag(salt) + bytes(len(plaintext) + 16))[:34]
        return front + seal(self.part_key(salt), NONCE, front, plaintext)

    def seal_part(self, index, last, link, data, r):
        """The envelope, its salt and d_i."""
        digest = sha256(uint(index, 4), uint(last, 1), data)
        salt = self.salt(r, digest)
        plaintext = uint(index, 4) + uint(last, 1) + uint(len(data), 4) + link + data
        return self.seal(salt, plaintext.ljust(FIELDS + self.part_size, b'\0')), salt, digest

    def open(self, envelope):
        """Index, last, link, data and d_i."""
        kind, *fields = decode_envelope(envelope)
        if kind != PART or fields[1] != self.tag(fields[0]):
            raise Refusal('unknown-part')
        salt, _, sealed = fields
        plaintext = unseal(self.part_key(salt), NONCE, envelope[:34], sealed)
        if plaintext is None or len(plaintext) != FIELDS + self.part_size:
            raise Refusal('corrupt')
        index, last, length, link = number(plaintext[:4]), plaintext[4], number(plaintext[5:9]), plaintext[9:FIELDS]
        data, zeros = plaintext[FIELDS:FIELDS + length], plaintext[FIELDS + length:]
        fits = length == self.part_size or last == 1 and length < self.part_size and (length > 0 or index == 0)
        if last > 1 or not fits or any(zeros):
            raise Refusal('corrupt')
        return index, last, link, data, sha256(uint(index, 4), uint(last, 1), data)


class Awaited:
    """What a receiver has of a content: by index `last`, 16 B of d_i, the link, that of the next part, bytes of data."""

    def __init__(self, content):
        self.content, self.parts = content, {}

    def missing(self):
        return next(i for i in range(len(self.parts) + 1) if i not in self.parts)

    def bytes(self):
        return sum(part[-1] for part in self.parts.values())

    def complete(self):
        last = next((i for i, part in self.parts.items() if part[0]), None)
        return last is not None and self.missing() == last + 1 and self.content.size in (None, self.bytes())

    def take(self, index, last, link, data, digest):
        """What becomes of a part: `new`, `duplicate`, or the code of a refusal."""
        part = last, digest[:KEPT], link, next_link(link, digest), len(data)
        if index in self.parts:
            return 'duplicate' if self.parts[index] == part else 'parts-contradict'
        if not self._agrees(index, part):
            return 'parts-contradict'
        if index - self.missing() > REACH:
            return 'part-too-far'
        self.parts[index] = part
        return 'new'

    def _agrees(self, index, part):
        last, _, link, following, length = part
        size, end = self.content.size, index * self.content.part_size + length
        if size is not None and not (end == size if last else end < size):
            return False
        if any(other[0] and (last or i < index) or last and i > index for i, other in self.parts.items()):
            return False
        before, after = self.parts.get(index - 1), self.parts.get(index + 1)
        if index == 0 and any(link) or before and before[3] != link:
            return False
        return not after or after[2] == following
