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

describe('the ladder as a picture', () => {
  it('is well formed, has a row for each rung, and shows a name as a name', () => {
    const svg = ladderSvg(grown, 'bob <&"\u001b>');
    expect(svg.match(/<g[ >]/g)).toHaveLength(12);
    expect(svg.match(/<g[ >]/g)?.length).toBe(svg.match(/<\/g>/g)?.length);
    expect(svg).toContain('>bob &lt;&amp;&quot;\\u{1b}&gt;<');
    expect(svg).toContain('>steps 1 to 3, 3 missing<');
    expect(svg).toContain('>■■■□□■■■ 6 of 8<');
    expect(svg).not.toMatch(/<script|href|url\(/);
  });
});
