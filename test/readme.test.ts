import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inHome } from './cli/shell.ts';
import { abridge, parseTranscript, perform } from './cli/transcript.ts';

const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
const blocks = [...README.matchAll(/^```console\n(.*?)^```/gms)].map(([, block = '']) => block);

/** The README may leave out what a command says beside; what it shows must be there, in that order. */
it('what the README shows at a shell is what happens there, in one home from its first line to its last', () =>
  inHome(async (home) => {
    const photo = randomBytes(50_000);
    home.write('photo.jpg', photo);
    const steps = blocks.flatMap((block) => parseTranscript(block).steps);
    expect(steps.length).toBeGreaterThanOrEqual(8);
    for (const { command, expected } of steps) {
      const { lines, exit } = await perform(home, command);
      expect(exit, `${command}\n${lines.join('\n')}`).toBe(0);
      const shown = abridge(lines, expected.lines).filter((line) => expected.lines.includes(line));
      expect(shown, `${command}\n${lines.join('\n')}`).toEqual(expected.lines);
    }
    expect(home.read('photo-of-bob.jpg').equals(photo)).toBe(true);
  }));
