import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inHome } from './shell.ts';
import { abridge, parseTranscript, perform, printStep, printTranscript, type Said, type Step } from './transcript.ts';

const FOLDER = join(import.meta.dirname, '..', 'transcripts');
/** Writes into the transcripts what the commands say today: `UPDATE_TRANSCRIPTS=1 npx vitest run transcripts`. */
const UPDATE = process.env.UPDATE_TRANSCRIPTS === '1';
/** What differs from run to run: fingerprints and ids, dates with or without a time. */
const RANDOM = /\b(?:[0-9a-f]{16}|[0-9a-f]{32})\b|\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::[\d.]+Z)?)?/g;

const transcripts = readdirSync(FOLDER).filter((file) => file.endsWith('.txt'));

describe('transcripts', () => {
  it('are there', () => expect(transcripts.length).toBeGreaterThan(10));

  it.concurrent.each(transcripts)('%s', async (file) => {
    const path = join(FOLDER, file);
    const { title, steps } = parseTranscript(readFileSync(path, 'utf8'));
    await inHome(async (home) => {
      const done: Step[] = [];
      for (const step of steps) {
        const { lines, exit } = await perform(home, step.command);
        const said = { lines: abridge(lines, step.expected.lines), exit };
        done.push({ ...step, expected: UPDATE ? withoutRandom(said) : said });
        if (UPDATE) continue;
        expect(printStep(step.command, said), `${path}:${step.line}`).toBe(printStep(step.command, step.expected));
      }
      if (UPDATE) writeFileSync(path, printTranscript({ title, steps: done }));
    });
  });
});

function withoutRandom({ lines, exit }: Said): Said {
  return { lines: lines.map((line) => line.replaceAll(RANDOM, '…')), exit };
}
