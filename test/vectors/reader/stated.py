"""What pawl-1.json states, as its `meta` says how to read it; and holding what was computed to it."""
import sys

from derive import Refusal

compared = 0
# Every envelope and every invite by its name.
named = {}


def expect(what, actual, stated):
    global compared
    compared += 1
    if actual != stated:
        sys.exit(f'{what}: {actual}, and stated is {stated}')


def expect_refusal(what, code, work, reason=None):
    try:
        work()
    except Refusal as refusal:
        return expect(what, (refusal.code, refusal.reason), (code, reason))
    sys.exit(f'{what}: not refused, and stated is {code}')


def unhex(text):
    return bytes.fromhex(text)


def joined(parts):
    """A byte string: hex, or a list of parts."""
    if isinstance(parts, str):
        return unhex(parts)
    return b''.join(_part(part) for part in parts)


def _part(part):
    if isinstance(part, str):
        return unhex(part)
    if len(part) == 2:
        return unhex(part[0]) * part[1]
    name, start, end = part
    return named[name][start:end]


def content_of(stated):
    """(type, time, name or None, bytes; or of a descriptor (size or None, S, K))"""
    if 'descriptor' in stated:
        fields = stated['descriptor']
        return 3, stated['sentAt'], fields['name'], (fields['size'], fields['partSize'], unhex(fields['key']))
    if 'text' in stated:
        return 1, stated['sentAt'], None, stated['text'].encode()
    name = stated.get('file')
    return 1 if name is None else 2, stated['sentAt'], name, joined(stated['bytes'])


class Draws:
    """Gives what is drawn, in the order in which it is stated."""

    def __init__(self, stated):
        self.left = list(stated)

    def __call__(self, what):
        name, value = self.left.pop(0)
        expect('the name of a draw', what, name)
        return unhex(value)
