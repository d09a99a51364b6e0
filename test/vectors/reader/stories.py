"""The stories of pawl-1.json: what each person does, and what must come of it."""
import copy

from derive import H, chain_step, find_key
from parts import InParts
from person import Person
from ratchet import Chain
from stated import Draws, content_of, expect, expect_refusal, joined, named, unhex


# By the name of a message that has a descriptor: size, S, K.
described = {}


def follow(story, ends):
    """`ends`: the people of other stories, as they were at the end."""
    people = copy.deepcopy(ends[story['after']]) if 'after' in story else {}
    people.update({name: Person(unhex(seed)) for name, seed in story['people'].items()})
    for step in story['steps']:
        if step['do'] == 'forge':
            named[step['as']] = joined(step['envelope'])
        elif step['do'] == 'copy':
            people[step['as']] = copy.deepcopy(people[step['of']])
        elif step['do'] == 'check':
            check(people[step['of']], step)
        elif step['do'] == 'sessions':
            check_sessions(people[step['of']], step)
        else:
            person = people[step['by']]
            person.sweep(step['now'])
            COMMANDS[step['do']](person, step)
    ends[story['name']] = people


def invite(person, step):
    draw = Draws(step['draws'])
    made = person.invite(step['for'], step.get('reusable', False), step['expires'], draw('prekey'), draw('KEM seed'))
    expect('invite', (made.bytes.hex(), made.id.hex()), (step['invite'], step['id']))
    named[step['as']] = made.bytes


def add(person, step):
    def work():
        return person.add(step['name'], named[step['invite']], step['now'])
    if 'refused' in step:
        return expect_refusal('add', step['refused'], work)
    expect('add', work(), (step.get('keeps', step['name']), step.get('answered', False)))


def forget(person, step):
    person.forget(step['name'])


def take_numbers(person, step):
    person.made[H(16, named[step['invite']])].last_user = step['upTo']


def send(person, step):
    draw = Draws(step['draws'])
    sent = person.send(step['to'], content_of(step['content']), draw, step['now'])
    expect('draws left', draw.left, [])
    expect('envelope', sent.envelope.hex(), joined(step['envelope']).hex())
    expect('session', sent.session.name(), step['session'])
    if 'opening' in step:
        expect_opening(sent, dict(step['opening']))
    else:
        expect('opening', sent.agreement, None)
    if 'chain' in step:
        expect_chain(sent.sealed.root_step, sent.session.ratchet, dict(step['chain']))
    else:
        expect('chain', sent.sealed.root_step, None)
    sealed = sent.sealed
    message = {'n': sealed.n, 'pn': sealed.pn, 'id': sealed.id.hex(), 'messageKey': sealed.message_key.hex()}
    expect('message', message, step['message'])
    named[step['as']] = sent.envelope
    if 'descriptor' in step['content']:
        described[step['as']] = content_of(step['content'])[3]


def expect_opening(sent, stated):
    a = sent.agreement
    expect('the invite that is answered', sent.session.invite_id, H(16, named[stated.pop('invite')]))
    values = {'dh1': a.dh1, 'dh2': a.dh2, 'dh3': a.dh3, 'ss': a.ss, 'hintKey': a.hint_key, 'senderKey': a.sender_key,
              'T': a.T, 'SK': a.SK, 'HK': a.HK, 'NHK': a.NHK, 'boxA': a.box_a,
              'boxB': a.box_b, 'inviteBox': a.invite_box}
    expect('opening', {'opened': a.opened, **{name: value.hex() for name, value in values.items()}}, stated)


def expect_chain(root_step, ratchet, stated):
    chain = ratchet.sending
    if chain.field:
        name = 'offer' if len(chain.field) == 1184 else 'answer'
        whole = len(stated[name]) > 32
        expect(name, chain.field.hex() if whole else H(16, chain.field).hex(), stated.pop(name))
    dh, ss, chain_key = root_step
    values = {'publicKey': chain.public, 'dh': dh, 'rootKey': ratchet.root_key, 'chainKey': chain_key,
              'headerKey': chain.header_key, 'findKey': find_key(chain.header_key),
              'nextHeaderKey': ratchet.next_sending, **({'ss': ss} if ss else {})}
    expect('chain', {'step': ratchet.root_steps, **{name: value.hex() for name, value in values.items()}}, stated)


def send_many(person, step):
    envelopes = []
    for index in range(step['count']):
        sent = person.send(step['to'], content_of(step['content']), Draws([['r', step['r']]]), step['now'])
        expect('where it stands', (sent.session.name(), sent.sealed.n), (step['session'], step['n'] + index))
        envelopes.append(sent.envelope)
        named[f'{step["as"]}: {index + 1}'] = sent.envelope
    expect('all envelopes', H(16, *envelopes).hex(), step['digest'])


def cannot_send(person, step):
    def work():
        person.send(step['to'], (1, 0, None, b''), Draws([]), step['now'])
    expect_refusal('cannot send', step['refused'], work)


def lose(person, step):
    chain = person.sending_session(step['to']).ratchet.sending
    for _ in range(step['count']):
        _, chain.chain_key = chain_step(chain.chain_key)
    chain.n += step['count']


def seal(person, step):
    size, part_size, key = described[step['of']]
    link, data = unhex(step['link']), joined(step['data'])
    content = InParts(key, size, part_size)
    envelope, _, _ = content.seal_part(step['index'], step['last'], link, data, unhex(step['r']))
    expect(step['as'], (len(envelope), H(16, envelope).hex()), (step['length'], step['is']))
    named[step['as']] = envelope


def take(person, step):
    outcome, awaited = person.take(named[step['part']])
    there = awaited and {'missing': awaited.missing(), 'bytes': awaited.bytes(), 'complete': awaited.complete()}
    expect(step['part'], (outcome, there), (step['outcome'], step.get('there')))


def receive(person, step):
    name, gap = step['envelope'], step.get('gap', 2000)

    def work():
        return person.receive(named[name], step['now'], gap)
    if 'refused' in step:
        before = all_states(person)
        expect_refusal(name, step['refused'], work, step.get('reason'))
        return expect(f'{name}: what is left', all_states(person), before)
    sender, session, outcome = work()
    if outcome.kind == 'forgotten':
        return expect(name, True, step.get('forgotten'))
    if outcome.kind != 'accepted':
        stated = step.get({'duplicate': 'duplicate', 'too-late': 'tooLate'}[outcome.kind])
        return expect(name, {'from': sender, 'n': outcome.n}, stated)
    expect(f'{name}: whether it is accepted', True, 'accepted' in step)
    expect_accepted(name, sender, session, outcome, step['accepted'])


def receive_many(person, step):
    stated = step['accepted']
    for index in range(step['last'] - step['first'] + 1):
        name = f'{step["of"]}: {step["first"] + index}'
        got = person.receive(named[name], step['now'])
        expect_accepted(name, *got, {**stated, 'n': stated['n'] + index})


def expect_accepted(name, sender, session, outcome, stated):
    stated = dict(stated)
    expect(f'{name}: the content', outcome.content, content_of(stated.pop('content')))
    expect(f'{name}: a fork', outcome.fork, stated.pop('fork', None))
    position = {'chain': outcome.chain, 'n': outcome.n, 'late': outcome.late, 'lost': outcome.lost}
    expect(name, {'from': sender, 'session': session.name(), **position}, stated)


COMMANDS = {'invite': invite, 'add': add, 'forget': forget, 'take numbers': take_numbers, 'send': send,
            'send many': send_many, 'cannot send': cannot_send, 'lose': lose, 'receive': receive,
            'receive many': receive_many, 'seal': seal, 'take': take}


def all_states(person):
    """All sessions, but for their marks; and what is awaited."""
    awaited = [(name, awaited.content.key, awaited.parts) for name, awaited in person.awaited]
    return awaited + [(session.name(), {**state_of(session.ratchet), 'fork': None}) for session in person.sessions]


def check_sessions(person, step):
    kept = [[session.name(), session.idle] for session in person.sessions_with(step['with'])]
    expect(f'{step["of"]}: sessions', kept, step['sessions'])
    expect(f'{step["of"]}: sends on', person.sending_session(step['with']).name(), step['sends'])


def check(person, step):
    [session] = [session for session in person.sessions if session.name() == step['session']]
    state = state_of(session.ratchet)
    for field, stated in step['state'].items():
        expect(f'{step["of"]}: {field}', state.pop(field), stated)
    expect('more of a state', state, {})


def state_of(r):
    """A ratchet in the words of `check`."""
    return {
        'rootKey': r.root_key.hex(), 'rootSteps': r.root_steps,
        'lastMix': {'step': r.last_mix[0], 'at': r.last_mix[1]}, 'exchange': exchange_of(*r.exchange),
        'sending': sending_of(r.sending), 'receiving': receiving_of(r.receiving),
        'nextSending': r.next_sending.hex(), 'nextReceiving': r.next_receiving.hex(),
        'finished': [{'number': c.number, 'remote': c.public.hex(), 'headerKey': c.header_key.hex(), 'length': c.n}
                     for c in r.finished],
        'skipped': [[*at, key.hex()] for at, (key, _) in sorted(r.skipped.items())],
        'digests': [[*at, ident.hex()] for at, ident in sorted(r.digests.items())],
        'lost': r.lost, 'fork': r.fork,
    }


def exchange_of(kind, key=b''):
    return {'idle': 'idle', 'offered': {'offered': key.hex()}, 'owed': {'owed': H(16, key).hex()}}[kind]


def sending_of(sending):
    if isinstance(sending, Chain):
        return {'chain': {
            'secretKey': sending.own.hex(), 'chainKey': sending.chain_key.hex(), 'headerKey': sending.header_key.hex(),
            'n': sending.n, 'previousN': sending.previous_n,
            'kem': H(16, sending.field).hex() if sending.field else None}}
    if sending[0] == 'due':
        return {'due': {'remote': sending[1].hex(), 'previousN': sending[2]}}
    return {'awaiting': {'secretKey': sending[1].hex()}}


def receiving_of(chain):
    return 'awaiting' if chain is None else {'chain': {
        'number': chain.number, 'remote': chain.public.hex(), 'chainKey': chain.chain_key.hex(),
        'headerKey': chain.header_key.hex(), 'n': chain.n}}
