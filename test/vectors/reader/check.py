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
from parts import Awaited, InParts, next_link
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


def envelopes(known):
    for row in known['read']:
        data = joined(row['bytes'])
        kind, salt, tag, sealed = wire.decode_envelope(data)
        expect('part', (kind, salt.hex(), tag.hex(), len(sealed) - 57),
               (wire.PART, row['salt'], row['tag'], row['partSize']))
        expect('part', H(16, wire.encode_envelope(kind, salt + tag + sealed)), H(16, data))


def parts(known):
    contents = {}
    for row in known['contents']:
        content = contents[row['as']] = InParts(unhex(row['key']), row['size'], row['partSize'])
        expect('keys of a content', (content.find_key.hex(), content.salt_key.hex()), (row['findKey'], row['saltKey']))
    opened = {}
    for row in known['sealed']:
        content, link, data = contents[row['of']], unhex(row['link']), joined(row['data'])
        envelope, salt, digest = content.seal_part(row['index'], row['last'], link, data, unhex(row['r']))
        expect(f'part {row["as"]}', {
            'as': row['as'], 'of': row['of'], 'index': row['index'], 'last': row['last'], 'data': row['data'],
            'link': row['link'], 'r': row['r'], 'digest': digest.hex(), 'next': next_link(link, digest).hex(),
            'salt': salt.hex(), 'tag': content.tag(salt).hex(), 'partKey': content.part_key(salt).hex(),
            'length': len(envelope), 'is': H(16, envelope).hex()}, row)
        named[row['as']], opened[row['as']] = envelope, content.open(envelope)
        expect(f'opened part {row["as"]}', opened[row['as']], (row['index'], row['last'], link, data, digest))
    for row in known['forged']:
        content = contents[row['of']]
        envelope = content.seal(unhex(row['salt']), joined(row['plaintext']))
        expect(f'forged part: {row["why"]}', H(16, envelope).hex(), row['is'])
        expect_refusal(f'forged part: {row["why"]}', row['code'], lambda: content.open(envelope))
    for row in known['refused']:
        expect_refusal(f'part: {row["why"]}', row['code'], lambda: contents[row['of']].open(joined(row['bytes'])))
    for row in known['received']:
        awaited = Awaited(contents[row['of']])
        outcomes = [[name, awaited.take(*opened[name])] for name, _ in row['steps']]
        expect(f'parts: {row["tells"]}', outcomes, row['steps'])
        expect(f'parts: {row["tells"]}: what is there', (awaited.missing(), awaited.bytes(), awaited.complete()),
               (row['missing'], row['bytes'], row['complete']))


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
    envelopes(known['envelopes'])
    armor(known['armor'])
    parts(known['parts'])
    refusals(known)
    steps = sum(len(story['steps']) for story in known['stories'])
    print(f'{len(ends)} stories, {steps} steps: all {stated.compared} comparisons hold')


if __name__ == '__main__':
    main(*sys.argv[1:])
