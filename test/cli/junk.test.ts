import { randomFillSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxOf, nameOfEnvelope } from '../../src/places/index.ts';
import { envelopesIn, type Person, routed } from './fake-io.ts';

// Thousands of envelopes of no use in a box, and a text behind them.

const HOUR = 3_600_000;
const MANY = 1_100;
/** Where these begin in an envelope: what it is found by, and what is encrypted for an invite. */
const HEADER_NONCE = 10;
const NONCE_LENGTH = 24;
const OPENING_CIPHERTEXT = 10 + 32 + 1088;

/** Puts envelopes that are like one that lies there, but for bytes from an offset on; older than that one. */
function fill(place: string, offset: number, length?: number): void {
  const [name = ''] = envelopesIn(place);
  const bytes = readFileSync(join(place, name));
  const box = name.slice(0, 26);
  for (let n = 0; n < MANY; n++) {
    const junk = randomFillSync(Buffer.from(bytes), offset, length ?? bytes.length - offset);
    writeFileSync(join(place, `${box}.${nameOfEnvelope(junk)}.pawl`), junk);
  }
  writeFileSync(join(place, name), bytes);
}

async function fetch(person: Person) {
  const { exit, text, errors } = await person.run(['recv', '--fetch', '--lines']);
  return { exit, text, lines: errors.split('\n').filter((line) => line !== '') };
}

describe('thousands of envelopes of no use', () => {
  it('in the box of a session are told in one line, and rest: what lies behind them comes', async () => {
    const { alice, bob, place } = await routed();
    await alice.pawl(['send', 'bob', '-m', 'the first']);
    fill(place, HEADER_NONCE, NONCE_LENGTH);
    const first = await fetch(bob);
    expect(first).toMatchObject({ exit: 65, text: 'the first\n' });
    expect(first.lines).toEqual([expect.stringMatching(/^pawl: 1100 messages in the box of alice cannot be read/)]);
    await alice.pawl(['send', 'bob', '-m', 'behind it']);
    const second = await fetch(bob);
    expect(second.text).toBe('behind it\n');
    expect(second.lines).toEqual([]);
    expect(bob.rows('left_entries').length).toBe(MANY);
  });

  it('in the box of an invite go, a bounded number at a time, and it is said that there is more', async () => {
    const { alice, bob, place } = await routed();
    await alice.add('bob', await bob.invite('alice'));
    alice.time += HOUR;
    bob.time += HOUR;
    await alice.pawl(['send', 'bob', '-m', 'behind it']);
    fill(place, OPENING_CIPHERTEXT);
    let texts = '';
    let fetches = 0;
    for (let hasMore = true; hasMore; fetches++) {
      const before = envelopesIn(place).length;
      const { text, lines } = await fetch(bob);
      texts += text;
      expect(before - envelopesIn(place).length).toBeLessThanOrEqual(200);
      expect(lines.filter((line) => line.includes('in the box of an invite for alice are of no use'))).toHaveLength(1);
      hasMore = lines.includes('pawl: there is more at the places: fetch again');
    }
    expect([texts, fetches, envelopesIn(place)]).toEqual(['behind it\n', 6, []]);
  });

  it('in the box of an invite go also where they would be left, once no more can be remembered', async () => {
    const { bob, place } = await routed();
    const { invite_box: box } = bob.rows<{ invite_box: Uint8Array }>('sessions')[0] ?? {};
    if (box === undefined) throw new Error('there is no box');
    // Of a format that is not known yet.
    const put = (n: number) => {
      const junk = Buffer.concat([Buffer.from('pawl\xff', 'latin1'), Buffer.alloc(300, n)]);
      writeFileSync(join(place, `${boxOf(box)}.${nameOfEnvelope(junk)}.pawl`), junk);
    };
    put(1);
    expect((await fetch(bob)).exit).toBe(0);
    expect([envelopesIn(place).length, bob.rows('left_entries').length]).toEqual([1, 1]);
    const file = bob.openFile();
    file.exec(`
      WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9999)
      INSERT INTO left_entries SELECT box, n, size, version, code, tries, tried_at FROM left_entries, numbers`);
    file.close();
    // The one that is remembered is read again, and stays, and there is room for one more.
    bob.time += HOUR;
    for (const n of [2, 3]) put(n);
    await fetch(bob);
    expect(envelopesIn(place)).toHaveLength(2);
  });
});
