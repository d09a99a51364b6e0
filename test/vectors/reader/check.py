#!/usr/bin/env python3
"""A second implementation of pawl/1, held to the known answers: python3 check.py pawl-1.json

Written from docs/PROTOCOL.md and the `meta` of the file, in Python 3.9 and nothing else. It is for reading and comparing,
not for use: it takes no care of timing, memory or storage.
"""
import json
import sys

import derive
import stated
import wire
from curve25519 import is_x25519_key, prime_order_point, x25519_form, x25519_public, x25519_secret_of
from derive import H
from ml_kem import is_encapsulation_key
from opening import Invite
from stated import content_of, expect, expect_refusal, joined, named, unhex
from stories import follow


def derivations(known):
    for row in known['digest']:
        expect('digest', H(row['length'], unhex(row['of'])).hex(), row['is'])
    for row in known['keyed']:
        expect('keyed', derive.K(unhex(row['key']), row['personalization'].encode()).hex(), row['is'])
    for row in known['root']:
        expect('root', [x.hex() for x in derive.root(unhex(row['rootKey']), unhex(row['input']))], row['is'])


def identities(known):
    for row in known:
        seed = unhex(row['seed'])
        key, secret = derive.Identity(seed).key, x25519_secret_of(seed)
        expect('identity', {'seed': row['seed'], 'identity': key.hex(), 'x25519Secret': secret.hex(),
                            'x25519': x25519_form(key).hex(), 'fingerprint': derive.fingerprint(key)}, row)
        expect('X25519 form', x25519_public(secret).hex(), row['x25519'])


def safety_numbers(known):
    for row in known:
        expect('safety number', derive.safety_number(*map(unhex, row['of'])), row['digits'])


def marks(known):
    for row in known:
        name, data = derive.mark(unhex(row['seed']), row['generation'])
        expect('mark', (name, data.hex()), (row['name'], row['bytes']))


def public_keys(known):
    admits = {'x25519': is_x25519_key, 'identity': lambda key: prime_order_point(key) is not None,
              'kem': is_encapsulation_key}
    for kind, rows in known.items():
        for admitted in ('admitted', 'refused'):
            for row in rows[admitted]:
                expect(f'{kind} key: {row["why"]}', admits[kind](joined(row['bytes'])), admitted == 'admitted')


def invites(known):
    maker = derive.Identity(unhex(known['maker'])).key
    for row in known['read']:
        invite = Invite(joined(row['bytes']))
        expect('maker', invite.identity, maker)
        expect('invite', {'bytes': row['bytes'], 'id': invite.id.hex(), 'reusable': invite.reusable,
                          'identity': invite.identity.hex(), 'prekey': invite.prekey.hex(),
                          'expires': invite.expires}, row)


def padding(known):
    for length, padded in known:
        expect(f'padding of {length}', wire.padded(length), padded)


def contents(known):
    for row in known['read']:
        content = content_of(row['content'])
        plaintext = wire.encode_content(content)
        expect('plaintext', (13 + wire.number(plaintext[9:13]), len(plaintext), H(16, plaintext).hex()),
               (row['length'], row['padded'], row['digest']))
        expect('content', wire.decode_content(plaintext), content)
    for row in known['notSent']:
        expect_refusal(f'content: {row["why"]}', row['code'], lambda: wire.encode_content(content_of(row['content'])))


def armor(known):
    blocks = {row['of']: row['block'] for row in known['read']}
    for of, block in blocks.items():
        envelope = wire.dearmor(block)
        expect('block', wire.armor(envelope), block)
        is_invite = envelope[5] == wire.INVITE
        expect('envelope', wire.encode_envelope(wire.INVITE, named[of]) if is_invite else named[of], envelope)
    for row in known['refused']:
        block = edited(blocks[row['of']], row['find'], row['put'])
        expect_refusal(f'block: {row["why"]}', row['code'], lambda: wire.dearmor(block))
    for row in known['edited']:
        block = blocks[row['of']]
        for find, put in row['edits']:
            block = edited(block, find, put)
        if 'block' in row:
            expect_refusal(f'block: {row["why"]}', row['block'], lambda: wire.dearmor(block))
        else:
            envelope = wire.dearmor(block)
            expect('block', wire.armor(envelope), block)
            expect_refusal(f'block: {row["why"]}', row['envelope'], lambda: wire.decode_envelope(envelope))


def edited(block, find, put):
    parts = block.split(find)
    expect('how often `find` stands there', len(parts) - 1, 1)
    return put.join(parts)


def refusals(known):
    for section, read in (('invites', Invite), ('contents', wire.decode_content), ('envelopes', wire.decode_envelope)):
        for row in known[section]['refused']:
            data = joined(row['bytes'])
            expect_refusal(f'{section}: {row["why"]}', row['code'], lambda: read(data))


def main(path):
    with open(path, encoding='utf-8') as file:
        known = json.load(file)
    ends = {}
    for story in known['stories']:
        follow(story, ends)
    derivations(known['derivations'])
    identities(known['identities'])
    safety_numbers(known['safetyNumbers'])
    marks(known['marks'])
    public_keys(known['publicKeys'])
    invites(known['invites'])
    padding(known['padding'])
    contents(known['contents'])
    armor(known['armor'])
    refusals(known)
    steps = sum(len(story['steps']) for story in known['stories'])
    print(f'{len(ends)} stories, {steps} steps: all {stated.compared} comparisons hold')


if __name__ == '__main__':
    main(*sys.argv[1:])
