"""The ratchet, and the KEM in its root: docs/PROTOCOL.md §5, §6."""
import copy
from collections import namedtuple

from chacha import seal, unseal, xseal, xunseal
from curve25519 import is_x25519_key, x25519, x25519_public
from derive import H, Refusal, chain_step, find_tag, hmac_blake2b, root, uint
from ml_kem import decaps, encaps, is_encapsulation_key, keygen
from wire import decode_content, number

GAP, KEPT_KEYS, KEPT_FOR, RECENT_CHAINS = 2000, 2000, 30 * 86_400_000, 5
STEPS, DAY = 8, 86_400_000
OFFER, ANSWER = 1184, 1088

# `root_step`: DH output, KEM secret and chain key of the root step that the message began with, or None.
Sealed = namedtuple('Sealed', 'header_nonce sealed_header body root_step n pn message_key id')
# `kind`: accepted, duplicate, too-late, or forgotten: a duplicate by the ledger (§3).
Outcome = namedtuple('Outcome', 'kind n chain late lost content fork', defaults=[None] * 6)


class Chain:
    """Of one direction. `own`: our secret key, where it is ours."""

    def __init__(self, number, public, chain_key, header_key, own=None, previous_n=0, field=b''):
        self.number, self.public, self.chain_key, self.header_key = number, public, chain_key, header_key
        self.own, self.previous_n, self.field, self.n = own, previous_n, field, 0


class Ratchet:
    """One side of a session."""

    is_unanswered = False

    def __init__(self, agreement, now):
        self.T, self.root_key, self.root_steps = agreement.T, agreement.SK, 0
        self.last_mix, self.exchange = (0, now), ('idle',)
        self.sending = self.receiving = self.root_step = None
        self.finished, self.skipped, self.digests = [], {}, {}
        self.lost, self.fork = 0, None

    @staticmethod
    def initiator(agreement, prekey, ratchet_key, now):
        r = Ratchet(agreement, now)
        r.next_sending, r.next_receiving = agreement.HK, agreement.NHK
        r.sending = ('due', prekey, 0)
        r.root_step = r._begin_chain(ratchet_key, b'', b'')
        return r

    @staticmethod
    def responder(agreement, prekey, now):
        r = Ratchet(agreement, now)
        r.next_sending, r.next_receiving = agreement.NHK, agreement.HK
        r.sending = ('awaiting', prekey)
        return r

    # Sending: §5.2

    def _begin_chain(self, own, field, ss):
        """Our root step: the DH output, the KEM secret, and the chain key that comes of them."""
        _, remote, previous_n = self.sending
        dh = x25519(own, remote)
        self.root_key, chain_key, following = root(self.root_key, dh + ss)
        self.sending = Chain(None, x25519_public(own), chain_key, self.next_sending, own, previous_n, field)
        self.next_sending = following
        self.root_steps += 1
        return dh, ss, chain_key

    def _sender_turn(self, draw, now):
        """§6: the KEM field and the secret of our root step."""
        if self.exchange[0] == 'owed':
            ct, ss = encaps(self.exchange[1], draw('m'))
            self.exchange, self.last_mix = ('idle',), (self.root_steps + 1, now)
            return ct, ss
        step, at = self.last_mix
        if self.exchange[0] == 'idle' and (self.root_steps - step >= STEPS or now - at >= DAY):
            seed = draw('KEM seed')
            self.exchange = ('offered', seed)
            return keygen(seed)[0], b''
        return b'', b''

    def encrypt(self, plaintext, draw, now):
        root_step, self.root_step = self.root_step, None
        if not isinstance(self.sending, Chain):
            own = draw('ratchet key')
            root_step = self._begin_chain(own, *self._sender_turn(draw, now))
        c = self.sending
        mk, c.chain_key = chain_step(c.chain_key)
        header = c.public + uint(c.n, 4) + uint(c.previous_n, 4) + c.field
        hedged = hmac_blake2b(mk, b'pawl/1 nonces' + draw('r') + uint(len(header), 2) + header + plaintext)
        nonce, salt = hedged[:12], hedged[12:28]
        body = nonce + seal(mk, nonce, self.T + header, plaintext)
        ident = H(16, body)
        header_nonce = salt + find_tag(c.header_key, salt)
        sealed = xseal(c.header_key, header_nonce, self.T, header + ident)
        c.n += 1
        return Sealed(header_nonce, sealed, body, root_step, c.n - 1, c.previous_n, mk, ident)

    # Receiving: §5.3, §5.4

    def header_keys(self):
        """Each with what it belongs to: 'next', or a chain."""
        current = [(self.receiving.header_key, self.receiving)] if self.receiving else []
        return current + [(self.next_receiving, 'next')] + [(c.header_key, c) for c in reversed(self.finished)]

    def find(self, header_nonce):
        for key, place in self.header_keys():
            if find_tag(key, header_nonce[:16]) == header_nonce[16:]:
                return key, place
        return None

    def open_header(self, key, header_nonce, sealed, body):
        plain = xunseal(key, header_nonce, self.T, sealed)
        if plain is None or plain[-16:] != H(16, body) or len(plain) - 16 not in (40, 40 + OFFER, 40 + ANSWER):
            raise Refusal('corrupt')
        if not is_x25519_key(plain[:32]):
            raise Refusal('weak-key')
        return plain[:-16], plain[-16:]

    def decrypt(self, key, place, message, now, gap=GAP):
        """The ratchet after the message, and the outcome."""
        header_nonce, sealed, body = message
        header, ident = self.open_header(key, header_nonce, sealed, body)
        dh, n, pn, field = header[:32], number(header[32:36]), number(header[36:40]), header[40:]
        if place == 'next':
            step, late, mark = self._new_chain(dh, n, pn, field, now, gap), False, None
            if self.receiving and pn < self.receiving.n:
                mark = 'chain-shorter-than-received'
        else:
            known = self.digests.get((place.number, n))
            if known is not None:
                if known == ident:
                    return self, Outcome('duplicate', n)
                raise Refusal('fork', 'two-texts-at-one-position')
            if dh != place.public:
                raise Refusal('fork', 'two-keys-in-one-chain')
            if place is not self.receiving and n >= place.n:
                raise Refusal('fork', 'past-the-end-of-a-chain')
            late, mark = (place.number, n) in self.skipped, None
            if not late and (place is not self.receiving or n < place.n):
                return self, Outcome('too-late', n)
            if not late and n - place.n > gap:
                raise Refusal('gap-too-large')
            step = copy.deepcopy(self)
        chain = step.receiving if place == 'next' else place
        if late:
            mk, _ = step.skipped.pop((chain.number, n))
        else:
            step._skip(step.receiving, n, now)
            mk, step.receiving.chain_key = chain_step(step.receiving.chain_key)
            step.receiving.n = n + 1
        plaintext = unseal(mk, body[:12], self.T + header, body[12:])
        if plaintext is None:
            raise Refusal('fork', 'body-does-not-authenticate')
        if step.is_unanswered:
            raise Refusal('kem-missing')
        content, lost = decode_content(plaintext), step.lost - self.lost
        step.digests[chain.number, n] = ident
        step.fork = step.fork or mark
        step._hold_limits()
        return step, Outcome('accepted', n, chain.number, late, lost, content, mark)

    def _receiver_turn(self, field, now):
        """§6: the secret of their root step."""
        if self.exchange[0] == 'offered':
            if len(field) != ANSWER:
                self.is_unanswered = True
                return b''
            ss = decaps(keygen(self.exchange[1])[1], field)
            self.exchange, self.last_mix = ('idle',), (self.root_steps + 1, now)
            return ss
        if len(field) == ANSWER:
            raise Refusal('fork', 'answer-without-an-offer')
        if len(field) == OFFER:
            if not is_encapsulation_key(field):
                raise Refusal('weak-key')
            self.exchange = ('owed', field)
        return b''

    def _new_chain(self, dh, n, pn, field, now, gap):
        """The ratchet after the DH step."""
        if isinstance(self.sending, tuple) and self.sending[0] == 'due':
            raise Refusal('fork', 'answer-to-an-unknown-chain')
        if self.receiving is None and pn != 0:
            raise Refusal('corrupt')
        if n > gap:
            raise Refusal('gap-too-large')
        step = copy.deepcopy(self)
        ss = step._receiver_turn(field, now)
        ended = step.receiving
        if ended:
            if pn - ended.n > gap:
                step.lost += pn - ended.n
            else:
                step._skip(ended, pn, now)
            ended.n = max(pn, ended.n)
            step.finished.append(ended)
        own, sent = (self.sending.own, self.sending.n) if isinstance(self.sending, Chain) else (self.sending[1], 0)
        step.root_key, chain_key, following = root(step.root_key, x25519(own, dh) + ss)
        step.receiving = Chain(ended.number + 1 if ended else 0, dh, chain_key, self.next_receiving)
        step.next_receiving = following
        step.sending = ('due', dh, sent)
        step.root_steps += 1
        return step

    # Limits: §5.5

    def _skip(self, chain, to, now):
        """Keeps the keys of the positions up to `to`: of one gap the newest 2,000."""
        for n in range(chain.n, to):
            mk, chain.chain_key = chain_step(chain.chain_key)
            if to - n <= KEPT_KEYS:
                self.skipped[chain.number, n] = mk, now
            else:
                self.lost += 1

    def _drop(self, positions):
        for position in positions:
            del self.skipped[position]
            self.lost += 1

    def _hold_limits(self):
        self._drop(sorted(self.skipped)[:max(0, len(self.skipped) - KEPT_KEYS)])
        missing = {number for number, _ in self.skipped}
        self.finished = [c for c in self.finished if c in self.finished[-RECENT_CHAINS:] or c.number in missing]
        kept = {c.number for c in self.finished} | {self.receiving.number}
        self.digests = {at: ident for at, ident in self.digests.items() if at[0] in kept}

    def sweep(self, now):
        self._drop([at for at, (_, since) in self.skipped.items() if now - since > KEPT_FOR])
