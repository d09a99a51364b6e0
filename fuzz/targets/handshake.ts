/** Targets for invites and openings. */
import { PawlError } from '../../src/errors.ts';
import {
  acceptOpening,
  createIdentity,
  createInvite,
  hintedInvite,
  openSession,
  readInvite,
} from '../../src/handshake/index.ts';
import { concat, equal, sign, uint, uint64, utf8 } from '../../src/primitives/index.ts';
import { anyOpener } from '../hostile.ts';
import { mutate } from '../mutate.ts';
import { demand, type Target, verdictOf } from '../target.ts';

const EXPIRES = 1_800_000_000_000;
const SIGNED_LENGTH = 1_257;

/** Altered invites; half of them with a valid signature, as a hostile inviter makes them. */
const inviting: Target = {
  name: 'readInvite',
  share: 2_000,
  prepare(setup) {
    const maker = createIdentity(setup.bytes);
    const invites = [false, true].map((reusable) => {
      return createInvite(maker, { reusable, expiresAt: EXPIRES }, setup.bytes).invite.bytes;
    });
    return {
      make(dice) {
        const altered = mutate(dice, dice.pick(invites), dice.pick(invites));
        if (dice.oneIn(2)) return altered;
        const fields = altered.subarray(0, SIGNED_LENGTH);
        return concat(fields, sign(maker.seed, concat(utf8('pawl/1 invite'), fields)));
      },
      run: (input) =>
        verdictOf(() => {
          const { reusable, identity, prekey, encapsulationKey, expiresAt } = readInvite(input);
          const flags = uint(reusable ? 1 : 0, 1);
          const fields = concat(flags, identity, prekey, encapsulationKey, uint64(expiresAt / 1_000));
          demand(equal(fields, input.subarray(0, SIGNED_LENGTH)), 'an invite is what its fields say');
        }),
    };
  },
};

const START = 1_790_000_000_123;
const OPENED = [0, START, 8.64e15, 8.64e15 + 1, 2 ** 53, 2 ** 63];

/** Prefixes of openings: altered on the way, or sealed by a hostile opener with senseless fields. */
const opening: Target = {
  name: 'acceptOpening',
  share: 2_000,
  prepare(setup) {
    const self = createIdentity(setup.bytes);
    const { invite, secrets } = createInvite(self, { reusable: false, expiresAt: EXPIRES }, setup.bytes);
    const answered = { bytes: invite.bytes, secrets };
    const prefixes = Array.from({ length: 40 }, (_, i) => {
      const opener = i % 2 === 0 ? createIdentity(setup.bytes) : anyOpener(setup, self);
      return openSession(opener, invite, i % 4 === 0 ? START : setup.pick(OPENED), setup.bytes).prefix;
    });
    return {
      make: (dice) => {
        const prefix = dice.pick(prefixes);
        return dice.oneIn(6) ? prefix : mutate(dice, prefix, dice.pick(prefixes));
      },
      run: (input) =>
        verdictOf(() => {
          if (hintedInvite(self, input) === undefined) throw new PawlError('not-for-you', {});
          acceptOpening(self, input, answered);
        }),
    };
  },
};

export const handshakes: readonly Target[] = [inviting, opening];
