/** Targets for contents in parts: opening one, from an outsider and from whoever has the key, and telling what fits. */
import { partHead, type SealedPart } from '../../src/envelope/index.ts';
import { PawlError } from '../../src/errors.ts';
import {
  deriveKeys,
  FIRST_LINK,
  isOf,
  nextLink,
  type OpenedPart,
  type Part,
  type PartKeys,
  PartLog,
  partDigest,
} from '../../src/parts/index.ts';
import { concat, equal, hkdfSha256, hmacSha256, seal, uint, utf8 } from '../../src/primitives/index.ts';
import type { Dice } from '../dice.ts';
import { mutate } from '../mutate.ts';
import { openPart, sealPart } from '../one-part.ts';
import { demand, type Target, type Verdicts, verdictOf } from '../target.ts';

/** Less than a descriptor may say: nothing depends on it, and an input is quick. */
const S = 64;
const INDEXES = [0, 0, 0, 1, 2, 4_096, 4_097, 2 ** 31, 2 ** 32 - 1];
const LENGTHS = [0, 1, 5, S - 1, S, S + 1, 2 ** 31, 2 ** 32 - 1];

/** A content in parts, by the rules. */
function partsOf(content: Uint8Array): readonly Part[] {
  let link = FIRST_LINK;
  const count = Math.max(Math.ceil(content.length / S), 1);
  return Array.from({ length: count }, (_, index) => {
    const part = { index, isLast: index === count - 1, link, data: content.subarray(index * S, (index + 1) * S) };
    link = nextLink(link, partDigest(part));
    return part;
  });
}

const bytesOf = ({ salt, tag, sealed }: SealedPart): Uint8Array => concat(salt, tag, sealed);
const partIn = (bytes: Uint8Array): SealedPart => ({
  salt: bytes.slice(0, 16),
  tag: bytes.slice(16, 24),
  sealed: bytes.slice(24),
});

/** Opens what has come, as a reader does who awaits the content. */
function opened(keys: PartKeys, input: Uint8Array): OpenedPart {
  const part = partIn(input);
  if (!isOf(keys, part)) throw new PawlError('unknown-part', {});
  return openPart(keys, part, S);
}

const outsider: Target = {
  name: 'openPart, outsider',
  share: 60_000,
  prepare(setup) {
    const keys = deriveKeys(setup.bytes(32));
    const sealed = [0, 5, S, 3 * S + 1].flatMap((length) =>
      partsOf(setup.bytes(length)).map((part) =>
        bytesOf(sealPart(keys, part, { partSize: S, random: setup.bytes }).sealed),
      ),
    );
    return {
      make: (dice) => (dice.oneIn(20) ? dice.pick(sealed) : mutate(dice, dice.pick(sealed), dice.pick(sealed))),
      run: (input) =>
        verdictOf(() => {
          opened(keys, input);
          demand(
            sealed.some((one) => equal(one, input)),
            'only what was sealed is opened',
          );
        }),
    };
  },
};

/** What whoever has the key may seal: senseless fields. */
function anyPlaintext(dice: Dice): Uint8Array {
  const length = dice.pick(LENGTHS);
  const data = dice.bytes(Math.min(dice.oneIn(4) ? dice.below(S + 1) : length, S));
  const link = dice.oneIn(2) ? FIRST_LINK : dice.bytes(32);
  const zeros = dice.oneIn(6) ? dice.bytes(S - data.length) : new Uint8Array(S - data.length);
  const last = dice.pick([0, 1, 1, 1, 2, 255]);
  const whole = concat(uint(dice.pick(INDEXES), 4), uint(last, 1), uint(length, 4), link, data, zeros);
  return dice.oneIn(12) ? whole.slice(0, dice.below(whole.length + 1)) : whole;
}

const peer: Target = {
  name: 'openPart, peer',
  share: 60_000,
  prepare(setup) {
    const keys = deriveKeys(setup.bytes(32));
    return {
      make(dice) {
        const salt = dice.bytes(16);
        const tag = hmacSha256(keys.find, salt).slice(0, 8);
        const key = hkdfSha256(keys.content, utf8('pawl/1 part key'), 32, salt);
        const size = dice.oneIn(12) ? S + 1 : S;
        return bytesOf({
          salt,
          tag,
          sealed: seal(key, new Uint8Array(12), anyPlaintext(dice), partHead({ salt, tag }, size)),
        });
      },
      run: (input) =>
        verdictOf(() => {
          const part = opened(keys, input);
          const { index, isLast, data } = part;
          demand(isLast ? data.length > 0 || index === 0 : data.length === S, 'only a last part is short');
          demand(equal(part.digest, partDigest(part)), 'the digest is that of the data');
          // A part that was opened is one that the rules seal.
          const again = sealPart(keys, part, { partSize: S, random: (length) => new Uint8Array(length) }).sealed;
          const { data: same, ...rest } = openPart(keys, again, S);
          demand(equal(same, data) && rest.index === index && rest.isLast === isLast, 'open(seal(x)) = x');
        }),
    };
  },
};

/** A part of one of two attempts, the second of a source that has changed. */
interface Arrival {
  readonly attempt: number;
  readonly pick: number;
}

/** An input: the length of both contents, where they differ, whether the size is known; then arrivals, two bytes each. */
const log: Target = {
  name: 'part log',
  share: 60_000,
  prepare: () => ({
    make: (dice) => dice.bytes(4 + 2 * dice.below(40)),
    run(input) {
      const [length = 0, other = 0, from = 0, known = 0, ...rest] = input;
      const first = new Uint8Array(length).fill(1);
      const second = new Uint8Array(other).fill(1).fill(2, from);
      const attempts = [first, second].map(partsOf);
      const size = [undefined, length, other][known % 3];
      const arrivals: readonly Arrival[] = Array.from({ length: rest.length >> 1 }, (_, index) => ({
        attempt: (rest[2 * index] ?? 0) % 2,
        pick: rest[2 * index + 1] ?? 0,
      }));
      return collect(new PartLog({ size, partSize: S }), attempts, arrivals);
    },
  }),
};

function collect(parts: PartLog, attempts: readonly (readonly Part[])[], arrivals: readonly Arrival[]): Verdicts {
  const data = new Map<number, Uint8Array>();
  const verdicts: string[] = [];
  for (const { attempt, pick } of arrivals) {
    const all = attempts[attempt] ?? [];
    const part = all[pick % all.length];
    if (part === undefined) continue;
    const before = [parts.count, parts.bytes, parts.firstMissing, parts.isComplete].join();
    const [verdict = ''] = verdictOf(() => {
      const one = { ...part, digest: partDigest(part) };
      if (parts.check(one) === 'duplicate') throw new PawlError('exists', { path: 'a part' });
      parts.add(one);
      data.set(part.index, part.data);
    });
    const isSame = before === [parts.count, parts.bytes, parts.firstMissing, parts.isComplete].join();
    demand(isSame === (verdict !== 'accepted'), 'only what is accepted changes anything');
    verdicts.push(verdict);
  }
  demand(parts.count === data.size, 'what is accepted is there');
  if (!parts.isComplete) return verdicts;
  const content = concat(...Array.from({ length: data.size }, (_, index) => data.get(index) ?? new Uint8Array(0)));
  const wholes = attempts.map((all) => concat(...all.map((part) => part.data)));
  demand(
    wholes.some((whole) => equal(whole, content)),
    'no content is a mixture',
  );
  return verdicts;
}

export const inParts: readonly Target[] = [outsider, peer, log];
