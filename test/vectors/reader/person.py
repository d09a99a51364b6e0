"""A person: invites, contacts, sessions; what each command does with them. docs/PROTOCOL.md §3, §4, §5.3."""
from collections import namedtuple

from derive import H, Identity, Refusal, find_tag
from opening import Invite, accept_opening, hinted_invite, make_invite, open_session
from parts import Awaited, InParts
from ratchet import DAY, GAP, Outcome, Ratchet
from wire import MESSAGE, OPENING, decode_envelope, encode_content, encode_envelope, message_bytes

SECOND = 1000
LAST_USER, KEPT_SESSIONS, IDLE_MESSAGES, MOST_AWAITED = 1000, 4, 64, 4

# `agreement`: what was agreed, if the message opened the session; else None.
Sent = namedtuple('Sent', 'envelope session agreement sealed')


class Made:
    """An invite of ours, and what became of it."""

    def __init__(self, invite, name, prekey, seed):
        self.invite, self.name, self.secrets, self.spent_at = invite, name, (prekey, seed), None
        # Of a reusable one.
        self.last_user, self.numbers_after, self.ledger = 0, 0, set()

    def end(self):
        """When it was over, in milliseconds."""
        return self.invite.expires * SECOND if self.spent_at is None else self.spent_at


class Contact:
    def __init__(self, identity):
        self.identity, self.waiting, self.added_at = identity, None, None


class Session:
    """`prefix`: of our opening, while it has no answer."""

    def __init__(self, contact, ratchet, opened, prefix=None, prefix_digest=None, invite_id=None):
        self.contact, self.ratchet, self.opened = contact, ratchet, opened
        self.prefix, self.prefix_digest, self.invite_id = prefix, prefix_digest, invite_id
        self.idle = 0

    def name(self):
        return H(8, b'pawl/1 session', self.ratchet.T).hex()


class Person:
    def __init__(self, seed):
        self.identity, self.made, self.contacts, self.sessions = Identity(seed), {}, {}, []
        self.numbers = {}
        # By the name of the contact.
        self.awaited = []

    def sweep(self, now):
        """What every command does first: deletes what has outlived its time."""
        def over(since, period):
            return since < (now - period) // SECOND * SECOND
        for made in self.made.values():
            if made.secrets and over(made.invite.expires * SECOND, 7 * DAY):
                made.secrets, made.ledger = None, set()
        self.made = {key: made for key, made in self.made.items() if made.secrets or not over(made.end(), 90 * DAY)}
        for session in self.sessions:
            session.ratchet.sweep(now)

    def invite(self, name, reusable, expires, prekey, seed):
        invite = make_invite(self.identity, reusable, expires, prekey, seed)
        self.made[invite.id] = Made(invite, name, prekey, seed)
        self.made[invite.id].numbers_after = self.numbers.get(name, 0)
        return invite

    def name_of(self, identity):
        return next((name for name, contact in self.contacts.items() if contact.identity == identity), None)

    def add(self, name, data, now):
        """The name that the contact has, and whether the invite was answered before."""
        invite = Invite(data)
        if invite.expires * SECOND <= now:
            raise Refusal('invite-expired')
        if invite.identity == self.identity.key:
            raise Refusal('self')
        known = self.name_of(invite.identity)
        if known is None and name in self.contacts:
            raise Refusal('identity-changed')
        contact = self.contacts.setdefault(known or name, Contact(invite.identity))
        answered = not invite.reusable and any(session.invite_id == invite.id for session in self.sessions)
        if not answered:
            contact.waiting, contact.added_at = invite, now
        return known or name, answered

    def forget(self, name):
        base, dash, number = name.rpartition('-')
        if self.contacts.pop(name, None) and base and number.isdecimal() and number[0] != '0':
            self.numbers[base] = max(int(number), self.numbers.get(base, 0))
        self.sessions = [session for session in self.sessions if session.contact != name]
        self.awaited = [(sender, awaited) for sender, awaited in self.awaited if sender != name]
        self.made = {key: made for key, made in self.made.items() if made.name != name or not made.secrets}

    def sessions_with(self, name):
        """In the order in which they were made."""
        return [session for session in self.sessions if session.contact == name]

    def _drop_idle(self, name):
        """Keeps the session that is sent on, and of the others the three least idle: the later made of equals."""
        sending = self.sending_session(name)
        others = [session for session in reversed(self.sessions_with(name)) if session is not sending]
        others.sort(key=lambda session: session.idle)
        kept = [session for session in others[:KEPT_SESSIONS - 1] if session.idle < IDLE_MESSAGES]
        self.sessions = [s for s in self.sessions if s.contact != name or s is sending or s in kept]

    # Sending

    def sending_session(self, name):
        """The one with the largest (opened, T), but for openings of ours that were overtaken."""
        mine = self.sessions_with(name)
        def overtaken(session):
            later = mine[mine.index(session) + 1:]
            return session.prefix is not None and any(other.prefix_digest for other in later)
        return max((s for s in mine if not overtaken(s)), key=lambda s: (s.opened, s.ratchet.T), default=None)

    def send(self, name, content, draw, now):
        contact, session, agreement = self.contacts[name], self.sending_session(name), None
        expired = contact.waiting and contact.waiting.expires * SECOND <= now
        if session is None and (expired or not contact.waiting):
            raise Refusal('invite-expired' if expired else 'no-session')
        if contact.waiting and not expired:
            session, agreement = self._open(name, contact.waiting, draw, now)
        contact.waiting = None
        sealed = session.ratchet.encrypt(encode_content(content), draw, now)
        kind, prefix = (MESSAGE, b'') if session.prefix is None else (OPENING, session.prefix)
        envelope = encode_envelope(kind, prefix + message_bytes(sealed.header_nonce, sealed.sealed_header, sealed.body))
        return Sent(envelope, session, agreement, sealed)

    def _open(self, name, invite, draw, now):
        self.sessions = [s for s in self.sessions if s.contact != name or s.prefix is None or s.opened <= now + DAY]
        opened = max([now] + [s.opened + 1 for s in self.sessions if s.contact == name])
        prefix, agreement = open_session(self.identity, invite, opened, draw('ephemeral key'), draw('m'))
        ratchet = Ratchet.initiator(agreement, invite.prekey, draw('ratchet key'), now)
        session = Session(name, ratchet, opened, prefix=prefix, invite_id=invite.id)
        self.sessions.append(session)
        self._drop_idle(name)
        return session, agreement

    # Receiving

    def receive(self, envelope, now, gap=GAP):
        """Who it is from, on which session, and the outcome."""
        kind, prefix, *message = decode_envelope(envelope)
        sessions = self.sessions
        if kind == OPENING:
            sessions = [s for s in self.sessions if s.prefix_digest == H(16, prefix)]
            if not sessions:
                return self._accept(prefix, message, now, gap)
        for session in sessions:
            found = session.ratchet.find(message[0])
            if found:
                break
        else:
            raise Refusal('not-for-you')
        try:
            ratchet, outcome = session.ratchet.decrypt(*found, message, now, gap)
        except Refusal as refusal:
            session.ratchet.fork = session.ratchet.fork or refusal.reason
            raise
        if outcome.kind == 'accepted':
            self._await(session.contact, outcome.content)
            session.prefix = None
            for other in self.sessions_with(session.contact):
                other.idle = 0 if other is session else other.idle + 1
            self._drop_idle(session.contact)
        session.ratchet = ratchet
        return session.contact, session, outcome

    def _accept(self, prefix, message, now, gap):
        """The steps of §4 from 2 on."""
        invite_id = hinted_invite(self.identity, prefix)
        made = self.made.get(invite_id)
        if made is None:
            raise Refusal('unknown-invite')
        if made.spent_at is not None:
            raise Refusal('invite-spent')
        if made.secrets is None or made.invite.expires * SECOND + 7 * DAY <= now:
            raise Refusal('invite-expired')
        if H(16, prefix) in made.ledger:
            return None, None, Outcome('forgotten')
        opener, agreement = accept_opening(self.identity, made.invite, *made.secrets, prefix)
        ratchet = Ratchet.responder(agreement, made.secrets[0], now)
        if find_tag(agreement.HK, message[0][:16]) != message[0][16:]:
            raise Refusal('corrupt')
        try:
            ratchet, outcome = ratchet.decrypt(agreement.HK, 'next', message, now, gap)
        except Refusal as refusal:
            raise Refusal('corrupt' if refusal.code == 'fork' else refusal.code) from None
        if agreement.opened > now + DAY:
            raise Refusal('clock-ahead')
        number, invited_as = self._next_user(made) if made.invite.reusable else (None, made.name)
        name = self.name_of(opener) or invited_as
        if name in self.contacts and self.contacts[name].identity != opener:
            raise Refusal('identity-changed')
        self._await(name, outcome.content)
        contact = self.contacts.setdefault(name, Contact(opener))
        if contact.waiting and agreement.opened > contact.added_at:
            contact.waiting = None
        if number is None:
            made.spent_at, made.secrets = now, None
        else:
            made.last_user = self.numbers[made.name] = number
            made.ledger.add(H(16, prefix))
        session = Session(name, ratchet, agreement.opened, prefix_digest=H(16, prefix))
        self.sessions.append(session)
        self._drop_idle(name)
        return name, session, outcome

    def _await(self, name, content):
        """What an accepted message describes is awaited: §7.1."""
        if content[0] != 3:
            return
        size, part_size, key = content[3]
        if any(awaited.content.key == key for _, awaited in self.awaited):
            raise Refusal('corrupt')
        if sum(sender == name for sender, _ in self.awaited) >= MOST_AWAITED:
            raise Refusal('too-many-incoming')
        self.awaited.append((name, Awaited(InParts(key, size, part_size))))

    def take(self, envelope):
        """What becomes of a part; and what is there of its content then, where it is awaited."""
        for entry in self.awaited:
            awaited = entry[1]
            try:
                outcome = awaited.take(*awaited.content.open(envelope))
            except Refusal as refusal:
                if refusal.code == 'unknown-part':
                    continue
                outcome = refusal.code
            if awaited.complete():
                self.awaited.remove(entry)
            return outcome, awaited
        return 'unknown-part', None

    def _next_user(self, made):
        """The number that the next user of a reusable invite takes, and the name that goes with it."""
        promised = [other.name for other in self.made.values() if other.secrets]
        last = max(made.last_user, self.numbers.get(made.name, 0))
        for number in range(last + 1, made.numbers_after + LAST_USER + 1):
            name = f'{made.name}-{number}'
            if name not in self.contacts and name not in promised:
                return number, name
        raise Refusal('invite-used-up')
