import { createHash } from 'node:crypto';
import { shake128 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  decapsulate,
  ENCAPSULATION_KEY_LENGTH,
  encapsulate,
  generateKemKey,
  KEM_CIPHERTEXT_LENGTH,
  KEM_SEED_LENGTH,
  type KemCiphertext,
  type KemSeed,
  type Random,
  readEncapsulationKey,
  systemRandom,
} from '../../src/primitives/index.ts';
import { hasNodeKem, type MlKem, NOBLE_KEM, NODE_KEM } from '../../src/primitives/kem.ts';
import { hasRawKeys } from '../../src/primitives/key-objects.ts';
import vectors from '../vectors/ml-kem-768.json' with { type: 'json' };
import { hex, shifted, toHexText } from './hex.ts';
import { expectWeakKey, withCoefficient } from './weak-key.ts';

/** A random source that gives `bytes`, once, when asked for just as many. */
function giving(bytes: Uint8Array): Random {
  let spent = false;
  return (length) => {
    if (spent || length !== bytes.length) throw new Error(`asked for ${length} bytes`);
    spent = true;
    return bytes;
  };
}

/** K̄ = J(z || c): what FIPS 203 §6.3 gives for a ciphertext that was not made with this key. */
function rejectionSecret(seed: Uint8Array, ciphertext: Uint8Array): string {
  const hash = createHash('shake256', { outputLength: 32 });
  return hash.update(seed.subarray(32)).update(ciphertext).digest('hex');
}

const q = 3329;
const what = 'KEM encapsulation key';
const pair = generateKemKey(systemRandom);

describe('ML-KEM-768', () => {
  it.each(vectors.wycheproof)('gives Wycheproof tcId $tcId: key of a seed, secret of a ciphertext', (vector) => {
    const { seed, encapsulationKey } = generateKemKey(giving(hex(vector.seed)));
    expect(toHexText(seed)).toBe(vector.seed);
    expect(toHexText(encapsulationKey)).toBe(vector.ek);
    expect(toHexText(readEncapsulationKey(hex(vector.ek)))).toBe(vector.ek);
    expect(toHexText(decapsulate(seed, hex(vector.c) as KemCiphertext))).toBe(vector.K);
    expect(rejectionSecret(seed, hex(vector.c))).toBe(vector.K);
  });

  it("gives the accumulated digest of Go's crypto/mlkem: keys, ciphertexts, secrets, rejections", () => {
    const input = shake128.create({});
    const output = shake128.create({ dkLen: 32 });
    for (let round = 0; round < vectors.accumulated.rounds; round++) {
      const { seed, encapsulationKey } = generateKemKey(giving(input.xof(KEM_SEED_LENGTH)));
      const { ciphertext, secret } = encapsulate(readEncapsulationKey(encapsulationKey), giving(input.xof(32)));
      expect(toHexText(decapsulate(seed, ciphertext))).toBe(toHexText(secret));
      output.update(encapsulationKey).update(ciphertext).update(secret);
      output.update(decapsulate(seed, input.xof(KEM_CIPHERTEXT_LENGTH) as KemCiphertext));
    }
    expect(toHexText(output.digest())).toBe(vectors.accumulated.digest);
  });

  it('gives both sides one secret, of the lengths it states', () => {
    for (let round = 0; round < 20; round++) {
      const { seed, encapsulationKey } = generateKemKey(systemRandom);
      const key = readEncapsulationKey(shifted(encapsulationKey));
      const { ciphertext, secret } = encapsulate(key, systemRandom);
      expect(seed).toHaveLength(KEM_SEED_LENGTH);
      expect(encapsulationKey).toHaveLength(ENCAPSULATION_KEY_LENGTH);
      expect(ciphertext).toHaveLength(KEM_CIPHERTEXT_LENGTH);
      expect(secret).toHaveLength(32);
      expect(decapsulate(shifted(seed) as KemSeed, shifted(ciphertext) as KemCiphertext)).toEqual(secret);
    }
  });

  it('draws fresh randomness for every encapsulation', () => {
    const [one, two] = [
      encapsulate(pair.encapsulationKey, systemRandom),
      encapsulate(pair.encapsulationKey, systemRandom),
    ];
    expect(one.ciphertext).not.toEqual(two.ciphertext);
    expect(one.secret).not.toEqual(two.secret);
  });

  it('gives another secret, and no error, for an altered ciphertext: the rejection secret of FIPS 203', () => {
    const { ciphertext, secret } = encapsulate(pair.encapsulationKey, systemRandom);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: KEM_CIPHERTEXT_LENGTH * 8 - 1 }), (bit) => {
        const altered = Uint8Array.from(ciphertext);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const other = decapsulate(pair.seed, altered as KemCiphertext);
        expect(toHexText(other)).not.toBe(toHexText(secret));
        expect(toHexText(other)).toBe(rejectionSecret(pair.seed, altered));
      }),
      { numRuns: 60, examples: [[0], [KEM_CIPHERTEXT_LENGTH * 8 - 1]] },
    );
  });

  it('gives another secret for the key of another seed, be it only another z', () => {
    const { ciphertext, secret } = encapsulate(pair.encapsulationKey, systemRandom);
    expect(decapsulate(generateKemKey(systemRandom).seed, ciphertext)).not.toEqual(secret);
    const otherZ = Uint8Array.from(pair.seed).fill(0, 32) as KemSeed;
    expect(generateKemKey(() => otherZ).encapsulationKey).toEqual(pair.encapsulationKey);
    expect(decapsulate(otherZ, ciphertext)).toEqual(secret);
    const junk = new Uint8Array(KEM_CIPHERTEXT_LENGTH) as KemCiphertext;
    expect(decapsulate(otherZ, junk)).not.toEqual(decapsulate(pair.seed, junk));
  });

  it('leaves seed, key and ciphertext as they were', () => {
    const { ciphertext } = encapsulate(pair.encapsulationKey, systemRandom);
    const before = [pair.seed, pair.encapsulationKey, ciphertext].map(toHexText);
    decapsulate(pair.seed, ciphertext);
    readEncapsulationKey(pair.encapsulationKey);
    encapsulate(pair.encapsulationKey, systemRandom);
    expect([pair.seed, pair.encapsulationKey, ciphertext].map(toHexText)).toEqual(before);
  });

  it('gives no secret for a ciphertext or a seed of another length', () => {
    for (const length of [0, 1, 32, 768, KEM_CIPHERTEXT_LENGTH - 1, KEM_CIPHERTEXT_LENGTH + 1, 1568]) {
      expect(() => decapsulate(pair.seed, new Uint8Array(length) as KemCiphertext), `${length}`).toThrow();
    }
    const ciphertext = new Uint8Array(KEM_CIPHERTEXT_LENGTH) as KemCiphertext;
    for (const length of [0, 32, 63, 65]) {
      expect(() => decapsulate(new Uint8Array(length) as KemSeed, ciphertext), `${length}`).toThrow();
    }
  });
});

const implementations: [name: string, kem: MlKem][] = [['noble', NOBLE_KEM]];
if (hasNodeKem()) implementations.push(['node:crypto', NODE_KEM]);

describe.each(implementations)('ML-KEM-768 by %s', (name, kem) => {
  it.each(vectors.wycheproof)('gives Wycheproof tcId $tcId', (vector) => {
    expect(toHexText(kem.encapsulationKeyOf(hex(vector.seed)))).toBe(vector.ek);
    expect(toHexText(kem.decapsulate(hex(vector.seed), hex(vector.c)))).toBe(vector.K);
  });

  it('agrees with noble: keys, secrets both ways, rejections', () => {
    for (let round = 0; round < 30; round++) {
      const seed = systemRandom(KEM_SEED_LENGTH);
      const key = kem.encapsulationKeyOf(seed);
      expect(key).toEqual(NOBLE_KEM.encapsulationKeyOf(seed));
      const [ours, nobles] = [kem, NOBLE_KEM].map((one) => one.encapsulate(key, systemRandom));
      for (const { ciphertext, secret } of [ours, nobles].filter((one) => one !== undefined)) {
        expect(secret).toHaveLength(32);
        expect(kem.decapsulate(seed, ciphertext)).toEqual(secret);
        expect(NOBLE_KEM.decapsulate(seed, ciphertext)).toEqual(secret);
      }
      const junk = systemRandom(KEM_CIPHERTEXT_LENGTH);
      expect(toHexText(kem.decapsulate(seed, junk))).toBe(rejectionSecret(seed, junk));
    }
  });

  it('gives no secret for a ciphertext or a seed of another length', () => {
    const ciphertext = new Uint8Array(KEM_CIPHERTEXT_LENGTH);
    for (const length of [0, 32, 1087, 1089]) {
      expect(() => kem.decapsulate(pair.seed, new Uint8Array(length)), `${name} ${length}`).toThrow();
      expect(() => kem.decapsulate(new Uint8Array(length), ciphertext), `${name} ${length}`).toThrow();
    }
  });
});

it('is done by Node from 24.21 and 26.10 on', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = (major === 24 && minor >= 21) || (major === 26 && minor >= 10);
  if (isNew || major < 24) expect([hasRawKeys(), hasNodeKem()]).toEqual([isNew, isNew]);
});

it("encapsulates the bytes of a given source by noble, whatever Node has, and the system's by Node where it can", () => {
  const message = new Uint8Array(32).fill(7);
  const given = encapsulate(pair.encapsulationKey, () => message.slice());
  expect(given).toEqual(NOBLE_KEM.encapsulate(pair.encapsulationKey, () => message.slice()));
  const drawn = vi.spyOn(NODE_KEM, 'encapsulate');
  encapsulate(pair.encapsulationKey, systemRandom);
  expect(drawn).toHaveBeenCalledTimes(hasNodeKem() ? 1 : 0);
  drawn.mockRestore();
});

describe('readEncapsulationKey', () => {
  it('admits a key, and gives the same bytes', () => {
    expect(readEncapsulationKey(pair.encapsulationKey)).toBe(pair.encapsulationKey);
  });

  it('refuses a coefficient of q or above, wherever it stands (the modulus check of FIPS 203 §7.2)', () => {
    for (let index = 0; index < 768; index++) {
      for (const value of [q, 4095]) {
        const altered = withCoefficient(pair.encapsulationKey, index, value);
        expectWeakKey(() => readEncapsulationKey(altered), what, `coefficient ${index} = ${value}`);
      }
    }
  });

  it('refuses every value from q to 4095 and admits those below', () => {
    for (let value = q; value < 4096; value++) {
      const altered = withCoefficient(pair.encapsulationKey, value % 768, value);
      expectWeakKey(() => readEncapsulationKey(altered), what, `${value}`);
    }
    for (const index of [0, 1, 255, 256, 511, 512, 766, 767]) {
      for (const value of [0, 1, q - 1]) {
        const altered = withCoefficient(pair.encapsulationKey, index, value);
        expect(readEncapsulationKey(altered)).toBe(altered);
      }
    }
  });

  it('admits any seed of the matrix, the last 32 bytes', () => {
    for (const byte of [0x00, 0xff]) {
      const altered = Uint8Array.from(pair.encapsulationKey).fill(byte, ENCAPSULATION_KEY_LENGTH - 32);
      expect(readEncapsulationKey(altered)).toBe(altered);
    }
  });

  it('refuses every other length', () => {
    for (const length of [0, 1, 32, 800, ENCAPSULATION_KEY_LENGTH - 1, ENCAPSULATION_KEY_LENGTH + 1, 1568]) {
      const bytes = new Uint8Array(length);
      bytes.set(pair.encapsulationKey.subarray(0, length));
      expectWeakKey(() => readEncapsulationKey(bytes), what, `${length} bytes`);
    }
  });
});
