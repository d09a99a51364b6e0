// A peer for bench/in-memory.ts: libsignal's PQXDH and Triple Ratchet, with its stores in memory.
import {
  Direction,
  IdentityChange,
  IdentityKeyPair,
  IdentityKeyStore,
  KEMKeyPair,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyBundle,
  PreKeyRecord,
  PreKeySignalMessage,
  PreKeyStore,
  PrivateKey,
  ProtocolAddress,
  processPreKeyBundle,
  SessionStore,
  SignalMessage,
  SignedPreKeyRecord,
  SignedPreKeyStore,
  signalDecrypt,
  signalDecryptPreKey,
  signalEncrypt,
} from '@signalapp/libsignal-client';

// Stores in memory that keep the record objects: serializing them is not measured.

class Sessions extends SessionStore {
  #record = null;
  async saveSession(_address, record) {
    this.#record = record;
  }
  async getSession() {
    return this.#record;
  }
  async getExistingSessions() {
    return this.#record === null ? [] : [this.#record];
  }
}

class Identities extends IdentityKeyStore {
  #pair = IdentityKeyPair.generate();
  #peer = null;
  async getIdentityKey() {
    return this.#pair.privateKey;
  }
  async getIdentityKeyPair() {
    return this.#pair;
  }
  async getLocalRegistrationId() {
    return 1;
  }
  async saveIdentity(_address, key) {
    this.#peer = key;
    return IdentityChange.NewOrUnchanged;
  }
  async isTrustedIdentity(_address, _key, direction) {
    return direction === Direction.Sending || direction === Direction.Receiving;
  }
  async getIdentity() {
    return this.#peer;
  }
}

class PreKeys extends PreKeyStore {
  record = PreKeyRecord.new(1, ...halves(PrivateKey.generate()));
  async savePreKey() {}
  async getPreKey() {
    return this.record;
  }
  async removePreKey() {}
}

class SignedPreKeys extends SignedPreKeyStore {
  constructor(identity) {
    super();
    const [publicKey, privateKey] = halves(PrivateKey.generate());
    const signature = identity.privateKey.sign(publicKey.serialize());
    this.record = SignedPreKeyRecord.new(1, Date.now(), publicKey, privateKey, signature);
  }
  async saveSignedPreKey() {}
  async getSignedPreKey() {
    return this.record;
  }
}

class KyberPreKeys extends KyberPreKeyStore {
  constructor(identity) {
    super();
    const pair = KEMKeyPair.generate();
    const signature = identity.privateKey.sign(pair.getPublicKey().serialize());
    this.record = KyberPreKeyRecord.new(1, Date.now(), pair, signature);
  }
  async saveKyberPreKey() {}
  async getKyberPreKey() {
    return this.record;
  }
  async markKyberPreKeyUsed() {}
}

function halves(privateKey) {
  return [privateKey.getPublicKey(), privateKey];
}

class Party {
  #self;
  #peer;
  #sessions = new Sessions();
  #identities;

  constructor(self, peer, identities) {
    this.#self = ProtocolAddress.new(self, 1);
    this.#peer = ProtocolAddress.new(peer, 1);
    this.#identities = identities;
  }

  open(bundle) {
    return processPreKeyBundle(bundle, this.#peer, this.#self, this.#sessions, this.#identities);
  }

  async send(text) {
    const message = await signalEncrypt(text, this.#peer, this.#self, this.#sessions, this.#identities);
    return message.serialize();
  }

  receive(bytes) {
    const message = SignalMessage.deserialize(bytes);
    return signalDecrypt(message, this.#peer, this.#self, this.#sessions, this.#identities);
  }

  receiveFirst(bytes, ...preKeys) {
    const message = PreKeySignalMessage.deserialize(bytes);
    return signalDecryptPreKey(message, this.#peer, this.#self, this.#sessions, this.#identities, ...preKeys);
  }
}

/** Two parties with a session of libsignal's newest kind (PQXDH, then the Triple Ratchet), which both have used. */
export async function meet(text) {
  const [alices, bobs] = [new Identities(), new Identities()];
  const identity = await bobs.getIdentityKeyPair();
  const [preKeys, signed, kyber] = [new PreKeys(), new SignedPreKeys(identity), new KyberPreKeys(identity)];
  const bundle = PreKeyBundle.new(
    1,
    1,
    preKeys.record.id(),
    preKeys.record.publicKey(),
    signed.record.id(),
    signed.record.publicKey(),
    signed.record.signature(),
    identity.publicKey,
    kyber.record.id(),
    kyber.record.publicKey(),
    kyber.record.signature(),
  );
  const [alice, bob] = [new Party('alice', 'bob', alices), new Party('bob', 'alice', bobs)];
  await alice.open(bundle);
  await bob.receiveFirst(await alice.send(text), preKeys, signed, kyber);
  const answer = await bob.send(text);
  if (SignalMessage.deserialize(answer).pqRatchet().length === 0) throw new Error('libsignal: not post-quantum');
  await alice.receive(answer);
  return [alice, bob];
}
