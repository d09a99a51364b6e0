import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquaint, CollectedOutput, type Person } from '../../fake-io.ts';

const TERMINAL = { columns: 80, rows: 24 };
/** Characters. */
const MOST = 2 ** 16;

describe('armor on a terminal', () => {
  const send = async (alice: Person, bytes: number, ...options: string[]) => {
    const output = new CollectedOutput(true, TERMINAL);
    return alice.run(['send', 'bob', ...options], Buffer.alloc(bytes, 'x'), { output });
  };

  it('is written up to 64 KiB, and refused beyond', async () => {
    const { alice } = await acquaint();
    const small = await send(alice, 40_000);
    expect(small.exit).toBe(0);
    expect(small.text).toMatch(/END PAWL MESSAGE-----\n$/);
    for (const bytes of [44_000, 46_000, 48_000, 50_000]) {
      const { exit, text } = await send(alice, bytes);
      expect(text.length).toBeLessThanOrEqual(MOST);
      expect(exit).toBe(text === '' ? 64 : 0);
    }
    const large = await send(alice, 3_000_000);
    expect([large.exit, large.text]).toEqual([64, '']);
    expect(large.errors).toMatch(
      /^error: this is 4\.\d MB of armor, too much for a terminal\nhint: use -o FILE, or a pipe\n$/,
    );
  });

  it.each([
    ['standard input', (alice: Person) => send(alice, 100_000)],
    ['standard input, armored', (alice: Person) => send(alice, 100_000, '-a')],
    ['lines', (alice: Person) => send(alice, 100_000, '--lines')],
    [
      'many lines',
      (alice: Person) =>
        alice.run(['send', 'bob', '--lines'], Buffer.from('x\n'.repeat(200)), { output: new CollectedOutput(true) }),
    ],
    [
      'a file',
      async (alice: Person) => {
        writeFileSync(join(alice.folder, 'large'), new Uint8Array(100_000));
        return alice.onTerminal(['send', 'bob', join(alice.folder, 'large')], TERMINAL);
      },
    ],
  ])('is refused before anything is committed: %s', async (_, run) => {
    const { alice } = await acquaint();
    const before = alice.rows('sessions');
    expect((await run(alice)).exit).toBe(64);
    expect(alice.rows('sessions')).toEqual(before);
    expect(alice.rows('outbox')).toEqual([]);
  });

  it('may be of any amount in a file', async () => {
    const { alice } = await acquaint();
    const { exit, text } = await send(alice, 100_000, '-a', '-o', join(alice.folder, 'armored'));
    expect([exit, text]).toEqual([0, '']);
  });
});
