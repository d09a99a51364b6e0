// A peer for bench/in-memory.ts: olm.
import olm from '@matrix-org/olm';

class Party {
  constructor(session) {
    this.session = session;
  }
  async send(text) {
    return this.session.encrypt(text);
  }
  async receive({ type, body }) {
    return this.session.decrypt(type, body);
  }
}

/** Two parties who have each received a message of the other. */
export async function meet(text) {
  await olm.init();
  const [alice, bob] = [new olm.Account(), new olm.Account()];
  alice.create();
  bob.create();
  bob.generate_one_time_keys(1);
  const [oneTimeKey] = Object.values(JSON.parse(bob.one_time_keys()).curve25519);
  const [sending, receiving] = [new olm.Session(), new olm.Session()];
  sending.create_outbound(alice, JSON.parse(bob.identity_keys()).curve25519, oneTimeKey);
  const first = sending.encrypt(text);
  receiving.create_inbound(bob, first.body);
  receiving.decrypt(first.type, first.body);
  const answer = receiving.encrypt(text);
  sending.decrypt(answer.type, answer.body);
  return [new Party(sending), new Party(receiving)];
}
