import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPawlError } from '../../src/errors.ts';
import {
  isDataOf,
  type Link,
  nextLink,
  type OpenedPart,
  type Part,
  PartLog,
  type PartRecord,
  partDigest,
  refuseOther,
  type Whole,
} from '../../src/parts/index.ts';
import { REACH } from '../../src/parts/part-log.ts';
import { concat, toHex, utf8 } from '../../src/primitives/index.ts';
import { repeatable } from '../ratchet/party.ts';
import { partsOf, SMALL } from './parts.ts';

const opened = (part: Part): OpenedPart => ({ ...part, digest: partDigest(part) });
const unknown: Whole = { size: undefined, partSize: SMALL };

/** What becomes of a part that comes: it is added where it is new. */
function take(log: PartLog, part: Part): string {
  try {
    const one = opened(part);
    const verdict = log.check(one);
    if (verdict === 'new') log.add(one);
    return verdict;
  } catch (error) {
    if (isPawlError(error, 'parts-contradict') || isPawlError(error, 'part-too-far')) return error.code;
    throw error;
  }
}

const snapshot = (log: PartLog) => structuredClone([[...log.records], log.firstMissing, log.total, log.bytes]);

/** A content that fits no multiple of the part size, or fits one, or is empty. */
const anyContent = fc.uint8Array({ maxLength: 12 * SMALL, size: 'max' });

/** The same content up to a byte, from which on it is another, maybe longer or shorter. */
const anyChange = fc.record({ at: fc.nat(), rest: fc.uint8Array({ minLength: 1, maxLength: 6 * SMALL, size: 'max' }) });

function changed(content: Uint8Array, { at, rest }: { at: number; rest: Uint8Array }): Uint8Array {
  const place = at % (content.length + 1);
  const other = Uint8Array.from(rest);
  // Its first byte is another than the one that was there.
  other[0] = (content[place] ?? 0) ^ 1;
  return concat(content.subarray(0, place), other);
}

/** What a receiver must do, as the protocol says it of the set of all parts that it has: pair by pair, and slowly. */
class Model {
  readonly #whole: Whole;
  readonly #parts = new Map<number, Part>();

  constructor(whole: Whole) {
    this.#whole = whole;
  }

  get firstMissing(): number {
    let index = 0;
    while (this.#parts.has(index)) index++;
    return index;
  }

  get bytes(): number {
    return [...this.#parts.values()].reduce((sum, { data }) => sum + data.length, 0);
  }

  get isComplete(): boolean {
    const all = [...this.#parts.values()];
    const last = all.find(({ isLast }) => isLast);
    return (
      last !== undefined && this.firstMissing === last.index + 1 && (this.#whole.size ?? this.bytes) === this.bytes
    );
  }

  take(part: Part): string {
    const known = this.#parts.get(part.index);
    if (known !== undefined) return same(known, part) ? 'duplicate' : 'parts-contradict';
    if (!this.#agrees(part)) return 'parts-contradict';
    if (part.index > this.firstMissing + REACH) return 'part-too-far';
    this.#parts.set(part.index, part);
    return 'new';
  }

  #agrees(part: Part): boolean {
    const { size, partSize } = this.#whole;
    const end = part.index * partSize + part.data.length;
    if (size !== undefined && (part.isLast ? end !== size : end >= size)) return false;
    for (const other of this.#parts.values()) {
      if (other.isLast && (part.isLast || part.index > other.index)) return false;
      if (part.isLast && other.index > part.index) return false;
      if (other.index + 1 === part.index && !follows(other, part)) return false;
      if (part.index + 1 === other.index && !follows(part, other)) return false;
    }
    return part.index > 0 || part.link.every((byte) => byte === 0);
  }
}

function same(one: Part, other: Part): boolean {
  const spelled = ({ isLast, link, data }: Part) => `${isLast} ${toHex(link)} ${toHex(data)}`;
  return spelled(one) === spelled(other);
}

function follows(before: Part, part: Part): boolean {
  return toHex(nextLink(before.link, partDigest(before))) === toHex(part.link);
}

describe('the parts of one content', () => {
  it('come in any order, again and again, and some not at all: it is complete exactly when all are there', () => {
    fc.assert(
      fc.property(anyContent, fc.boolean(), fc.array(fc.nat(), { maxLength: 60 }), (content, isKnown, order) => {
        const parts = partsOf(content);
        const whole = isKnown ? { size: content.length, partSize: SMALL } : unknown;
        const log = new PartLog(whole);
        const there = new Set<number>();
        for (const pick of [...order, ...(order.length % 2 === 0 ? parts.keys() : [])]) {
          const part = parts[pick % parts.length] as Part;
          expect(take(log, part)).toBe(there.has(part.index) ? 'duplicate' : 'new');
          there.add(part.index);
          expect(log.count).toBe(there.size);
          const beyond = [parts.length, log.firstMissing + REACH, log.firstMissing + REACH + 1];
          for (const index of [...parts.keys(), ...beyond]) {
            expect(log.has(index)).toBe(there.has(index));
            const isWithin = index <= log.firstMissing + REACH && index < (log.total ?? Number.POSITIVE_INFINITY);
            expect(log.wants(index)).toBe(isWithin && !there.has(index));
          }
          expect(log.isComplete).toBe(there.size === parts.length);
          const first = parts.findIndex(({ index }) => !there.has(index));
          expect(log.firstMissing).toBe(first === -1 ? parts.length : first);
          expect(log.bytes).toBe([...there].reduce((sum, index) => sum + (parts[index]?.data.length ?? 0), 0));
          expect(log.total).toBe(isKnown || there.has(parts.length - 1) ? parts.length : undefined);
        }
        expect(new PartLog(whole).isComplete).toBe(false);
      }),
    );
  });

  it('are known again from what is stored of them', () => {
    fc.assert(
      fc.property(anyContent, fc.boolean(), fc.array(fc.nat(), { maxLength: 20 }), (content, isKnown, order) => {
        const parts = partsOf(content);
        const whole = isKnown ? { size: content.length, partSize: SMALL } : unknown;
        const log = new PartLog(whole);
        for (const pick of order) take(log, parts[pick % parts.length] as Part);
        const again = new PartLog(whole, structuredClone([...log.records]));
        expect(snapshot(again)).toEqual(snapshot(log));
        expect([again.count, again.isComplete]).toEqual([log.count, log.isComplete]);
        for (const part of [...partsOf(changed(content, { at: 0, rest: utf8('x') })), ...parts]) {
          expect(take(again, part)).toBe(take(log, part));
        }
      }),
    );
  });

  it('are compared alike where the log forgets what is stored', () => {
    let stored = 0;
    fc.assert(
      fc.property(anyContent, anyChange, fc.array(fc.nat(), { maxLength: 60 }), (content, change, order) => {
        const first = partsOf(content);
        const parts = [...first, ...partsOf(changed(content, change))];
        const inOrder = first.slice(0, order.length % (first.length + 1)).keys();
        const [log, short] = [new PartLog(unknown), new PartLog(unknown)];
        const records = new Map<number, PartRecord>();
        const takeShort = (part: Part): string => {
          const one = opened(part);
          try {
            const verdict = short.check(one);
            if (verdict === 'new') records.set(part.index, short.add(one));
            if (verdict !== 'stored') return verdict;
            stored++;
            refuseOther(records.get(part.index) as PartRecord, one);
            return 'duplicate';
          } catch (error) {
            if (isPawlError(error, 'parts-contradict')) return error.code;
            throw error;
          }
        };
        for (const pick of [...inOrder, ...order]) {
          const part = parts[pick % parts.length] as Part;
          expect(takeShort(part)).toBe(take(log, part));
          short.forget();
          expect(short.kept).toBe(Math.max(log.firstMissing - 1, 0));
          expect([...short.records].every(({ index }) => index >= short.kept)).toBe(true);
          const again = new PartLog(
            unknown,
            [...records.values()].filter(({ index }) => index >= short.kept),
            short.kept,
          );
          for (const one of [short, again]) {
            expect([one.count, one.firstMissing, one.total, one.bytes, one.isComplete]).toEqual([
              log.count,
              log.firstMissing,
              log.total,
              log.bytes,
              log.isComplete,
            ]);
          }
        }
      }),
    );
    expect(stored).toBeGreaterThan(100);
  });

  it('name their data', () => {
    const [first, second] = partsOf(repeatable('content')(2 * SMALL)) as [Part, Part];
    const log = new PartLog(unknown);
    const record = log.add(opened(first));
    expect(record.digest).toHaveLength(16);
    expect(isDataOf(record, first.data)).toBe(true);
    for (const data of [second.data, first.data.subarray(1), new Uint8Array(0)])
      expect(isDataOf(record, data)).toBe(false);
  });
});

describe('the parts of a source that changed between two attempts', () => {
  it('are told apart as the model does, whatever comes of both in whatever order, and a refusal changes nothing', () => {
    let contradictions = 0;
    fc.assert(
      fc.property(
        anyContent,
        anyChange,
        fc.constantFrom('first', 'second', 'unknown'),
        fc.array(fc.record({ attempt: fc.nat(1), pick: fc.nat() }), { maxLength: 60 }),
        (content, change, declared, arrivals) => {
          const attempts = [content, changed(content, change)] as const;
          const size = { first: content.length, second: attempts[1].length, unknown: undefined }[declared];
          const whole = { size, partSize: SMALL };
          const [log, model] = [new PartLog(whole), new Model(whole)];
          for (const { attempt, pick } of arrivals) {
            const parts = partsOf(attempts[attempt] ?? content);
            const part = parts[pick % parts.length] as Part;
            const before = snapshot(log);
            const outcome = take(log, part);
            expect(outcome).toBe(model.take(part));
            if (outcome === 'parts-contradict') contradictions++;
            if (outcome !== 'new') expect(snapshot(log)).toEqual(before);
            expect([log.firstMissing, log.bytes, log.isComplete]).toEqual([
              model.firstMissing,
              model.bytes,
              model.isComplete,
            ]);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(contradictions).toBeGreaterThan(100);
  });

  it('never make a content that is a mixture, in whatever order they come', () => {
    let complete = 0;
    fc.assert(
      fc.property(anyContent, anyChange, fc.infiniteStream(fc.nat()), (content, change, order) => {
        const attempts = [content, changed(content, change)];
        const all = attempts.flatMap((attempt) => partsOf(attempt));
        const shuffled = all.map((part) => ({ part, rank: Number(order.next().value) }));
        const log = new PartLog(unknown);
        const data = new Map<number, Uint8Array>();
        for (const { part } of shuffled.toSorted((a, b) => a.rank - b.rank)) {
          if (take(log, part) === 'new') data.set(part.index, part.data);
        }
        if (!log.isComplete) return;
        complete++;
        const collected = concat(
          ...Array.from({ length: data.size }, (_, index) => data.get(index) ?? new Uint8Array(0)),
        );
        expect(attempts.map(toHex)).toContain(toHex(collected));
      }),
      { numRuns: 300 },
    );
    expect(complete).toBeGreaterThan(30);
  });
});

describe('a part that contradicts', () => {
  const content = repeatable('content')(3 * SMALL + 5);
  const [p0, p1, p2, p3] = partsOf(content) as [Part, Part, Part, Part];
  const otherLink = repeatable('link')(32) as Link;
  const otherData = repeatable('data')(SMALL);
  const known: Whole = { size: content.length, partSize: SMALL };

  const rows: readonly (readonly [why: string, whole: Whole, there: readonly Part[], part: Part])[] = [
    ['the same index with other data', unknown, [p1], { ...p1, data: otherData }],
    ['the same index with another link', unknown, [p1], { ...p1, link: otherLink }],
    ['the same index and data, and it is the last', unknown, [p1], { ...p1, isLast: true }],
    ['the first with a link of its own', unknown, [], { ...p0, link: otherLink }],
    ['another link than the part before it demands', unknown, [p0], { ...p1, link: otherLink }],
    ['data that the link of the part behind it denies', unknown, [p2], { ...p1, data: otherData }],
    ['a second last part', unknown, [p3], { ...p1, isLast: true }],
    ['a last part in front of one that is there', unknown, [p2], { ...p1, isLast: true }],
    ['a part behind the last', unknown, [p3], { ...p3, index: 4, isLast: false, data: otherData }],
    ['the last where the size says that more come', known, [], { ...p1, isLast: true }],
    ['not the last where the size says that nothing more comes', known, [], { ...p3, isLast: false, data: otherData }],
    ['a last part that is a byte too short for the size', known, [], { ...p3, data: p3.data.subarray(1) }],
    ['a last part that is too long for the size', known, [], { ...p3, data: otherData }],
    ['a part behind the size', known, [], { ...p3, index: 4 }],
    ['a part far behind the size', known, [], { ...p3, index: 2 ** 32 - 1, data: otherData }],
    ['a part of an empty content', { size: 0, partSize: SMALL }, [], p0],
    ['an empty part of a content that is not', known, [], { ...p0, isLast: true, data: content.subarray(0, 0) }],
  ];

  it.each(rows)('is refused, and changes nothing: %s', (_why, whole, there, part) => {
    const log = new PartLog(whole);
    for (const one of there) expect(take(log, one)).toBe('new');
    const before = snapshot(log);
    expect(() => log.check(opened(part))).toThrow(
      expect.objectContaining({ code: 'parts-contradict', detail: { index: part.index } }),
    );
    expect(snapshot(log)).toEqual(before);
  });

  it('in none of these ways: all of them, in order, are taken', () => {
    for (const whole of [known, unknown]) {
      const log = new PartLog(whole);
      for (const part of [p3, p1, p0, p2]) expect(take(log, part)).toBe('new');
      expect([log.isComplete, log.total, log.bytes]).toEqual([true, 4, content.length]);
    }
  });
});

describe('how far ahead parts are taken', () => {
  const at = (index: number, isLast = false): Part => ({
    index,
    isLast,
    link: repeatable(`link ${index}`)(32) as Link,
    data: repeatable('data')(SMALL),
  });

  it('is 4,096 from the first that is missing', () => {
    const log = new PartLog(unknown);
    expect(take(log, at(REACH + 1))).toBe('part-too-far');
    expect(take(log, at(REACH))).toBe('new');
    const [first, second] = partsOf(repeatable('content')(2 * SMALL)) as [Part, Part];
    expect(take(log, { ...second, isLast: false })).toBe('new');
    expect(() => log.check(opened(at(REACH + 3)))).toThrow(
      expect.objectContaining({ code: 'part-too-far', detail: { index: REACH + 3, missing: 0 } }),
    );
    expect(take(log, first)).toBe('new');
    expect([log.firstMissing, take(log, at(REACH + 3)), take(log, at(REACH + 2))]).toEqual([2, 'part-too-far', 'new']);
  });

  it('is no less where the size is known, and a contradiction is told first', () => {
    const log = new PartLog({ size: 2 ** 20 * SMALL, partSize: SMALL });
    expect(take(log, at(REACH + 1))).toBe('part-too-far');
    expect(take(log, at(REACH + 1, true))).toBe('parts-contradict');
    expect(take(log, at(2 ** 32 - 1))).toBe('parts-contradict');
    expect(take(log, at(REACH))).toBe('new');
  });
});

it.each([
  [0, 1],
  [1, 1],
  [SMALL, 1],
  [SMALL + 1, 2],
  [10 * SMALL, 10],
  [10 * SMALL + 1, 11],
])('a content of %i bytes has %i parts', (size, total) => {
  expect(new PartLog({ size, partSize: SMALL }).total).toBe(total);
  expect(partsOf(new Uint8Array(size))).toHaveLength(total);
});
