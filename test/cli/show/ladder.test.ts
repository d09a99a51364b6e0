import { describe, expect, it } from 'vitest';
import { type Canvas, drawLadder } from '../../../src/cli/show/ladder.ts';
import { ladderSvg } from '../../../src/cli/show/ladder-svg.ts';
import type { ChainOnLadder, Ladder } from '../../../src/session/index.ts';

const WIDE: Canvas = { columns: 80, unicode: true };
const NARROW: Canvas = { columns: 40, unicode: true };
const PLAIN: Canvas = { columns: 80, unicode: false };

function chain(step: number, by: 'us' | 'them', length: number, missing: readonly number[] = []): ChainOnLadder {
  return {
    step,
    by,
    fingerprint: step.toString(16).padStart(16, '0'),
    length,
    isOpen: false,
    missing: missing.map((n) => ({ chain: 0, n, keptSince: 0 })),
  };
}

const open = (last: ChainOnLadder): ChainOnLadder => ({ ...last, isOpen: true });
const NO_KEM = { mixed: undefined, offered: undefined };

const begun: Ladder = { steps: 1, chains: [open(chain(1, 'us', 1))], next: 'them', kem: NO_KEM };

const grown: Ladder = {
  steps: 15,
  chains: [
    chain(2, 'them', 9, [1, 2, 7]),
    chain(8, 'them', 1),
    chain(10, 'them', 3),
    chain(12, 'them', 100, [0, 1, 2, 3, 4, 5, 50]),
    chain(13, 'us', 4),
    chain(14, 'them', 8, [3, 4]),
    open(chain(15, 'us', 5)),
  ],
  next: 'them',
  kem: { mixed: 11, offered: 15 },
};

/** The drawing as it stands below: without the indentation of this file. */
function drawing(text: string): string {
  return text.replace(/^\n/, '').replaceAll(/^ {4}/gm, '').trimEnd();
}

describe('the ladder', () => {
  it('begins with one rung', () => {
    expect(drawLadder(begun, 'bob', WIDE)).toBe(
      drawing(`
          you                                                             bob
       1  ├────────────────────── 1 message so far ───────────────────────▶│
          │                      bob's answer: step 2                      │`),
    );
  });

  it('has a rung for each step, folds what is long ago, and shows gaps and KEM steps', () => {
    expect(drawLadder(grown, 'bob', WIDE)).toBe(
      drawing(`
          you                                                             bob
       ⋮  │                    steps 1 to 3, 3 missing                     │
       4  │◀───────────────────────────────────────────────────────────────┤
       5  ├───────────────────────────────────────────────────────────────▶│
       6  │◀───────────────────────────────────────────────────────────────┤
       7  ├───────────────────────────────────────────────────────────────▶│
       8  │◀────────────────────────── 1 message ──────────────────────────┤
       9  ├───────────────────────────────────────────────────────────────▶│
      10  │◀───────────────────────── 3 messages ──────────────────────────┤
      11  ├───────────────────────── ◆ KEM mixed ─────────────────────────▶│
      12  │◀─────────────── ·▪■■■■■■■■▪■■■■■■■■■ 93 of 100 ────────────────┤
      13  ├───────────────────────── 4 messages ──────────────────────────▶│
      14  │◀─────────────────────── ■■■··■■■ 6 of 8 ───────────────────────┤
      15  ├─────────────── 5 messages so far ◆ KEM offered ───────────────▶│
          │                     bob's answer: step 16                      │`),
    );
  });

  it('is drawn in ASCII where the locale has nothing else', () => {
    const drawn = drawLadder(grown, 'bob', PLAIN);
    expect(drawn).toMatch(/^[ -~\n]*$/);
    expect(drawn.split('\n').slice(-4)).toEqual(
      drawing(`
      13  +------------------------- 4 messages -------------------------->|
      14  |<----------------------- ###..### 6 of 8 -----------------------+
      15  +--------------- 5 messages so far * KEM offered --------------->|
          |                     bob's answer: step 16                      |`).split('\n'),
    );
  });

  it.each([
    [80, 72],
    [200, 72],
    [60, 60],
    [40, 40],
    [10, 40],
  ])('fits %i columns in %i', (columns, width) => {
    for (const contact of ['bob', 'a'.repeat(64)]) {
      for (const ladder of [begun, grown]) {
        const lines = drawLadder(ladder, contact, { ...WIDE, columns }).split('\n');
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width + 1);
      }
    }
  });

  it('says who has the next turn', () => {
    expect(drawLadder({ ...begun, next: 'us', steps: 2 }, 'bob', NARROW)).toBe(
      drawing(`
          you                             bob
       1  ├────── 1 message so far ───────▶│
       2  │◀───────────────────────────────┤
          │   your next message: step 3    │`),
    );
  });
});

interface Box {
  readonly what: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** What is drawn, in boxes: words as wide as in a wide font, and lines with their width. */
function boxesOf(svg: string): { texts: readonly Box[]; lines: readonly Box[]; width: number; height: number } {
  const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  const texts = [...svg.matchAll(/<text(?: class="([^"]*)")? x="([\d.]+)" y="([\d.]+)">([^<]*)</g)].map(
    ([, classes = '', x, y, escaped = '']) => {
      const size = classes.includes('small') ? 12 : classes.includes('name') ? 15 : 14;
      const what = escaped.replaceAll(/&\w+;/g, '&');
      const long = what.length * size * 0.62;
      const left = Number(x) - (classes.includes('end') ? long : classes.includes('start') ? 0 : long / 2);
      return { what, left, right: left + long, top: Number(y) - 0.8 * size, bottom: Number(y) + 0.25 * size };
    },
  );
  const paths = [...svg.matchAll(/<path [^>]*d="([^"]*)"/g)].map(([, d = '']) => {
    const [xs, ys] = [[] as number[], [] as number[]];
    for (const [, command, first, second] of d.matchAll(/([MLHV])([\d.]+)(?: ([\d.]+))?/g)) {
      if (command !== 'V') xs.push(Number(first));
      if (command !== 'H') ys.push(Number(command === 'V' ? first : second));
    }
    const box = { left: Math.min(...xs) - 1, right: Math.max(...xs) + 1 };
    return { what: d, ...box, top: Math.min(...ys) - 1, bottom: Math.max(...ys) + 1 };
  });
  const rects = [...svg.matchAll(/<rect class="(?:fill|missing)[^>]* x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)].map(
    ([what, x, y, long]) => ({
      what,
      left: Number(x),
      right: Number(x) + Number(long),
      top: Number(y),
      bottom: Number(y) + Number(long),
    }),
  );
  return { texts, lines: [...paths, ...rects], width: Number(width), height: Number(height) };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

const crowded: Ladder = {
  steps: 1_000,
  chains: [
    open(
      chain(
        1_000,
        'them',
        99_999,
        Array.from({ length: 2_000 }, (_, n) => 10 * n),
      ),
    ),
    chain(999, 'us', 1_000_000),
    chain(998, 'them', 48, [0, 1, 2, 3]),
    chain(996, 'them', 3, [0, 1, 2]),
    chain(994, 'them', 0),
  ],
  next: 'us',
  kem: { mixed: 1_000, offered: undefined },
};

describe('the ladder as a picture', () => {
  it.each([
    ['begun', begun, 'bob'],
    ['grown', grown, 'bob'],
    ['crowded', crowded, 'a'.repeat(14)],
    ['of a long name', { ...grown, next: 'them' as const }, 'm'.repeat(64)],
  ])('has its words where no line and no other words are, within the picture: %s', (_, ladder, contact) => {
    const { texts, lines, width, height } = boxesOf(ladderSvg(ladder, contact));
    expect(texts.length).toBeGreaterThan(3);
    expect(lines.length).toBeGreaterThan(6);
    for (const text of texts) {
      expect(lines.filter((line) => overlap(text, line)).map(({ what }) => [text.what, what])).toEqual([]);
      expect(texts.filter((other) => other !== text && overlap(text, other)).map(({ what }) => what)).toEqual([]);
      expect([text.left >= 0, text.right <= width, text.top >= 0, text.bottom <= height]).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }
  });

  it('is well formed, has an arrow for each step, and shows a name as a name', () => {
    const svg = ladderSvg(grown, 'bob <&"\u001b>');
    expect(svg.match(/<g[ >]/g)).toHaveLength(12);
    expect(svg.match(/<g[ >]/g)?.length).toBe(svg.match(/<\/g>/g)?.length);
    expect(svg).toContain('>bob &lt;&amp;&quot;\\u{1b}&gt;<');
    expect(svg).not.toMatch(/<script|href|url\(/);
  });

  it('says what is folded, what is missing, and where nothing is known', () => {
    const svg = ladderSvg(grown, 'bob');
    expect(svg).toContain('>steps 1 to 3, 3 missing<');
    expect(svg.match(/class="side fold"/g)).toHaveLength(2);
    expect(svg).toContain('>6 of 8 messages, 2 missing<');
    expect(svg.match(/>count no longer kept</g)).toHaveLength(6);
    expect(svg.match(/>KEM (?:mixed|offered)</g)).toEqual(['>KEM mixed<', '>KEM offered<']);
    // Step 12: one cell of five messages that are all missing; step 14: two; and one to say what it is.
    expect(svg.match(/<rect class="missing"/g)).toHaveLength(4);
    expect(svg.match(/<rect class="fill-them partial"/g)).toHaveLength(3);
    expect(ladderSvg(crowded, 'bob')).toContain('>no messages<');
    expect(ladderSvg(begun, 'bob')).not.toMatch(/>missing<|fold"/);
  });
});
