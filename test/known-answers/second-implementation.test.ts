import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// test/vectors/reader: pawl/1 in Python, from docs/PROTOCOL.md, which has nothing of this code.

const vectors = join(import.meta.dirname, '..', 'vectors');
const known = join(vectors, 'pawl-1.json');

function python(...parameters: readonly string[]) {
  return spawnSync('python3', ['-B', ...parameters], { encoding: 'utf8' });
}

function check(path: string) {
  return python(join(vectors, 'reader', 'check.py'), path);
}

const isThere = python('-c', 'import sys; sys.exit(sys.version_info < (3, 9))').status === 0;

describe.skipIf(!isThere)(
  `a second implementation${isThere ? '' : ': not run, as there is no python3 of 3.9 or later'}`,
  () => {
    it('comes to all the known answers', () => {
      const { status, stdout, stderr } = check(known);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^13 stories, \d+ steps: all \d{4} comparisons hold\n$/);
    });

    /** What is altered, where its value stands, and the complaint about it. */
    const alterations = [
      ['a key', /"senderKey":"([0-9a-f]{64})"/, /^opening: /],
      ['a refusal', /"refused":"(invite-used-up)"/, /^reusable\/peggy 2: /],
      ['the session that is sent on', /"sends":"([0-9a-f]{16})"/, /^bob: sends on: /],
      ['the code of a content', /"code":"(too-large)","content"/, /^content: a text of 16 MiB and a byte: /],
      ['the salt of a part', /"salt":"([0-9a-f]{32})","tag":"[0-9a-f]{16}","partKey"/, /^part parts\/f0: /],
      ['what becomes of a part', /"parts\/f2 after f1 changed","(parts-contradict)"/, /^parts: a source that changed/],
      ['a part that is sealed', /"as":"large\/alice 2",[^{}]*"is":"([0-9a-f]{32})"/, /^large\/alice 2: /],
      ['a part that is taken', /"part":"large\/alice 3","outcome":"(duplicate)"/, /^large\/alice 3: /],
      ['the code of a block', /"block":"(unknown-version)"/, /^block: version 0: /],
    ] as const;
    it.each(alterations)('notices an answer that is another: %s', (_what, place, complaint) => {
      const folder = mkdtempSync(join(tmpdir(), 'pawl-second-'));
      const altered = join(folder, 'altered.json');
      const text = readFileSync(known, 'utf8');
      const reversed = (found: string, value: string) => found.replace(value, value.split('').reverse().join(''));
      writeFileSync(altered, text.replace(place, reversed));
      const { status, stderr } = check(altered);
      rmSync(folder, { recursive: true });
      expect(status).toBe(1);
      expect(stderr).toMatch(complaint);
    });
  },
);
